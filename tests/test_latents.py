"""Walks through latents: where they go, and the pictures of them."""
from common import experiments
import jax
import jax.numpy as jnp
import latents as program
import numpy as np
from PIL import Image
import pytest
import training

from jaxsynth import runs
from jaxsynth.runs import latents

pytestmark = pytest.mark.long


def test_a_walk_keeps_its_ends_and_lies_on_the_arc():
  start, stop = jax.random.normal(jax.random.key(0), (2, 4, 6))
  walk = latents.interpolated(start, stop, 5)
  np.testing.assert_allclose(walk[:, 0], start, atol=1e-5)
  np.testing.assert_allclose(walk[:, -1], stop, atol=1e-5)
  lengths = np.linalg.norm(walk, axis=-1)
  np.testing.assert_allclose(np.diff(lengths, 2), 0, atol=1e-4)
  directions = walk / lengths[..., None]
  steps = np.arccos(np.clip(np.sum(directions[:, 1:] * directions[:, :-1], -1), -1, 1))
  np.testing.assert_allclose(steps, steps.mean(1, keepdims=True).repeat(4, 1), atol=1e-3)


def test_a_walk_to_where_it_began_stays():
  here = jnp.ones((1, 3))
  np.testing.assert_allclose(latents.interpolated(here, here, 4), jnp.ones((1, 4, 3)), atol=1e-6)


def test_one_latent_alone_moves():
  z = latents.traversed(jnp.array([5., 6., 7.]), jnp.array([2, 0]), 3, reach=1.)
  assert z.tolist() == [[[5, 6, -1], [5, 6, 0], [5, 6, 1]], [[-1, 6, 7], [0, 6, 7], [1, 6, 7]]]


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return training.trained(tmp_path_factory.mktemp('run'), '--conditional', '--steps=2',
                          '--network=mlp', '--prior=flow', '--prior_layers=2', '--prior_hidden=4',
                          name='mnist_vae')


def test_the_program_writes_two_pictures(run, tmp_path, monkeypatch):
  values = program.flags.FlagValues()
  program.define_flags(values)
  values(['latents', f'--run={run}', f'--out={tmp_path}', '--rows=5', '--columns=4'])
  monkeypatch.setattr(program, 'FLAGS', values)
  program.main()
  for name, rows in (('interpolation', 5), ('traversal', 3)):  # of three latents
    with Image.open(tmp_path / f'{name}.png') as picture:
      assert picture.size == (4 * 28, rows * 28)


def test_rows_are_of_their_labels_and_latents_that_do_most_come_first(run):
  model = experiments.load(run)
  dim = model.run.decoder.latent_dim

  def apply(params, variables, z, label):
    """The label as a grey, and the last latents do most."""
    value = .05 * label + jnp.sum(z * jnp.arange(dim)[None] / 100, 1)
    return jnp.clip(value, -1, 1)[:, None, None, None] * jnp.ones((1, 2, 2, 1))
  model = model._replace(run=model.run._replace(decoder=runs.Decoder(dim, apply)))
  a, b = (latents.walks(model, rows=3, columns=2, label=x) for x in (None, 0))
  gap = a['interpolation'].astype(int) - b['interpolation']
  assert gap[:2].max() == 0 and gap[2:4].min() > 0 and gap[4:].min() > gap[2:4].max()
  swing = np.abs(np.diff(a['traversal'].astype(int)[::2, ::2, 0]))[:, 0]
  assert swing[0] > swing[1] > swing[2] == 0


@pytest.mark.parametrize('change, options, error, message', [
    (dict(decoder=None), {}, runs.RunError, 'nothing to walk through'),
    ({}, dict(label=10), runs.RunError, 'label 10: expected one of 0 to 9'),
    (dict(num_classes=None), dict(label=1), runs.RunError, 'the run is not conditional'),
    ({}, dict(rows=0), ValueError, 'rows=0'), ({}, dict(columns=1), ValueError, 'columns=1')])
def test_walks_that_cannot_be_are_refused(run, change, options, error, message):
  model = experiments.load(run)
  model = model._replace(run=model.run._replace(**change))
  with pytest.raises(error, match=message):
    latents.walks(model, **options)

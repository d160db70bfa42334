"""Reflow: pairs of noise and image of a flow that is known, and of runs on disk."""
import pathlib
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest
import training

from common import experiments
from jaxsynth import runs, train_step as ts
from jaxsynth.data import two_d
from jaxsynth.metrics import points
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.objectives import fields, solvers
from jaxsynth.objectives.flow_matching import flow_matching
from jaxsynth.objectives.reflow import reflow
from jaxsynth.types import Context

pytestmark = pytest.mark.long

SCALE, SHIFT = .3, .1  # of the teacher's images: linear in the noise
CONTEXT = Context(jnp.int32(0), jax.random.key(4))
BATCH = objectives.batch()


def straight(x, t):
  """The velocity of lines from z to `SHIFT + SCALE z`: `x_t = t SHIFT + (t SCALE + 1 - t) z`."""
  t = t.reshape(-1, *[1] * (x.ndim - 1))
  return SHIFT + (SCALE - 1) * (x - t * SHIFT) / (t * SCALE + 1 - t)


class Straight:
  """`factor` times it, as a network with one parameter."""

  def init(self, rngs, *args, train):
    return {'params': {'factor': jnp.ones(())}}

  def apply(self, variables, x, t, *, train, **_):
    y = variables['params']['factor'] * straight(x, t)
    return (y, {}) if train else y


def known(steps=1):
  flow = flow_matching(Straight(), objectives.SHAPE, solver=solvers.euler, solver_steps=steps)
  return flow, reflow(flow, flow, lambda: flow.init(jax.random.key(0), BATCH))


def test_lines_that_do_not_cross_are_learned_without_any_error():
  """Of the same images with any noise there is an error that no network removes."""
  flow, objective = known()
  params, variables = objective.init(jax.random.key(0), BATCH)
  keys = jax.random.split(jax.random.key(1), 8)
  images = objective.sample(params, variables, keys, None)
  np.testing.assert_allclose(
      images, SHIFT + SCALE * fields.beginnings(keys, objectives.SHAPE), atol=1e-6)
  losses, (after, _) = objective.loss(params, variables, BATCH, CONTEXT)
  assert losses['flow'] < 1e-10
  assert flow.loss(params, {'flow': {}}, {'image': images}, CONTEXT)[0]['flow'] > .02
  jax.tree.map(np.testing.assert_array_equal, after, variables)


def test_it_is_flow_matching_of_the_pairs():
  """Each image drawn for its label from the noise that is mixed with it."""
  objective = objectives.tiny_reflow(3)
  params, variables = objective.init(jax.random.key(0), BATCH)
  moved = jax.tree.map(lambda x: 1.1 * x, params)  # the teacher stays
  key_pairs, key_student = jax.random.split(CONTEXT.key)
  keys = jnp.stack([jax.random.fold_in(key_pairs, i) for i in range(8)])
  images = objectives.tiny_flow(num_classes=3, solver_steps=3).sample(
      params, variables, keys, BATCH['label'])
  noise = jnp.stack([jax.random.normal(jax.random.split(key)[0], objectives.SHAPE) for key in keys])
  pairs = {'image': images, 'label': BATCH['label'], 'noise': noise}
  expected = objectives.tiny_flow(num_classes=3).loss(
      moved, variables, pairs, CONTEXT._replace(key=key_student))[0]['flow']
  others = {**BATCH, 'image': 0 * BATCH['image']}
  for batch in (BATCH, others):
    losses, _ = objective.loss(moved, variables, batch, CONTEXT)
    np.testing.assert_allclose(losses['flow'], expected, rtol=1e-5)


def test_labels_of_the_data_do_not_trouble_a_flow_without():
  objective = objectives.tiny_reflow()
  loss, _ = objective.loss(*objective.init(jax.random.key(0), BATCH), BATCH, CONTEXT)
  assert jnp.isfinite(loss['flow'])


def test_a_teacher_of_another_network_is_refused():
  wide = flow_matching(TimeMLP(9, 1), objectives.SHAPE)
  thin = objectives.tiny_flow()
  objective = reflow(thin, wide, lambda: wide.init(jax.random.key(0), BATCH))
  with pytest.raises(ValueError, match='the teacher has another network: its .* is .*9.*, expected'
                                       '.*8.*; give the student the same sizes'):
    objective.init(jax.random.key(0), BATCH)


@pytest.mark.slow
def test_one_step_is_learned_from_a_teacher_of_many():
  """Eight Gaussians, of which one step of the teacher's field makes one heap."""
  eight, shape = two_d.eight_gaussians(), (1, 1, 2)
  flow = lambda **options: flow_matching(TimeMLP(64, 2), shape, **options)
  teacher, student = flow(solver_steps=8), flow(solver=solvers.euler, solver_steps=1)

  def learned(objective, steps):
    algorithm = ts.build(objective, {'flow': optax.adam(
        optax.cosine_decay_schedule(1e-2, steps))}, ema=ts.EMA(('flow',)))
    draw = jax.jit(lambda k: {'image': two_d.as_images(eight.draw(jax.random.key(k), 256))})
    state, step = algorithm.init(jax.random.key(0), draw(0)), ts.jit(algorithm.step)
    for k in range(steps):
      state, _ = step(state, draw(k), jax.random.key(1))
    return ts.averaged(state)
  trained = learned(teacher, 1000)
  straightened = learned(reflow(student, teacher, lambda: trained), 500)
  keys = jax.random.split(jax.random.key(2), 2000)
  aim = jax.jit(teacher.sample)(*trained, keys, None).reshape(-1, 2)
  distance = lambda model: points.sliced_wasserstein(
      jax.jit(student.sample)(*model, keys, None).reshape(-1, 2), aim)
  assert distance(trained) > .2 and distance(straightened) < distance(trained) / 5


FLAGS = ('--conditional', '--steps=2', '--checkpoint_every=1')


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
  """The folder of a flow, made once."""
  return training.trained(tmp_path_factory.mktemp('teacher'), *FLAGS, name='mnist_flow')


def taught(folder, teacher, *given):
  return training.trained(folder, *FLAGS, f'--teacher={teacher}', '--solver=euler',
                          '--solver_steps=1', *given, name='mnist_flow')


def test_a_student_goes_on_to_the_same_bits_and_draws_without_its_teacher(teacher, tmp_path):
  gone = tmp_path / 'gone'
  shutil.copytree(teacher, gone)
  whole, pieces = tmp_path / 'whole', tmp_path / 'pieces'
  taught(whole, gone)
  taught(pieces, gone, '--steps=1')
  taught(pieces, gone)
  digests = [(folder / 'checkpoints/2/digest/metadata').read_bytes() for folder in (whole, pieces)]
  assert digests[0] == digests[1]
  shutil.rmtree(gone)
  model = experiments.load(whole, sampling={'solver_steps': 3})
  images, labels = runs.own_samples(model, 4)
  assert images.shape == (4, 28, 28, 1) and labels.tolist() == [0, 1, 2, 3]
  before = experiments.load(teacher)
  with pytest.raises(AssertionError):
    jax.tree.map(np.testing.assert_array_equal, before.params, model.params)


@pytest.mark.parametrize('given, message', [
    (['--width=8'], 'the teacher has another network'),
    (['--noconditional'], '--conditional=True, expected False'),
    (['--prediction=data'], '--prediction=velocity, expected data'),
    (['--teacher=/nowhere'], 'no run there')])
def test_a_teacher_that_does_not_fit_is_refused_before_any_step(teacher, tmp_path, given, message):
  with pytest.raises((runs.RunError, ValueError, FileNotFoundError), match=re.escape(message)):
    taught(tmp_path / 'run', teacher, *given)
  assert not list(pathlib.Path(tmp_path).rglob('metrics.jsonl'))


def test_a_teacher_of_another_family_is_refused(tmp_path):
  folder = training.trained(tmp_path / 'vae', *FLAGS, name='mnist_vae')
  with pytest.raises(runs.RunError, match='is no flow; name the --workdir of one that mnist_flow'):
    taught(tmp_path / 'run', folder)


def test_a_guide_is_an_earlier_checkpoint_of_a_trained_run(tmp_path):
  with pytest.raises(runs.RunError, match='--guide_step=2: samples are guided by a check'):
    training.trained(tmp_path / 'no', '--steps=2', '--guide_step=2', name='mnist_flow')
  training.trained(tmp_path, '--steps=4', '--checkpoint_every=2', name='mnist_flow')
  with pytest.raises(FileNotFoundError, match=r'the guide: .*no checkpoint 3, only \[2, 4\]; '
                     '--keep_every keeps'):
    experiments.load(tmp_path, sampling={'guide_step': 3})
  model = experiments.load(tmp_path, sampling={'guide_step': 2, 'guidance': 2.})
  assert model.provenance['guide_step'] == 2 and 'guide' in model.variables
  plain = runs.own_samples(experiments.load(tmp_path), 8)[0]
  assert np.any(runs.own_samples(model, 8)[0] != plain)

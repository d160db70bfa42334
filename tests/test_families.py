"""Every family of models, found by looking into experiments/, against every law of a family."""
import json
import pathlib

from absl import flags as absl_flags
import chex
from common import experiments
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tiers
import training

from jaxsynth import parallel, runs, train_step as ts
from jaxsynth.data.classes import names_of
from jaxsynth.data.kinded import kind_of

ROOT = pathlib.Path(__file__).parent.parent
NAMES = experiments.names()
EVERY = tiers.every('name', NAMES, NAMES[:1])
FLAGS = ('--conditional', '--steps=4', '--checkpoint_every=2', '--num_synthetic=20')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
  """The folder of a run of each family, made once."""
  folders: dict[str, pathlib.Path] = {}

  def of(name):
    if name not in folders:
      folder = tmp_path_factory.mktemp(name)
      folders[name] = training.trained(folder, *FLAGS, *training.data_of(name), name=name)
    return folders[name]
  return of


def digest(folder, step=4):
  return json.loads((folder / f'checkpoints/{step}/digest/metadata').read_text())


def test_there_are_families():
  assert 'mnist_dcgan' in NAMES and not {'synthesize', 'pipeline'} & set(NAMES)


@EVERY
def test_a_family_is_a_short_program_with_a_flagfile(name):
  text = (ROOT / f'experiments/{name}.py').read_text()
  assert len(text.splitlines()) <= 120 and (ROOT / f'experiments/flags/{name}.flags').is_file()
  module = experiments.program(name)
  assert isinstance(module.SAMPLING, tuple)
  assert set(module.SAMPLING) <= set(training.config_of('--conditional', name=name))


@EVERY
def test_a_run_is_recorded_loaded_and_drawn_from(name, trained):
  record = json.loads((trained(name) / 'config.json').read_text())
  assert record['experiment'] == name and record['flags']['conditional']
  model = experiments.load(trained(name))
  source = training.source_of(name)
  assert model.run.num_classes == source.num_classes and model.run.summary[:1].isupper()
  drawn, labels = runs.own_samples(model, 20)
  with np.load(trained(name) / 'synthetic.npz') as arrays:
    rounded = drawn.dtype == np.uint8
    np.testing.assert_allclose(drawn.astype(float), arrays[model.kind.plural].astype(float),
                               atol=int(rounded))
    np.testing.assert_array_equal(labels, arrays['labels'])
    assert arrays['class_names'].tolist() == list(names_of(source))


@EVERY
def test_a_run_in_two_pieces_is_the_same_bits(name, trained, tmp_path):
  for steps in ('--steps=2', '--steps=4'):
    training.trained(tmp_path, *FLAGS, *training.data_of(name), steps, name=name)
  assert digest(tmp_path) == digest(trained(name))
  for left in ('metrics.jsonl', 'synthetic.npz'):
    assert (tmp_path / left).read_bytes() == (trained(name) / left).read_bytes()


# flags that do nothing unless another is given, and what is then given of both
BESIDE = {'guidance_start': ({'guidance': 3.}, .6), 'guidance_end': ({'guidance': 3.}, .4),
          'guide_step': ({'guidance': 3.}, 2)}


def another(name, flag, value):
  """Twice a number, or the next of the values of a choice."""
  values = absl_flags.FlagValues()
  experiments.program(name).define_flags(values)
  choices = getattr(values[flag].parser, 'enum_values', None)
  return choices[choices.index(value) - 1] if choices else 2 * value


@EVERY
def test_flags_of_sampling_change_samples_and_no_others_are_taken(name, trained):
  for flag in experiments.program(name).SAMPLING:
    beside = BESIDE[flag][0] if flag in BESIDE else {}
    plain = experiments.load(trained(name), sampling=beside)
    value = BESIDE[flag][1] if beside else another(name, flag, plain.record['flags'][flag])
    other = experiments.load(trained(name), sampling={**beside, flag: value})
    assert other.digest == plain.digest and other.provenance[flag] == value
    assert flag not in plain.provenance
    assert np.any(runs.own_samples(other, 8)[0] != runs.own_samples(plain, 8)[0])
  with pytest.raises(runs.RunError, match='--steps: fixed by the training'):
    experiments.load(trained(name), sampling={'steps': 9})


@EVERY
def test_its_decoder_is_what_samples_come_from(name, trained):
  model = experiments.load(trained(name))
  if model.run.decoder is None:
    return
  z = jax.random.normal(jax.random.key(0), (3, model.run.decoder.latent_dim))
  images = model.run.decoder.apply(model.params, model.variables, z, jnp.arange(3))
  chex.assert_shape(images, (3, *model.kind.shape))
  assert float(jnp.abs(images).max()) <= 1


@pytest.mark.long
@EVERY
def test_devices_share_a_step(name):
  """Shared by two devices: one device's numbers (SGD, no dropout), and all players move.

  In every way that there is for the first family; the others' objectives are in the contract table.
  """
  flags = training.config_of('--conditional', name=name)
  flags |= {flag: 0. for flag in ('dropout',) if flag in flags}
  source = training.source_of(name)
  some = source.take(np.arange(0, source.size, source.size // 8)[:8])
  batch = jax.tree.map(np.asarray, dict(kind_of(source).in_model(some)))

  def stepped(how, n):
    axis = parallel.axis_name(how)
    run = experiments.program(name).build(flags, training.about(name, axis))
    run = run._replace(optimizers={player: optax.sgd(1e-3) for player in run.optimizers})
    algorithm = run.algorithm(axis)
    state = jax.jit(algorithm.init)(jax.random.key(1), batch)
    before = jax.device_get(state)
    step = parallel.compiled(algorithm.step, how, jax.devices()[:n], phases=run.phases,
                             like=state)
    placed = jax.tree.map(lambda x: step.put_batch(np.asarray(x)), batch)
    return before, jax.device_get(step.step(step.put_state(state), placed, jax.random.key(2)))

  before, alone = stepped('jit', 1)
  for how in parallel.MANY if name == NAMES[0] else parallel.MANY[:1]:
    chex.assert_trees_all_close(stepped(how, 2)[1], alone, rtol=1e-5, atol=1e-5)
  for player in before.params:
    changed = jax.tree.map(lambda old, new: bool((old != new).any()), before.params[player],
                           alone[0].params[player])
    assert any(jax.tree.leaves(changed)), player
  assert set(ts.averaged(alone[0])[0]) == set(before.params)


@EVERY
def test_labels_are_asked_for_where_there_are_none(name):
  flags = training.config_of('--conditional', name=name)
  with pytest.raises(runs.RunError, match='--conditional: grey has no labels'):
    experiments.program(name).build(flags, training.about(name)._replace(
        num_classes=None, name='grey'))

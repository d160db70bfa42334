"""The table of stages: what each reads, when it does not apply, and whose labels it draws."""
import importlib
import pathlib
import sys

from absl import flags
from common import experiments, sampling_flags
import pytest
from stages import options as pipeline_options, plan, training
from stages.stage import NAMES

from jaxsynth import runs
from jaxsynth.data import DatasetSpec
from test_pipeline_flags import values_of

ROOT = pathlib.Path(__file__).parent.parent
SPLITS = {'validation_split': None, 'test_split': None}


def options(**changed):
  o = plan.Options('/o', DatasetSpec(), SPLITS, 'x', 0,
                   training.Training('mnist_dcgan', 't.flags', ('--conditional',), {}),
                   downstream={'steps': '5'})
  return o._replace(**changed)


def collection(classes=(30, 10), validation='validation'):
  return {'dataset': 'mnist5k', 'names': list('ab'), 'sets': {
      'train': {'size': 40, 'classes': list(classes), 'sha256': 'y', 'shapes': {'28x28x1': 40}}},
          'roles': {'train': 'train', 'validation': validation, 'test': 'test'}}


def table(o, found, labelled=True):
  return {stage.name: stage for stage in [
      plan.collect(o), *plan.after_collect(o, found, labelled)]}


def test_the_stages_are_the_articles_and_read_what_is_before_them():
  stages = table(options(filters='density', keep=.9), collection())
  assert tuple(stages) == NAMES
  for i, stage in enumerate(stages.values()):
    assert set(stage.reads) <= set(NAMES[:i])
    for script, *_ in stage.commands:
      assert (ROOT / 'experiments' / script).exists()
  draw, score = stages['filter'].commands
  assert {'--filters=density', '--keep=0.9', '--name=synthetic_filtered', '--num=40',
          '--labels=30,10', '--validation_split=validation'} <= set(draw)
  assert '--synthetic=/o/data/synthetic_filtered/1.0.0' in score
  assert '--synthetic=/o/data/synthetic_filtered/1.0.0' in stages['downstream'].commands[0]
  assert '--steps=5' in stages['downstream'].commands[0]
  assert stages['train'].keeps == runs.RESUMABLE


def test_an_audit_asks_the_set_and_the_model_and_leaves_its_lines():
  plain, stages = table(options(), collection()), table(options(audit=True), collection())
  filtered = table(options(audit=True, filters='density'), collection())
  for command in (stages['assess'].commands[0], filtered['filter'].commands[1]):
    assert {'--audit', '--run=/o/train'} <= set(command)
  assert set(stages['assess'].outputs) - set(plain['assess'].outputs) == {'assess/audit.jsonl'}
  assert 'train' in stages['assess'].reads and '--audit' not in plain['assess'].commands[0]
  nothing = collection()
  nothing['roles']['train'] = None
  with pytest.raises(ValueError, match='--audit needs real images that were not learned from'):
    table(options(audit=True), nothing)


def test_an_earlier_version_gave_the_same_commands():
  """Those in its records, so that what it made is not made again."""
  stages = table(options(data=DatasetSpec('mnist', 'train[:9]', image_size=(32, 32), channels=1,
                                          fit='pad', label_key=None)), collection())
  data = ('--image_size=32,32', '--channels=1', '--fit=pad')
  assert stages['collect'].commands[0] == (
      'collect.py', '--dataset=mnist', '--label_key=', *data, '--split=train[:9]',
      '--report=/o/collect')
  assert stages['train'].commands[0] == (
      'mnist_dcgan.py', '--flagfile=t.flags', '--dataset=mnist', '--label_key=', *data,
      '--split=train[:9]', '--seed=0', '--workdir=/o/train')
  assert stages['train'].about == {'flags': '--conditional', 'data': 'y'}
  assert stages['synthesise'].commands[0] == (
      'synthesize.py', '--run=/o/train', '--num=40', '--out=/o/data', '--seed=0',
      '--labels=30,10', '--name=synthetic')


@pytest.mark.parametrize('name', NAMES)
def test_the_programs_know_the_flags_that_they_are_given(name):
  o = options(data=DatasetSpec('mnist', 'train[:9]', '/tfds', image_size=(32, 32), channels=1),
              splits={'validation_split': 'a', 'test_split': 'b'}, seed=3, keep=.9,
              engine=training.Training('mnist_dcgan', None, (), {}), require='recall>=.5',
              sampling=('--temperature=2.0',), filters='density,copies', downstream={
                  'sizes': '10,all', 'parts': '.5', 'seeds': '2', 'steps': '5'})
  for program, *args in table(o, collection())[name].commands:
    module = importlib.import_module(program.removesuffix('.py').replace('/', '.'))
    values = flags.FlagValues()
    module.define_flags(values)
    if program == 'synthesize.py':
      sampling_flags.define(experiments.program('mnist_dcgan'), values)
    assert values([program, *args]) == [program]


def test_what_does_not_apply_and_what_cannot_be():
  stages = table(options(), collection(), labelled=False)
  assert stages['filter'].why_not and 'labels' in stages['downstream'].why_not
  assert not [x for x in stages['synthesise'].commands[0] if x.startswith('--labels')]
  with pytest.raises(ValueError, match='name them by --validation_split'):
    table(options(require='recall>=.5'), collection(validation=None))
  gated = table(options(require='recall>=.5'), collection())
  assert '--require=recall>=.5' in gated['synthesise'].commands[0]
  assert gated['synthesise'].rejection == 3
  both = table(options(require='recall>=.5', filters='density'), collection())
  assert '--require=recall>=.5' not in both['synthesise'].commands[0]
  assert both['synthesise'].rejection is None and both['filter'].rejection == 3


def test_pseudo_labels_reach_both_sets_and_make_unconditional_models_useful():
  stages = table(options(pseudo_labels=True, sampling=('--temperature=1.5',),
                         filters='classifier'), collection(), labelled=False)
  for stage in ('synthesise', 'filter'):
    assert {'--pseudo_labels', '--temperature=1.5', '--validation_split=validation'} <= set(
        stages[stage].commands[0])
    assert 'collect' in stages[stage].reads
  assert not stages['downstream'].why_not
  for changed, found, labelled, message in (
      ({}, collection(classes=()), False, '--pseudo_labels, but mnist5k has no labels'),
      ({}, collection(validation=None), False, 'name them by --validation_split'),
      ({'filters': 'copies,classifier'}, collection(), True, 'leave one')):
    with pytest.raises(ValueError, match=message):
      table(options(**{'pseudo_labels': True, **changed}), found, labelled)


FLOW = '''
from absl import flags
from common import train
from jaxsynth import runs

SAMPLING = ('solver_steps', 'guided')


def define_flags(values):
  train.define(values)
  flags.DEFINE_integer('solver_steps', 50, 'Of samples.', lower_bound=1, flag_values=values)
  flags.DEFINE_bool('guided', True, 'Of samples.', flag_values=values)


def build(config, about):
  assert about.image_shape == (32, 32, 1)
  return runs.Run(None, {}, num_classes=about.classes_if(config['conditional']),
                  summary='A toy flow')
'''


@pytest.fixture
def flow(tmp_path, monkeypatch):
  """A flagfile of a family of models that nobody knows of, and that family."""
  (tmp_path / 'programs').mkdir()
  (tmp_path / 'programs/toy_flow.py').write_text(FLOW)
  monkeypatch.setattr(experiments, 'HERE', tmp_path / 'programs')
  monkeypatch.setitem(sys.modules, 'experiment_toy_flow', None)
  monkeypatch.delitem(sys.modules, 'experiment_toy_flow')
  path = tmp_path / 'flow.flags'
  path.write_text('--conditional\n--solver_steps=9\n')
  return path


def test_any_family_of_models_goes_through_the_stages(flow):
  given = lambda *args: pipeline_options.given(values_of(
      '--out=/o', f'--train_flags={flow}', '--image_size=32,32', *args, experiment='toy_flow'))
  o = given('--solver_steps=7', '--noguided', '--filters=density')
  assert o.sampling == ('--solver_steps=7', '--noguided')
  labelled = training.gives_labels(o.engine, o.data, collection())
  assert labelled is True
  stages = table(o, collection(), labelled)
  assert stages['train'].commands[0][0] == 'toy_flow.py'
  for stage in ('synthesise', 'filter'):
    assert {'--solver_steps=7', '--noguided'} <= set(stages[stage].commands[0])
  assert given('--solver_steps=9', '--guided').sampling == ()  # as in training
  flow.write_text('--conditional\n--noconditional\n')
  unconditional = given().engine
  assert not training.gives_labels(unconditional, o.data, collection(classes=()))
  with pytest.raises(ValueError, match='flow.flags: toy_flow.py: --conditional: mnist5k has no '
                                       'labels'):
    training.gives_labels(o.engine, o.data, collection(classes=()))


@pytest.mark.parametrize('arg', ['--temperature=2', '--solver_steps=0'])
def test_flags_of_sampling_are_those_of_the_experiment(flow, arg):
  with pytest.raises(flags.Error, match=arg[2:arg.index('=')]):
    values_of('--out=/o', arg, experiment='toy_flow')


@pytest.mark.parametrize('counts, num', [([1214, 3494], 5000), ([1, 1, 1], 100), ([0, 7], 3)])
def test_proportions_add_up_and_are_nearest(counts, num):
  shares = plan.proportions(counts, num)
  assert sum(shares) == num
  assert all(abs(n - num * c / sum(counts)) < 1 for n, c in zip(shares, counts))

"""The pipeline whose engine is a rule: its stages, its refusals, its page, and stopped runs."""
import json
import pathlib
import subprocess
import sys
import time

from absl import flags
from common import sampling_flags
import numpy as np
import pipeline
import pytest
from stages import collected, options as pipeline_options, plan, record as records, result
from stages import rule_engine, rule_items
from stages.rule_engine import RuleEngine

from jaxsynth.data import DatasetSpec, ruled
from jaxsynth.rules import named
from jaxsynth.runs.ruled import of_rule
from test_pipeline_flags import values_of
from test_pipeline_stages import SPLITS

ROOT = pathlib.Path(__file__).parent.parent
SHAPES = named.of_name('shapes').class_names
SMALL = '{"image_size": [12, 12], "shape": ["square", "ring"]}'
NOISY = '{"image_size": [12, 12], "shape": ["ring", "square"], "noise": 20}'


def engine(name='shapes', spec=None):
  return RuleEngine(name, named.of_name(name, spec))


def options(spec=None, data='rule:shapes', **changed):
  return plan.Options('/o', DatasetSpec(data), SPLITS, 'x', 0, engine(spec=spec))._replace(
      **changed)


def collection(names=SHAPES, shape='28x28x1', counts=None):
  counts = list(range(2, 2 + len(names))) if counts is None else counts
  return {'dataset': 'toys', 'names': list(names), 'sets': {'train': {
      'size': 40, 'classes': counts, 'sha256': 'y', 'shapes': {shape: 40}}},
          'roles': {'train': 'train', 'validation': 'validation', 'test': 'test'}}


def table(o, found, labelled=True):
  return {stage.name: stage for stage in plan.after_collect(o, found, labelled)}


def test_a_rule_draws_where_a_run_would():
  stages = table(options('{"radius": 0.3}'), collection())
  assert stages['train'].why_not and not stages['train'].commands
  assert stages['synthesise'].commands[0] == (
      'synthesize.py', '--rule=shapes', '--spec={"radius": [0.3, 0.3]}', '--num=40',
      '--out=/o/data', '--seed=0', '--labels=2,3,4,5,5,6,7,8', '--name=synthetic')
  assert stages['synthesise'].reads == () and stages['assess'].reads == ('collect', 'synthesise')
  assert stages['filter'].why_not and not stages['downstream'].why_not
  assert '--real=rule:shapes' in stages['downstream'].commands[0]
  assert not [x for x in table(options(), collection())['synthesise'].commands[0]
              if x.startswith('--spec')]


def test_classes_are_counted_in_the_order_of_the_rule():
  found = collection(('square', 'ring'), '12x12x1', [10, 30])
  assert rule_engine.label_counts(engine(spec=NOISY), found) == [30, 10]
  draw, = table(options(NOISY, num=8), found)['synthesise'].commands
  assert '--labels=6,2' in draw
  numbers = collection(('0', '1'), '12x12x1', [10, 30])  # names that nobody has given
  rule_engine.check_fits(engine(spec=NOISY), DatasetSpec(), numbers)
  assert rule_engine.label_counts(engine(spec=NOISY), numbers) == [10, 30]


def test_data_without_labels_are_scored_and_teach_no_classifier():
  found = collection((), counts=[])
  rule_engine.check_fits(engine(), DatasetSpec(), found)
  stages = table(options(), found)
  assert stages['downstream'].why_not == (
      'a classifier needs labels, and toys has none; see --judges')
  assert not stages['assess'].why_not
  assert not [x for x in stages['synthesise'].commands[0] if x.startswith('--labels')]


@pytest.mark.parametrize('args, message', [
    (['--experiment=mnist_dcgan'], '--experiment: only without --rule'),
    (['--train_flags=x.flags'], '--train_flags: only without --rule, which is written down'),
    (['--filters=copies'], '--filters: only without --rule'),
    (['--pseudo_labels'], '--pseudo_labels: only without --rule'),
    (['--require=frechet<=1'], '--require: only without --rule'),
    (['--temperature=2'], '--temperature: only without --rule'),
    (['--spec={"radius": 3}'], r'--spec: radius=\[3, 3\]: expected numbers'),
    (['--spec={"radios": 3}'], '--spec: radios: no such field'),
    (['--rule=heart'], '--rule=heart: its examples are .*series; expected a rule of pictures'),
    (['--rule=scenes', '--spec={"frames": 4}'], '--spec: frames=4: the rule scenes then draws')])
def test_what_a_rule_cannot_be_given_is_refused(args, message):
  values = flags.FlagValues()
  pipeline_options.define(values)
  sampling_flags.define(pipeline_options.program('mnist_dcgan'), values)
  values(['pipeline.py', '--out=/o', '--rule=shapes', *args])
  with pytest.raises(ValueError, match=message):
    pipeline_options.given(values)


def test_a_spec_is_of_a_rule():
  with pytest.raises(flags.Error, match='expected --rule beside --spec'):
    values_of('--out=/o', '--spec={}')
  with pytest.raises(flags.Error, match='shapes'):
    values_of('--out=/o', '--rule=squares')


@pytest.mark.parametrize('of, data, found, message', [
    (engine(), DatasetSpec(), collection(shape='32x30x1'),
     r'--spec: image_size=\[28, 28\]: the rule shapes draws images of 28x28x1, and those of toys '
     r'are 32x30x1.*as --spec={"image_size": \[32, 30\]} or --image_size=28,28 --channels=1 would'),
    (engine(), DatasetSpec('rule:shapes'), collection(shape='28x28x3'),
     r'--spec: channels=1: .*as --spec={"channels": 3} would'),
    (engine('levels'), DatasetSpec(), collection(shape='28x28x3'),
     r'--spec: cells=\[5, 5\], tile_size=8: .*as --image_size=88,88 --channels=3 would'),
    (engine('scenes'), DatasetSpec(image_size=(120, 160)), collection(),
     '--rule=scenes: the rule scenes draws images of 120x160x3, and those of toys are 120x160x1'),
    (engine(), DatasetSpec(), collection(('ring', 'cat')),
     '--spec: shape: the classes of the rule shapes and of toys do not fit: .*toys has ring, cat'),
    (engine(), DatasetSpec(), collection(('ring', 'star')),
     r'by the same names; --spec={"shape": \["ring", "star"\]} would'),
    (engine(spec='{"shape": ["ring", "star"]}'), DatasetSpec(), collection(('ring', 'star'),
                                                                           counts=[0, 4]),
     'toys has star')])
def test_a_rule_that_does_not_fit_the_data_is_refused(of, data, found, message):
  with pytest.raises(ValueError, match=message):
    pipeline.gives_labels(plan.Options('/o', data, SPLITS, 'x', 0, of), found)


@pytest.mark.long
def test_an_engine_of_the_datas_own_spec_draws_other_images():
  """A data set's splits and an engine's samples are streams apart, whatever the seed."""
  model = of_rule('shapes', named.of_name('shapes', SMALL))
  drawn = {x.tobytes() for seed in range(3) for piece in model.streamer(seed, block=64)(0, 64)
           for x in piece.arrays['image']}
  assert len(drawn) == 192
  for split in ('train', 'validation', 'test'):
    source = ruled.rule_source(f'rule:shapes{SMALL}', split, ('image',))
    assert not drawn & {x.tobytes() for x in source.take(np.arange(64))['image']}


def test_the_engine_is_told_of_beside_the_data():
  told = lambda data: rule_items.sentence(engine(spec=NOISY), DatasetSpec(data))
  assert 'from another spec: there noise [0.0, 0.0]; here noise [20, 20].' in told(
      f'rule:shapes{SMALL}').replace('shape ["square", "ring"], ', '').replace(
          'shape ["ring", "square"], ', '')
  assert 'from the same spec, so chance alone' in told(f'rule:shapes{NOISY}')
  assert 'of its spec not as by default: image_size [12, 12]' in told('mnist5k')
  assert rule_items.sentence(engine(), None).endswith('; its spec is the default.')
  own, = rule_items.items(engine(spec='{"noise": 20}'), DatasetSpec('rule:shapes{"radius": 0.3}'))
  assert [(row[0], *row[3:]) for row in own.rows] == [
      ('radius', '[0.2, 0.4]', '[0.2, 0.4]', '[0.3, 0.3]'),
      ('noise', '[0.0, 0.0]', '[20, 20]', '[0.0, 0.0]')]
  note, = rule_items.items(engine(), DatasetSpec())
  assert 'as by default' in note.text
  assert rule_engine.of_about({'rule': 'gone', 'spec': '{}'}) is None
  assert rule_engine.of_about(engine(spec=NOISY).about).rule.spec == engine(spec=NOISY).rule.spec


ENGINE = ('--rule=shapes', f'--spec={NOISY}', '--num=200', '--features=pixels',
          '--downstream_sizes=all', '--downstream_parts=1', '--downstream_seeds=2',
          '--downstream_steps=3')
RULED = (f'--dataset=rule:shapes{SMALL}', '--split=train[:200]', '--test_split=test[:200]',
         '--validation_split=validation[:100]')


def files_of(folder):
  """Data that lie in files, with names for their classes: flags that name them."""
  paths = {split: folder / f'{split}.npz' for split in ('train', 'validation', 'test')}
  for split, path in paths.items():
    batch = ruled.rule_source(f'rule:shapes{SMALL}', split).take(np.arange(200))
    np.savez(path, images=batch['image'], labels=batch['label'], class_names=['square', 'ring'])
  return (f'--dataset={paths["train"]}', f'--test_split={paths["test"]}',
          f'--validation_split={paths["validation"]}')


def started(out, data):
  return subprocess.Popen([sys.executable, 'experiments/pipeline.py', f'--out={out}', *ENGINE,
                           *data], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def contents(out):
  """What the stages made, wherever it lies: numbers are beside the flags that they came of."""
  return {path: (out / path).read_bytes().replace(str(out).encode(), b'OUT')
          for name in ('collect', 'synthesise', 'assess', 'downstream')
          for path in records.read(out, name)['outputs']}


@pytest.mark.long
@pytest.mark.parametrize('log, ruled_too', [('synthesise', True), ('downstream', False)])
def test_all_stages_with_a_rule_killed_in_one_end_as_if_they_had_not_been(
    tmp_path, log, ruled_too):
  """From nothing to the page; a log is there once its program has started."""
  whole, parts = tmp_path / 'whole', tmp_path / 'parts'
  data = RULED if ruled_too else files_of(tmp_path)
  process = started(parts, data)
  while not (parts / f'logs/{log}.log').exists():
    assert process.poll() is None, process.communicate()[0]
    time.sleep(.05)
  process.kill()
  process.communicate()
  assert records.read(parts, log) is None
  for out in (whole, parts):
    process = started(out, data)
    assert process.wait() == 0, process.communicate()[0]
    process.communicate()
  assert contents(parts) == contents(whole)
  text = (parts / 'report.html').read_text()
  assert 'The engine is the rule shapes' in text and 'averaged model' not in text
  assert 'A model learns' not in text and 'Real images' in text
  credit = json.loads((parts / 'collect/collection.json').read_text())['credit']
  assert bool(credit) == ruled_too == ('drawn by the same rule' in text)
  done = {name: records.read(parts, name) for name in ('collect', 'train')}
  results = result.read(parts, done)
  assert results.data == (DatasetSpec(f'rule:shapes{SMALL}', 'train[:200]') if ruled_too else
                          DatasetSpec(str(tmp_path / 'train.npz')))
  assert collected.spec_of({'shown': ['python x.py --flag']}) is None

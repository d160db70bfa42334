"""Rules in the place of data and of models: sources, trainings, and data sets that are written."""
import json
import subprocess
import sys

from common import program as programs
import jax
import numpy as np
import pytest
import tiers
import training

from jaxsynth import data, runs
from jaxsynth.data import batches, examples, fingerprint, ruled, spec as specs
from jaxsynth.kinds import pictures
from jaxsynth.kinds.kind import Field, on_disk
from jaxsynth.rules import named, rule
from jaxsynth.runs.ruled import of_rule

SMALL = '{"image_size": [12, 16], "channels": 3, "count": 2, "saturation": [0.5, 1]}'
STREETS = '{"image_size": [16, 20], "samples": 1, "signs": 0, "trees": 1}'


def test_example_i_is_the_same_whoever_asks_for_it():
  source = ruled.rule_source(f'rule:shapes{SMALL}', 'train')
  assert (source.size, source.image_shape, source.num_classes) == (60000, (12, 16, 3), 8)
  some = np.random.default_rng(0).integers(0, 60000, 150)
  whole = source.take(some)
  for i in (0, 63, 64, 149):
    for name, x in source.take(some[i:i + 1]).items():
      np.testing.assert_array_equal(x[0], whole[name][i])
  assert {name: x.dtype for name, x in whole.items() if x.dtype != np.float32} == {
      'image': np.uint8, 'mask': np.uint8, 'instances': np.uint8, 'label': np.int32,
      'count': np.int32, 'objects/label': np.int32}
  later = ruled.rule_source(f'rule:shapes{SMALL}', 'train[100:200]')
  np.testing.assert_array_equal(later.take([3])['image'], source.take([103])['image'])
  endless = ruled.rule_source(f'rule:shapes{SMALL}', 'endless')
  np.testing.assert_array_equal(endless.take([3])['image'], source.take([3])['image'])
  other = ruled.rule_source(f'rule:shapes{SMALL}', 'test')
  assert (other.take([3])['image'] != source.take([3])['image']).any()
  assert source.take([])['image'].shape == (0, 12, 16, 3)
  with pytest.raises(IndexError, match=r'expected \[0, 60000\)'):
    source.take([60000])


def test_endless_data_come_in_order_and_never_twice():
  taken = [batches.indices(batches.ENDLESS, 4, 7, k) for k in range(3)]
  np.testing.assert_array_equal(np.concatenate(taken), np.arange(12))
  with pytest.raises(ValueError, match=r'it has no end; name a part, as endless\[:10000\]'):
    examples.read_split(data.DatasetSpec('rule:shapes'), 'endless')
  few = examples.read_split(data.DatasetSpec('rule:shapes'), 'test[:30]')
  assert few.name == 'rule:shapes/test[:30]' and few.images.shape == (30, 28, 28, 1)
  assert few.class_names[0] == 'circle' and set(few.labels) <= set(range(8))


@pytest.mark.parametrize('dataset, split, message', [
    ('rule:shape', 'train', 'shape: no such rule; expected shapes, scenes'),
    ('rule:shapes{"radius": 2}', 'train', r'radius=\[2, 2\]: expected numbers'),
    ('rule:shapes[3]', 'train', 'expected rule:NAME, rule:NAME'),
    ('rule:scenes{"frames": 2}', 'train', 'its examples are videos'),
    ('rule:shapes', 'best', '--split=best: expected train, validation, test, endless'),
    ('rule:shapes', 'train[9:3]', 'an empty part'),
])
def test_what_is_no_data_set_is_refused(dataset, split, message):
  with pytest.raises(ValueError, match=message):
    data.open_dataset(data.DatasetSpec(dataset, split))


def test_a_rule_has_its_own_size():
  with pytest.raises(ValueError, match='rule:shapes draws its own size; give it in the spec'):
    data.open_dataset(data.DatasetSpec('rule:shapes', image_size=(32, 32)))
  with pytest.raises(OSError, match='none.json'):
    data.open_dataset(data.DatasetSpec('rule:shapes@none.json'))


def test_a_spec_in_a_file_is_part_of_the_data(tmp_path, monkeypatch):
  path = tmp_path / 'mine.json'
  path.write_text(SMALL)
  spec = data.DatasetSpec(f'rule:shapes@{path}')
  assert specs.files_of(spec) == {'mine.json': path}
  assert specs.files_of(data.DatasetSpec('rule:shapes')) == {}
  monkeypatch.chdir(tmp_path)
  assert data.DatasetSpec('rule:shapes@mine.json').places['dataset'] == spec.dataset
  assert '"count": [2, 2]' in specs.credit(spec).description
  with pytest.raises(FileNotFoundError, match='none.json'):
    specs.files_of(data.DatasetSpec('rule:shapes@none.json'))


def test_what_has_no_end_is_not_counted():
  with pytest.raises(ValueError, match=r'it has no end.* as --split=endless\[:10000\]'):
    fingerprint.fingerprint(data.open_dataset(data.DatasetSpec('rule:shapes', 'endless')))


@tiers.every('split', ['train[:200]', 'endless'], ['endless'])
def test_a_family_trains_on_a_rule(tmp_path, split):
  """Without a file in between; stopped and gone on with it is the same run."""
  given = (f'--dataset=rule:shapes{SMALL}', f'--split={split}', '--conditional',
           '--eval_split=test[:400]', '--eval_every=2', '--eval_samples=200', '--num_synthetic=10')
  folder = training.trained(tmp_path / 'whole', *given, '--steps=4')
  record = json.loads((folder / 'config.json').read_text())
  assert record['data']['image_shape'] == [12, 16, 3] and record['data']['num_classes'] == 8
  assert record['data']['class_names'][:2] == ['circle', 'triangle']
  assert (folder / 'scores.jsonl').read_text().count('frechet_floor') == 2
  training.trained(tmp_path / 'parts', *given, '--steps=2')
  again = training.trained(tmp_path / 'parts', *given, '--steps=4')
  np.testing.assert_array_equal(*(np.load(x / 'synthetic.npz')['images'] for x in (folder, again)))


def written(folder, *given):
  return subprocess.run([sys.executable, str(programs.HERE / 'synthesize.py'), f'--out={folder}',
                         '--name=data', *given], text=True, capture_output=True, check=False)


@pytest.mark.long
def test_tfds_reads_nested_features_without_us(tmp_path):
  """Two workers' bytes are those of one, and the arrays those of the source of the same keys."""
  given = ['--rule=scenes', f'--spec={STREETS}', '--num=50', '--shards=2', '--block=16']
  for worker in (1, 0):
    assert not written(tmp_path / 'two', *given, f'--worker={worker}/2').returncode
  assert not written(tmp_path / 'one', *given).returncode
  files = sorted(path.name for path in (tmp_path / 'one/data/1.0.0').iterdir())
  assert files == sorted(path.name for path in (tmp_path / 'two/data/1.0.0').iterdir())
  for name in files:
    assert (tmp_path / 'one/data/1.0.0' / name).read_bytes() == (
        tmp_path / 'two/data/1.0.0' / name).read_bytes(), name
  code = '''
import sys, numpy as np, tensorflow_datasets as tfds
source = tfds.data_source('data', split='train', data_dir=sys.argv[1])
assert not {'jaxsynth', 'tensorflow'} & set(sys.modules)
x = [source[i] for i in range(50)]
np.savez(sys.argv[2], **{k: np.stack([e[k] for e in x]) for k in (
    'image', 'mask', 'depth')}, weather=[e['label'] for e in x],
         **{k: np.stack([e['objects'][k] for e in x]) for k in ('box', 'label')})
'''
  subprocess.run([sys.executable, '-c', code, str(tmp_path / 'one'), str(tmp_path / 'x.npz')],
                 check=True, capture_output=True)
  read = np.load(tmp_path / 'x.npz')
  model = of_rule('scenes', named.of_name('scenes', STREETS))
  pieces = list(model.streamer(0, block=16)(0, 50))
  for name, key in (('image', 'image'), ('mask', 'mask'), ('depth', 'depth'), ('weather', 'label'),
                    ('box', 'objects/box'), ('label', 'objects/label')):
    drawn = np.concatenate([p.arrays[key] for p in pieces])
    # another process compiles with other optimizations, which may round otherwise
    np.testing.assert_allclose(read[name], drawn, rtol=1e-5, atol=name == 'image')
  np.testing.assert_array_equal(read['weather'], np.arange(50) % 5)
  assert read['depth'].dtype == np.float32 and read['mask'].shape == (50, 16, 20, 1)
  about = json.loads((tmp_path / 'one/data/1.0.0/metadata.json').read_text())
  assert about['model']['flags']['rule'] == 'scenes' and about['synthetic'] is True
  assert about['model']['flags']['spec']['image_size'] == [16, 20]


@pytest.mark.parametrize('given, message', [
    (['--rule=shapes', '--num=3', '--filters=classifier'], '--filters: only without --rule'),
    (['--rule=shapes', '--num=3', '--spec={"radius": 3}'], r'radius=\[3, 3\]'),
    (['--num=3'], 'expected one of --run and --rule'),
    (['--rule=squares', '--num=3'], 'squares'),
])
def test_what_cannot_be_written_is_refused(tmp_path, given, message):
  done = written(tmp_path, *given)
  assert done.returncode == 1 and message.replace('\\', '') in done.stderr
  assert not list(tmp_path.iterdir())


@tiers.every('name', named.RULES, ('levels', 'heart'))
def test_every_rule_says_what_its_examples_are(name):
  text = {'scenes': STREETS, 'levels': '{"cells": [2, 3], "tile_size": 4}',
          'prices': '{"length": 9}', 'heart': '{"length": 32}'}.get(name, SMALL)
  of = named.of_name(name, text)
  kind = rule.kind_of(of)
  model = of_rule(name, of)
  piece, = model.streamer(1, block=4)(0, 4)
  assert set(piece.arrays) == set(kind.fields)
  for key, field in kind.fields.items():
    assert piece.arrays[key].shape == (4, *field.shape), key
    if field.form != 'class' and field.dtype != 'int64':
      assert piece.arrays[key].dtype == field.dtype, key
  shown = kind.shown(piece.arrays)
  assert shown.dtype == np.uint8 and shown.ndim == 4 and shown.shape[-1] in (1, 3)
  assert model.digest != of_rule(name, named.of_name(name)).digest
  with pytest.raises(TypeError, match='written down, and not learned'):
    model.run.objective.init(jax.random.key(0), {})


def test_videos_are_shown_side_by_side_and_written_as_frames():
  arrays = {'image': np.arange(2 * 5 * 4 * 3 * 1, dtype=np.uint8).reshape(2, 5, 4, 3, 1)}
  assert pictures.shown(arrays).shape == (2, 4, 12, 1)
  np.testing.assert_array_equal(pictures.shown(arrays)[:, :, :3], arrays['image'][:, 0])
  with pytest.raises(ValueError, match='expected image or series'):
    pictures.shown({'tiles': np.zeros(3)})
  assert on_disk(Field((2, 1)), jax.numpy.zeros((3, 2, 1))).dtype == np.uint8
  assert isinstance(of_rule('shapes', named.of_name('shapes')), runs.Trained)

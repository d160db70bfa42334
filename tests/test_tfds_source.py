"""Data sets prepared by tensorflow-datasets: written here without TensorFlow, and real."""
import importlib.util
import json
import pathlib
import subprocess
import sys

import numpy as np
from prepared import KINDS, png, write
import pytest
import tensorflow_datasets as tfds

from jaxsynth import data
from jaxsynth.data import spec

ROOT = pathlib.Path(__file__).parent.parent
REAL = ROOT.parent / 'shared/tfds'
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 5, 3), np.uint8)
LABELS = np.arange(12) % 3


def encoded(root, form='array_record', name='birds'):
  features = {'image': KINDS.Image(shape=(6, 5, 3)), 'label': KINDS.ClassLabel(num_classes=3),
              'raw': KINDS.Tensor(shape=(6, 5, 3), dtype=np.uint8),
              'size': KINDS.Scalar(np.int64), 'caption': KINDS.Text(),
              'depth': KINDS.Tensor(shape=(6, 5), dtype=np.float32)}
  return write(root, features, [
      {'image': png(x), 'raw': x, 'label': y, 'size': 7, 'caption': 'a bird',
       'depth': np.zeros((6, 5), np.float32)} for x, y in zip(IMAGES, LABELS)], form, name)


@pytest.fixture(scope='module')
def birds(tmp_path_factory):
  return encoded(tmp_path_factory.mktemp('tfds'))


@pytest.mark.parametrize('split, wanted', [
    ('train', slice(None)), ('test', slice(1)), ('train[:6]', slice(6)),
    ('train[6:]', slice(6, None)), ('train[25%:50%]', slice(3, 6)),
    ('train[-2:]', slice(-2, None))])
def test_splits_and_slices_across_shards(birds, split, wanted):
  source = data.tfds_source('birds', split, birds)
  assert (source.name, source.image_shape, source.num_classes) == ('birds', (6, 5, 3), 3)
  assert source.size == len(IMAGES[wanted])
  kept = data.in_memory(source)
  np.testing.assert_array_equal(kept.images, IMAGES[wanted])
  np.testing.assert_array_equal(kept.labels, LABELS[wanted])
  backwards = np.arange(source.size)[::-1]
  for key, want in kept.take(backwards).items():
    np.testing.assert_array_equal(source.take(backwards)[key], want)


def test_credit_is_what_the_data_set_says(tmp_path):
  path = encoded(tmp_path) / 'birds/1.0.0/dataset_info.json'
  assert data.tfds_credit('birds', tmp_path) == data.Credit('', '', '', '')
  said = json.loads(path.read_text()) | {
      'description': 'Birds.', 'citation': '@misc{birds}\n', 'location': {'urls': ['https://a.b']},
      'redistributionInfo': {'license': 'CC BY 4.0'}}
  path.write_text(json.dumps(said))
  assert data.tfds_credit(str(path.parent)) == data.Credit(
      'Birds.', 'https://a.b', '@misc{birds}', 'CC BY 4.0')


def test_versions_tensors_preprocessing_and_no_labels(birds):
  how = data.Preprocess((4, 4), 1)
  source = data.tfds_source('birds:1.0.0', 'train', str(birds), how, image_key='raw',
                            label_key=None)
  assert (source.image_shape, source.num_classes) == ((4, 4, 1), None)
  batch = source.take(np.array([5]))
  assert list(batch) == ['image']
  np.testing.assert_array_equal(batch['image'][0], data.preprocess_image(IMAGES[5], how))


@pytest.mark.parametrize('channels', [1, 3])
def test_images_have_the_channels_that_the_feature_says(tmp_path, channels):
  """Files of a colour data set may be grey inside, and the other way round."""
  features = {'image': KINDS.Image(shape=(None, None, channels)),
              'label': KINDS.ClassLabel(num_classes=3)}
  write(tmp_path, features, [{'image': png(x), 'label': 0}
                             for x in (*IMAGES[:5], IMAGES[5, ..., 0])])
  source = data.in_memory(data.tfds_source('birds', 'train', tmp_path))
  assert source.image_shape == (6, 5, channels)
  np.testing.assert_array_equal(source.images[5, ..., -1], IMAGES[5, ..., 0])


def test_unequal_and_unlabelled_examples_are_named(tmp_path):
  features = {'image': KINDS.Image(), 'label': KINDS.ClassLabel(num_classes=3)}
  write(tmp_path, features, [{'image': png(IMAGES[i, :6 - i // 5]), 'label': 0 if i else -1}
                             for i in range(6)])
  with pytest.raises(ValueError, match=r'example 5 of train is \[5, 5, 3\].*set an image size'):
    data.tfds_source('birds', 'train', tmp_path).take(np.array([5]))
  with pytest.raises(ValueError, match=r'example 0 of train has label -1, expected \[0, 3\)'):
    data.tfds_source('birds', 'train', tmp_path).take(np.array([0]))


@pytest.mark.parametrize('split, message', [
    ('dev', r"no split 'dev' \(Unknown.*it has test \(1\), train \(12\)"),
    ('train[:', r"no split 'train\[:' \(Error parsing.*such as 'train\[:55000\]'"),
    ('train[:13]', 'incompatible with 12 examples'),
    ('train[12:]', r"split 'train\[12:\]' has no examples"), ('train[5:2]', 'has no examples')])
def test_splits_that_are_refused(birds, split, message):
  with pytest.raises(ValueError, match=message):
    data.tfds_source('birds', split, birds)


@pytest.mark.parametrize('name', ['bees', 'mnist', 'birds:2.0.0', 'birds/small', 'no such name'])
def test_a_data_set_that_is_not_prepared(birds, name):
  with pytest.raises(FileNotFoundError) as error:
    data.tfds_source(name, 'train', birds)
  for word in (f'{name}: no data set', str(birds), '--data_dir', 'mnist5k', '--download'):
    assert word in str(error.value)
  assert [p.name for p in birds.iterdir()] == ['birds']  # and nothing was downloaded


def test_the_files_of_a_data_set_are_those_of_the_version_that_is_read(birds, tmp_path):
  names = spec.files_of(spec.DatasetSpec('birds', data_dir=str(birds)))
  assert sorted(name for name in names if 'array_record' in name) == [
      '1.0.0/birds-test.array_record-00000-of-00001',
      '1.0.0/birds-train.array_record-00000-of-00002',
      '1.0.0/birds-train.array_record-00001-of-00002']
  assert '1.0.0/dataset_info.json' in names and all(p.is_file() for p in names.values())
  alone = spec.files_of(spec.DatasetSpec(str(birds / 'birds/1.0.0')))
  assert {f'1.0.0/{name}': path for name, path in alone.items()} == names
  with pytest.raises(FileNotFoundError, match='no data set of this name is prepared'):
    spec.files_of(spec.DatasetSpec('birds', data_dir=str(tmp_path)))


def test_a_data_set_that_is_half_prepared(tmp_path):
  encoded(tmp_path)
  (tmp_path / 'birds/1.0.0/dataset_info.json').unlink()
  with pytest.raises(FileNotFoundError, match='birds: no data set of this name is prepared'):
    data.tfds_source('birds', 'train', tmp_path)


@pytest.mark.parametrize('keys, message', [
    (dict(image_key='picture'), r"no feature 'picture', it has \['caption', 'depth', 'image'"
     '.*give another image_key$'),
    (dict(label_key='kind'), "no feature 'kind'.*another label_key, or None for no labels"),
    (dict(image_key='label'), "'label' is ClassLabel.*expected an Image or a Tensor of uint8"),
    (dict(image_key='depth'), "'depth' is Tensor.*expected an Image or a Tensor of uint8"),
    (dict(image_key='caption'), "'caption' is Text"),
    (dict(label_key='size'), "'size' is Scalar.*expected an integer ClassLabel")])
def test_features_that_are_refused(birds, keys, message):
  with pytest.raises(ValueError, match=message):
    data.tfds_source('birds', 'train', birds, **keys)


def test_tfrecord_without_tensorflow_names_the_extra(tmp_path, monkeypatch):
  encoded(tmp_path, 'tfrecord')
  monkeypatch.setitem(sys.modules, 'tensorflow', None)  # importing it fails
  with pytest.raises(ImportError, match=r"pip install 'jaxsynth\[tensorflow\]'"):
    data.tfds_source('birds', 'train', tmp_path)


def test_other_formats_are_refused(tmp_path):
  encoded(tmp_path, 'riegeli')
  with pytest.raises(ValueError, match=r"prepared as \['riegeli'\], expected array_record"):
    data.tfds_source('birds', 'train', tmp_path)


def run(code, *args):
  return subprocess.run([sys.executable, '-c', code, *map(str, args)], text=True, cwd=ROOT,
                        check=True, capture_output=True).stdout.strip()


def test_array_record_is_read_without_tensorflow(birds):
  assert run('import sys; from jaxsynth import data\n'
             'print(data.in_memory(data.tfds_source("birds", "train", sys.argv[1])).size,'
             ' "tensorflow" in sys.modules)', birds) == '12 False'


def test_tfrecord_with_tensorflow(birds, tmp_path):
  """The records of `birds`, copied into TFRecord files, are the same data set."""
  if importlib.util.find_spec('tensorflow') is None:
    pytest.skip('TensorFlow is not installed, so no TFRecord data set can be read')
  encoded(tmp_path, 'tfrecord')
  assert run('''
import pathlib, sys
import numpy as np, tensorflow as tf
from array_record.python.array_record_module import ArrayRecordReader
from jaxsynth import data
for old in pathlib.Path(sys.argv[1]).rglob('*array_record-*'):
  new = pathlib.Path(sys.argv[2], 'birds/1.0.0', old.name.replace('array_record', 'tfrecord'))
  reader = ArrayRecordReader(str(old))
  with tf.io.TFRecordWriter(str(new)) as writer:
    for record in reader.read_all():
      writer.write(record)
for split in ('train', 'train[3:7]', 'test+train[6:]'):
  a, b = (data.in_memory(data.tfds_source('birds', split, root)) for root in sys.argv[1:])
  assert (a.images == b.images).all() and (a.labels == b.labels).all()
print(a.size, len(tf.config.get_visible_devices('GPU')))
''', birds, tmp_path) == '7 0'


@pytest.mark.parametrize('name, split, n, classes, mean', [
    ('mnist', 'train[:55000]', 55000, 10, 33), ('mnist', 'train[55000:]', 5000, 10, 33),
    ('mnist', 'test', 10000, 10, 33), ('pneumoniamnist', 'train', 4708, 2, 146),
    ('pneumoniamnist', 'test', 624, 2, 143)])
def test_real_data(name, split, n, classes, mean):
  if not (REAL / name).is_dir():
    pytest.skip(f'no prepared {name} in {REAL}')
  source = data.tfds_source(name, split, REAL)
  assert (source.size, source.image_shape, source.num_classes) == (n, (28, 28, 1), classes)
  some = np.random.default_rng(0).choice(n, 300, replace=False)
  batch = source.take(some)
  assert set(batch['label']) == set(range(classes))
  assert abs(batch['image'].mean() - mean) < 4
  theirs = tfds.data_source(name, split=split, data_dir=REAL)
  for i in (0, 17, 299):
    np.testing.assert_array_equal(batch['image'][i], theirs[int(some[i])]['image'])
    assert batch['label'][i] == theirs[int(some[i])]['label']

"""Data sets that are not there are prepared from a source on this machine."""
import errno
import fcntl
import gzip
import importlib.util
import os
import pathlib
import shutil
import threading

import loopback
from loopback import expected, idx, idx_files, NOBODY, served
import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.hashing import Hasher

from jaxsynth import data, files
from jaxsynth.data import download
from jaxsynth.data.download import download_dataset
from jaxsynth.data.fetch import check_reachable, Expected, fetch, FetchError
from jaxsynth.data.idx import read_idx

ROOT = pathlib.Path(__file__).parent.parent
THERE = os.environ.get('TFDS', '')  # where MNIST is prepared in the order of its files
TRAIN, TEST = 120, 30


def whole(source):
  return source.take(np.arange(source.size))


@pytest.fixture(scope='module')
def batches():
  return {split: data.mnist5k(split).take(np.arange(n))
          for split, n in (('train', TRAIN), ('test', TEST))}


@pytest.fixture(scope='module')
def contents(batches):
  return idx_files(batches)


def in_tfds_order(split, size):
  """Which example of the files comes first, second and so on in a prepared split."""
  return np.array(sorted(range(size), key=Hasher(split).hash_key))


def check_prepared(name, root, batches):
  """Holds that what is prepared is a split's examples, for our reader and for tfds."""
  for split, given in batches.items():
    images, labels = given['image'], given['label']
    order = in_tfds_order(split, len(labels))
    batch = whole(data.open_dataset(data.DatasetSpec(name, split, str(root))))
    np.testing.assert_array_equal(batch['image'], images[order])
    np.testing.assert_array_equal(batch['label'], labels[order])
    for k, example in enumerate(tfds.data_source(name, split=split, data_dir=root)):
      assert (example['image'] == images[order[k]]).all()
      assert example['label'] == labels[order[k]]
      if k == 20:
        break


@pytest.mark.parametrize('name, fourth', [
    ('mnist', '3'), ('fashion_mnist', 'Dress'), ('kmnist', 'tsu')])
def test_sets_in_idx_files_need_no_tensorflow(name, fourth, batches, contents, tmp_path):
  with served(contents) as (address, asked):
    folder = download_dataset(name, tmp_path, sources=[address], expected=expected(contents))
    assert sorted(asked) == sorted(contents)
    assert download_dataset(name, tmp_path, sources=[NOBODY]) == folder  # nothing is asked
    assert download_dataset(f'{name}:3.0.1', tmp_path, sources=[NOBODY]) == folder
  assert folder == tmp_path / name / '3.0.1' and len(asked) == 4
  check_prepared(name, tmp_path, batches)
  info = tfds.builder_from_directory(folder).info
  assert (info.name, str(info.version), info.file_format.value) == (name, '3.0.1', 'array_record')
  assert info.features['image'].shape == (28, 28, 1) and info.features['label'].num_classes == 10
  assert info.features['label'].int2str(3) == fourth
  assert {split: info.splits[split].num_examples for split in info.splits} == {
      'train': TRAIN, 'test': TEST}
  assert 'jaxsynth' not in (folder / 'dataset_info.json').read_text()


def test_mnist_comes_out_as_it_is_elsewhere(tmp_path):
  """Not in the same order: the copy there is in that of the files, as it was published."""
  if not pathlib.Path(THERE, 'mnist').is_dir():
    pytest.skip('$TFDS is no folder that holds mnist: nothing was compared with a copy of it')
  there = {split: whole(data.open_dataset(data.DatasetSpec('mnist', f'{split}[:{n}]', THERE)))
           for split, n in (('train', 1000), ('test', 200))}
  files = idx_files(there)
  for name, content in files.items():
    (tmp_path / name).write_bytes(content)
  download_dataset('mnist', tmp_path / 'data', sources=[tmp_path.as_uri()],
                   expected=expected(files))
  check_prepared('mnist', tmp_path / 'data', there)


def test_what_is_expected_is_what_tfds_says():
  for name in ('mnist', 'fashion_mnist', 'kmnist'):
    known = download._expected(tfds.builder_cls(name))
    assert known.keys() == set(loopback.FILES.values())
    assert all(len(x.sha256) == 64 and x.size > 4000 for x in known.values())


def test_sources_are_tried_in_order_and_files_that_came_stay(contents, tmp_path):
  """Then the same call asks for the others alone."""
  must, last = expected(contents), 't10k-labels-idx1-ubyte.gz'
  damaged = {**contents, last: contents[last][:-1] + b'x'}
  fewer = {name: x for name, x in contents.items() if name != last}
  with served(fewer) as (no_such, _), served(contents, code=503) as (busy, _), \
       served(damaged) as (bad, _), served({**contents, last: bytes(10 ** 6)}) as (long, _), \
       served(contents, cut=1) as (short, asked):
    with pytest.raises(FetchError) as error:
      download_dataset('mnist', tmp_path, expected=must,
                       sources=[NOBODY, no_such, busy, bad, long, short, 'ftp://127.0.0.1'])
  assert asked == [last]  # the others came from the first that has them
  lines = str(error.value).splitlines()
  assert lines[0] == f'mnist cannot be downloaded. {last}:'
  for line, (address, problem) in zip(lines[1:8], [
      (NOBODY, 'Connection refused'), (no_such, 'HTTP 404'), (busy, 'HTTP 503'),
      (bad, 'its SHA-256 is'), (long, f'more than {len(contents[last])} bytes'),
      (short, f'{len(contents[last]) - 1} bytes, not {len(contents[last])}'),
      ('ftp://127.0.0.1', 'expected a URL of http, https or file')], strict=True):
    assert line.startswith(f'  {address}/{last}: ') and problem in line
  assert 'Nothing was prepared' in lines[8] and f'{tmp_path}/downloads/mnist' in lines[8]
  with pytest.raises(FileNotFoundError, match='--download'):
    data.open_dataset(data.DatasetSpec('mnist', data_dir=str(tmp_path)))
  there = sorted(path.name for path in (tmp_path / 'downloads/mnist').iterdir())
  assert there == ['.lock', *sorted(fewer)]
  with served(contents) as (address, asked):
    download_dataset('mnist', tmp_path, sources=[address], expected=must)
  assert asked == [last]


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch, tmp_path):
  monkeypatch.setenv('http_proxy', 'http://me:secret@127.0.0.1:9')
  monkeypatch.delenv('no_proxy', raising=False)
  with pytest.raises(FetchError, match='refused, through the proxy 127.0.0.1:9') as error:
    fetch(tmp_path / 'x', ['http://data.invalid/x'], Expected(1, ''))
  assert 'secret' not in str(error.value)
  with pytest.raises(FetchError, match='through the proxy'):
    check_reachable('http://data.invalid/x')
  monkeypatch.delenv('http_proxy')
  with served({}) as (address, _):
    check_reachable(f'{address}/x')  # which answers that there is no such page


def test_an_interrupted_download_leaves_nothing_that_looks_whole(contents, tmp_path, monkeypatch):
  def stop(*_):
    raise KeyboardInterrupt
  with served(contents) as (address, asked):
    given = {'sources': [address], 'expected': expected(contents)}
    with monkeypatch.context() as patch:
      patch.setattr(download, 'read_idx', stop)
      with pytest.raises(KeyboardInterrupt):
        download_dataset('mnist', tmp_path, **given)
    assert not list(tmp_path.rglob('*.json')) and len(asked) == 4
    torn = tmp_path / 'downloads/mnist/.train-labels-idx1-ubyte.gz.0.aside'
    torn.touch()  # as a killed process leaves it
    (tmp_path / 'downloads/mnist/train-labels-idx1-ubyte.gz').write_bytes(b'cut')
    folder = download_dataset('mnist', tmp_path, **given)
  assert asked[4:] == ['train-labels-idx1-ubyte.gz'] and not torn.exists()
  assert tfds.builder_from_directory(folder).info.splits['train'].num_examples == TRAIN


def test_of_two_processes_one_downloads_and_the_other_waits(contents, tmp_path, monkeypatch):
  monkeypatch.setattr(download, 'WAIT', .05)
  folders = []
  with served(contents) as (address, asked):
    threads = [threading.Thread(target=lambda: folders.append(download_dataset(
        'mnist', tmp_path, sources=[address], expected=expected(contents)))) for _ in range(2)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
  assert folders == [tmp_path / 'mnist/3.0.1'] * 2 and sorted(asked) == sorted(contents)


def test_folders_that_cannot_be_written_are_refused(contents, tmp_path, monkeypatch):
  given = {'sources': [NOBODY], 'expected': expected(contents)}
  (tmp_path / 'file').touch()
  with pytest.raises(OSError, match='nothing can be prepared there .*--data_dir'):
    download_dataset('mnist', tmp_path / 'file', **given)
  with pytest.raises(ValueError, match='a folder of this machine'):
    download_dataset('mnist', 'gs://bucket/data', **given)
  full = shutil._ntuple_diskusage(10 ** 6, 10 ** 6, 10)
  with monkeypatch.context() as patch:
    patch.setattr(shutil, 'disk_usage', lambda _: full)
    with pytest.raises(OSError, match='make room'):
      download_dataset('mnist', tmp_path, **given)


def test_folders_may_have_any_name(contents, tmp_path):
  root = tmp_path / 'Données [1] 数据'
  with served(contents) as (address, _):
    download_dataset('mnist', root, sources=[address], expected=expected(contents))
  assert data.open_dataset(data.DatasetSpec('mnist', 'test', str(root))).size == TEST


@pytest.mark.parametrize('name, words', [
    ('mnst', 'no data set of this name'), ('huggingface:mnist', 'code that huggingface keeps'),
    ('mnist:1.0.0', 'only: 3.0.1'), ('a b', 'no data set of this name'),
    ('cifar10/none', 'none not found')])
def test_names_that_tfds_does_not_know_are_refused(name, words, tmp_path):
  with pytest.raises(ValueError, match=words):
    download_dataset(name, tmp_path)


def test_damaged_idx_files_are_refused(tmp_path):
  path = tmp_path / 'x.gz'
  image = np.arange(6).reshape(1, 2, 3)
  path.write_bytes(idx(image))
  np.testing.assert_array_equal(read_idx(path), image)
  head, body = bytes([0, 0, 8, 1, 0, 0, 0, 2]), b'ab'
  for content, words in [
      (gzip.compress(head + body)[:-9], 'end-of-stream'), (head + body, 'Not a gzipped file'),
      (gzip.compress(head + b'a'), 'less than'), (gzip.compress(head + b'abc'), 'more than'),
      (gzip.compress(b'\0\0\x0d' + head[3:] + body), 'begins with'), (gzip.compress(b''), 'begins'),
      (gzip.compress(head[:5]), 'unpack'), (b'', 'begins with'),
      (gzip.compress(head[:4] + b'\xff' * 4 + bytes(9)), 'over 1,073,741,824 bytes')]:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
      read_idx(path)


class Corners(tfds.core.GeneratorBasedBuilder):
  """A data set that tfds downloads itself, from a source on this machine."""
  VERSION, pkg_dir_path = tfds.core.Version('1.0.0'), ROOT / 'tests'
  SOURCE, IMAGE = '', tfds.features.Tensor(shape=(2, 2, 1), dtype=np.uint8)

  def _info(self):
    return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict({
        'image': self.IMAGE, 'label': tfds.features.ClassLabel(names=['left', 'right'])}))

  def _split_generators(self, dl_manager):
    return {'train': self._generate_examples(dl_manager.download(f'{self.SOURCE}/corners'))}

  def _generate_examples(self, path):
    for k, byte in enumerate(path.read_bytes()):
      yield k, {'image': np.full((2, 2, 1), byte, np.uint8), 'label': k % 2}


def test_other_sets_are_prepared_by_tfds(tmp_path, monkeypatch):
  with served({'corners': b'0123'}) as (address, _):
    monkeypatch.setattr(Corners, 'SOURCE', address)
    folder = download_dataset('corners', tmp_path)
    source = data.open_dataset(data.DatasetSpec('corners', data_dir=str(tmp_path)))
    assert folder == tmp_path / 'corners/1.0.0' and source.class_names == ('left', 'right')
    assert sorted(whole(source)['image'][:, 0, 0, 0].tolist()) == list(b'0123')
  with pytest.raises(FetchError, match='HTTP code: 404'), served({}) as (address, _):
    monkeypatch.setattr(Corners, 'SOURCE', address)
    download_dataset('corners', tmp_path / 'other')
  monkeypatch.setattr(Corners, 'url_infos', {f'{NOBODY}/corners': None})
  with pytest.raises(FetchError, match='refused'):  # at once, without ten more tries
    download_dataset('corners', tmp_path / 'offline')
  with served({'corners': b'0123'}) as (address, _):  # one host of two, and one nobody can ask
    monkeypatch.setattr(Corners, 'SOURCE', address)
    monkeypatch.setattr(Corners, 'url_infos', dict.fromkeys(
        ['ftp://nowhere/corners', f'{NOBODY}/corners', f'{address}/corners']))
    assert download_dataset('corners', tmp_path / 'mirrors').is_dir()


def test_tensorflow_that_is_missing_is_said(tmp_path, monkeypatch):
  if importlib.util.find_spec('tensorflow') is not None:
    pytest.skip('TensorFlow is here: that it is missing was not looked at')
  monkeypatch.setattr(Corners, 'IMAGE', tfds.features.Image(shape=(2, 2, 1)))
  with pytest.raises(ImportError, match=r"needs tensorflow.*pip install 'jaxsynth\[tensorf"):
    with served({'corners': b'0123'}) as (address, _):
      monkeypatch.setattr(Corners, 'SOURCE', address)
      download_dataset('corners', tmp_path / 'images')


def test_a_file_system_without_locks_is_told_of(tmp_path, monkeypatch, caplog):
  """Google Drive may be one; where another process holds the folder it stays refused."""
  def flock(error):
    def refuse(*_):
      raise OSError(error, os.strerror(error))
    monkeypatch.setattr(fcntl, 'flock', refuse)
  flock(errno.ENOTSUP)
  with files.lock(tmp_path):
    assert 'has no locks' in caplog.text
  flock(errno.EWOULDBLOCK)
  with pytest.raises(files.Locked), files.lock(tmp_path):
    pass

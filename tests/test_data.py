"""Sources, batches by (seed, k), prefetching."""
import itertools
import threading
import time

import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.data import batches


def source(n=10):
  images = np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
  return data.ArraySource.of(images, np.arange(n) % 3)


def test_mnist5k_is_the_real_thing():
  sizes = {'train': 4000, 'validation': 500, 'test': 500, 'all': 5000}
  sets = {split: data.mnist5k(split) for split in sizes}
  for split, n in sizes.items():
    found = sets[split]
    assert found.images.shape == (n, 28, 28, 1) and found.images.dtype == np.uint8
    assert np.bincount(found.labels).tolist() == [n // 10] * 10
  parts = {x.tobytes() for s in ('train', 'validation', 'test') for x in sets[s].images}
  assert parts == {x.tobytes() for x in sets['all'].images}
  assert 30 < sets['all'].images.mean() < 36  # MNIST's mean pixel is 33.3


def test_mnist5k_refuses_unknown_splits_and_names_the_extra(monkeypatch):
  with pytest.raises(ValueError, match="split 'dev', expected one of"):
    data.mnist5k('dev')
  monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
  with pytest.raises(ImportError, match=r"pip install 'jaxsynth\[demo\]'"):
    data.mnist5k()


@pytest.mark.parametrize('images, labels, kwargs, message', [
    (np.zeros((2, 4, 4)), None, {}, 'dtype float64, expected uint8'),
    (np.zeros((4, 4), np.uint8), None, {}, r'expected \[N, H, W, C\]'),
    (np.zeros((0, 4, 4, 1), np.uint8), None, {}, 'N > 0'),
    (np.zeros((2, 4, 4), np.uint8), [0], {}, r'expected integers \[2\]'),
    (np.zeros((2, 4, 4), np.uint8), [0, .5], {}, 'labels float64'),
    (np.zeros((2, 4, 4), np.uint8), [0, 3], dict(num_classes=3), r'expected \[0, 3\)'),
    (np.zeros((2, 4, 4), np.uint8), None, dict(num_classes=3), 'without labels')])
def test_arrays_are_checked(images, labels, kwargs, message):
  with pytest.raises(ValueError, match=message):
    data.ArraySource.of(images, labels, **kwargs)


def test_a_batch_is_a_function_of_seed_and_k():
  at, again = (data.batch_at(source(), 4, 7) for _ in range(2))
  forward = [at(k)['image'] for k in range(9)]
  for k in (5, 0, 8, 3):  # in any order, from another object
    np.testing.assert_array_equal(again(k)['image'], forward[k])
  other = [data.batch_at(source(), 4, 8)(k)['image'] for k in range(9)]
  assert any((a != b).any() for a, b in zip(forward, other))


def test_every_example_comes_once_an_epoch_across_batch_edges():
  """Ten examples in batches of four: five batches are two epochs."""
  order = np.concatenate([batches.indices(10, 4, 0, k) for k in range(5)])
  assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
  assert (order[:10] != order[10:]).any()


def test_batches_larger_than_the_data_and_phases():
  assert data.batch_at(source(3), 8, 0)(0)['image'].shape == (8, 2, 3, 1)
  batch = data.batch_at(source(), 4, 0, phases=3)(1)
  assert batch['image'].shape == (3, 4, 2, 3, 1) and batch['label'].shape == (3, 4)
  for bad in (dict(batch_size=0, seed=0), dict(batch_size=1, seed=0, phases=0)):
    with pytest.raises(ValueError, match='expected at least'):
      data.batch_at(source(), **bad)


@pytest.mark.parametrize('phases, hosts', [(1, 1), (1, 4), (3, 2)])
def test_hosts_share_every_batch_of_every_phase(phases, hosts):
  whole = data.batch_at(source(50), 8, 3, phases=phases)
  shares = [data.batch_at(source(50), 8, 3, phases=phases, process_index=i,
                          process_count=hosts) for i in range(hosts)]
  for k in (0, 6):  # 6: across an epoch's edge
    parts = [at(k) for at in shares]
    for key, want in whole(k).items():
      assert parts[0][key].shape[phases > 1] == 8 // hosts
      np.testing.assert_array_equal(
          np.concatenate([part[key] for part in parts], axis=int(phases > 1)), want)


@pytest.mark.parametrize('kwargs, message', [
    (dict(process_count=3), 'batch_size=8: expected a multiple of process_count=3'),
    (dict(process_count=0), r'expected an index in \[0, process_count\)'),
    (dict(process_index=2, process_count=2), 'process_index=2 of process_count=2'),
    (dict(process_index=-1, process_count=2), 'process_index=-1')])
def test_hosts_out_of_range(kwargs, message):
  with pytest.raises(ValueError, match=message):
    data.batch_at(source(), 8, 0, **kwargs)


def test_pixels_round_trip_exactly():
  every = np.arange(256, dtype=np.uint8)
  batch = data.to_float({'image': every, 'label': every})
  assert batch['image'].min() == -1 and batch['image'].max() == 1
  np.testing.assert_array_equal(data.to_uint8(batch['image']), every)
  np.testing.assert_array_equal(batch['label'], every)


def test_prefetch_keeps_order_works_ahead_and_stops():
  made = []
  stream = data.prefetch(lambda k: made.append(k) or k, 5, size=3)
  assert next(stream) == 5
  deadline = time.monotonic() + 10
  while made != [5, 6, 7, 8] and time.monotonic() < deadline:
    time.sleep(0.01)
  assert made == [5, 6, 7, 8]  # three ahead, and no further
  assert list(itertools.islice(stream, 3)) == [6, 7, 8]
  stream.close()
  time.sleep(0.05)
  assert not [t for t in threading.enumerate() if t.name.startswith('prefetch')]


def test_prefetch_raises_what_a_batch_raises_at_its_place():
  def at(k):
    if k == 2:
      raise OSError('disk')
    return k
  stream = data.prefetch(at)
  assert [next(stream), next(stream)] == [0, 1]
  with pytest.raises(OSError, match='disk'):
    next(stream)

"""The engine's parts: addresses, labels, shards, bytes."""
import io
import itertools

import jax
import numpy as np
from PIL import Image
import pytest
from tensorflow_datasets.proto import tf_example_pb2

from jaxsynth import data, synthesis
from jaxsynth.kinds import message, png
from jaxsynth.kinds.image_kind import images
from jaxsynth.synthesis import draw, engine, image_folder, labels, metadata, plan
from jaxsynth.synthesis import records


def noise(params, variables, keys, cond):
  """Images whose mean tells the label."""
  x = jax.vmap(lambda key: jax.random.uniform(key, (4, 4, 1), minval=-1.))(keys)
  return x if cond is None else x / 10 + (cond / 5 - 1).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize('shares', [7, [3, 2, 1], [300, 0, 701], [0, 1, 1], [5], [2, 2, 2, 2]])
def test_labels_have_their_shares_in_every_aligned_cycle(shares):
  weights = np.ones(shares) if isinstance(shares, int) else np.array(shares)
  period = labels.cycle(shares)
  for k in (0, 3, 10 ** 6):
    found = labels.labels_for(np.arange(k * period, (k + 1) * period), shares)
    np.testing.assert_array_equal(np.bincount(found, minlength=len(weights)) * weights.sum(),
                                  weights * period)
  n = 3 * period + period // 2
  found = labels.labels_for(np.arange(n), shares)
  np.testing.assert_array_equal(np.bincount(found, minlength=len(weights)),
                                labels.counts(0, n, shares))


def test_labels_are_spread():
  """No class waits for much longer than its share says: 1,000 of 10,000 in runs of 100."""
  found = labels.labels_for(np.arange(10 ** 4), [1000, 2001, 6999]).reshape(100, 100)
  rare = (found == 0).sum(1)
  assert rare.min() >= 8 and rare.max() <= 12


@pytest.mark.parametrize('shares', [[], [0, 0], [1, -1], 0])
def test_no_shares_at_all(shares):
  with pytest.raises(ValueError, match='expected one a class'):
    labels.labels_for(np.arange(3), shares)


@pytest.mark.parametrize('splits, num_shards', [({'train': 10 ** 6}, 64), ({'a': 1}, 1),
                                                ({'train': 1000, 'test': 130}, 8)])
def test_shards_cut_everything_at_blocks(splits, num_shards):
  found = plan.shards(splits, num_shards, 25)
  assert [s.start for s in found] == [0, *(s.stop for s in found[:-1])]
  assert found[-1].stop == sum(splits.values())
  for split, size in splits.items():
    mine = [s for s in found if s.split == split]
    assert [s.shard_index for s in mine] == list(range(mine[0].num_shards))
    assert sum(s.stop - s.start for s in mine) == size
    assert not [s for s in mine[1:] if s.start % 25]
  assert sorted(sum((plan.shards_of_worker(found, k, 3) for k in range(3)), [])) == sorted(found)


def test_shards_and_workers_that_cannot_be():
  with pytest.raises(ValueError, match='whole blocks of 25, so expected at most 4'):
    plan.shards({'train': 100}, 5, 25)
  with pytest.raises(ValueError, match='expected at least 1 of each'):
    plan.shards({'train': 0}, 1, 25)
  with pytest.raises(ValueError, match='worker 2 of 2: expected 0 to 1'):
    plan.shards_of_worker([], 2, 2)
  with pytest.raises(ValueError, match='41 samples of train .* a multiple of 5, such as 40'):
    plan.check_shares({'train': 41}, [0, 2, 3])
  plan.check_shares({'train': 41}, 10)


@pytest.mark.parametrize('shape', [(28, 28, 1), (1, 1, 1), (1, 9, 3), (7, 5, 3), (5, 300, 4),
                                   (3, 3, 2)])
@pytest.mark.parametrize('kind', ['noise', 'flat', 'ramp'])
def test_png_is_read_by_pillow(shape, kind):
  """Both filters: rows equal to the one above, and not."""
  x = {'noise': np.random.default_rng(0).integers(0, 256, shape, np.uint8),
       'flat': np.full(shape, 200, np.uint8),
       'ramp': np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)}[kind]
  with Image.open(io.BytesIO(png.encode(x))) as image:
    image.load()
    np.testing.assert_array_equal(np.asarray(image).reshape(shape), x)


@pytest.mark.parametrize('x', [np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2), np.uint8),
                               np.zeros((2, 2, 1)), np.zeros((0, 2, 1), np.uint8)])
def test_png_of_something_else_is_refused(x):
  with pytest.raises(ValueError, match='expected uint8'):
    png.encode(x)


@pytest.mark.parametrize('label', [None, 0, 1, 127, 128, 2 ** 40])
@pytest.mark.parametrize('size', [0, 1, 127, 128, 20000])
def test_examples_are_protobufs(label, size):
  image = bytes(range(256)) * (size // 256) + bytes(size % 256)
  raw = message.serialize({'image': image} if label is None else
                          {'image': image, 'label': np.array(label)})
  parsed = tf_example_pb2.Example.FromString(raw)
  assert parsed.SerializeToString(deterministic=True) == raw
  assert parsed.features.feature['image'].bytes_list.value == [image]
  if label is not None:
    assert parsed.features.feature['label'].int64_list.value == [label]


@pytest.mark.parametrize('devices', [1, 4])
def test_a_stream_is_the_draws_whatever_is_asked_for_and_on_any_devices(devices):
  drawn = draw.drawer(noise, 10, block=8)({}, {}, draw.key_of(5), 0, 61)
  stream = synthesis.streamer(noise, {}, {}, 5, 10, block=8, devices=jax.devices()[:devices])
  for start, stop in ((0, 61), (13, 14), (8, 40)):
    pieces = list(stream(start, stop))
    first = start - start % 8
    assert [p.start for p in pieces] == [start, *range(first + 8 * devices, stop, 8 * devices)]
    images = np.concatenate([p.images for p in pieces])
    np.testing.assert_array_equal(images, data.to_uint8(drawn[start:stop]))
    np.testing.assert_array_equal(np.concatenate([p.labels for p in pieces]),
                                  np.arange(start, stop) % 10)
  with pytest.raises(ValueError, match='2\\^31'):
    next(stream(0, 2 ** 31 + 1))
  (last,) = stream(2 ** 31 - 2, 2 ** 31)
  assert len(np.unique(last.images, axis=0)) == 2


def test_a_model_that_diverged_is_refused():
  stream = synthesis.streamer(lambda p, v, keys, cond: jax.numpy.where(
      cond < 9, 0., jax.numpy.nan).reshape(-1, 1, 1, 1), {}, {}, 0, 10, block=4,
      devices=jax.devices()[:1])(0, 100)
  with pytest.raises(FloatingPointError, match=r'samples \[8, 12\) are not finite'):
    list(stream)


def test_a_stream_draws_a_few_blocks_ahead_and_no_more():
  """Memory does not grow with the number of samples."""
  pieces = []
  stream = synthesis.streamer(noise, {}, {}, 0, block=4, devices=jax.devices()[:1])(0, 2 ** 31)
  pool = type('Pool', (), {'submit': lambda self, f, x: pieces.append(x) or Later(f(x))})()
  found = engine.encoded(stream, lambda example: example['image'].tobytes(), pool, 3)
  assert [x.start for x in itertools.islice(found, 5)] == [0, 4, 8, 12, 16]
  assert len(pieces) == 5 + 3


class Later:
  def __init__(self, x):
    self._x = x

  def result(self):
    return self._x


def ramps(start, stop):
  for k in range(start, stop, 8):
    at = np.arange(k, min(k + 8, stop), dtype=np.uint8).reshape(-1, 1, 1, 1)
    yield draw.Piece(k, {'image': np.broadcast_to(at, (len(at), 4, 4, 1))})


def written(form, stream=ramps):
  (shard,) = plan.shards({'train': 20}, 1, 8)
  engine.write(stream, [shard], form)
  return shard


def test_no_labels(tmp_path):
  about = metadata.About('plain', '1.0.0', images((4, 4, 1)))
  folder = tmp_path / 'plain/1.0.0'
  folder.mkdir(parents=True)
  form = records.array_record(folder, about)
  assert engine.finish([written(form)], form)
  source = data.in_memory(data.tfds_source('plain', 'train', tmp_path, label_key=None))
  form = image_folder.image_folder(tmp_path / 'folder')
  (tmp_path / 'folder').mkdir()
  assert engine.finish([written(form)], form)
  same = data.in_memory(data.folder(tmp_path / 'folder/train'))
  np.testing.assert_array_equal(source.images, same.images)
  assert same.num_classes is None and len(source.images) == 20


def test_what_is_missing_or_damaged_is_said(tmp_path):
  about = metadata.About('plain', '1.0.0', images((4, 4, 1)))
  form = records.array_record(tmp_path, about)
  shard = written(form)
  assert not engine.finish([shard, shard._replace(shard_index=1)], form)
  with pytest.raises(OSError, match='has 20 records, expected 19: remove it'):
    form.finish([shard._replace(stop=19)])
  assert not (tmp_path / 'dataset_info.json').exists()
  form = image_folder.image_folder(tmp_path)
  shard = written(form)
  (tmp_path / 'train/000003.png').unlink()
  with pytest.raises(OSError, match='has 19 images, expected 20: remove it'):
    engine.finish([shard], form)


def test_an_error_while_drawing_leaves_nothing(tmp_path):
  def broken(start, stop):
    yield draw.Piece(0, {'image': np.zeros((3, 4, 4, 1), np.uint8)})
    raise RuntimeError('out of memory')
  for form in (records.array_record(tmp_path, metadata.About('x', '1.0.0', images((4, 4, 1)))),
               image_folder.image_folder(tmp_path)):
    with pytest.raises(RuntimeError, match='out of memory'):
      written(form, broken)
  assert not list(tmp_path.iterdir())


def test_a_folder_is_claimed_once(tmp_path):
  settings = {'seed': 0, 'model': {'digest': 'a', 'flags': {'width': 3}}}
  for _ in range(2):
    metadata.claim(tmp_path / 'a', settings)
  with pytest.raises(metadata.OtherSettings, match=r"model.flags.width: 3 there, 4 now"):
    metadata.claim(tmp_path / 'a', {**settings, 'model': {'digest': 'a', 'flags': {'width': 4}}})
  (tmp_path / 'b').mkdir()
  (tmp_path / 'b/features.json').write_text('{}')
  with pytest.raises(metadata.OtherSettings, match='holds features.json and no metadata.json'):
    metadata.claim(tmp_path / 'b', settings)
  with pytest.raises(NotADirectoryError):
    metadata.claim(tmp_path / 'b/features.json/c', settings)

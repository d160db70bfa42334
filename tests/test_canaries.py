"""Canaries: the same at every start, in by a fair coin, and known again by an auditor."""
import json

import numpy as np
import pytest
import training

from jaxsynth import data
from jaxsynth.data import canaries, fingerprint
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.kinded import kind_of, of_series


def digits():
  return data.mnist5k('test')


def series():
  rng = np.random.default_rng(0)
  return of_series(rng.normal(size=(40, 6, 2)), None)


@pytest.mark.parametrize('source', [digits, series])
def test_they_stand_behind_the_data_and_are_like_no_example(source):
  base = source()
  planted = canaries.planted(base, 300, 5)
  n, kind = base.size, kind_of(base)
  batch = planted.take(np.arange(planted.size))
  before = base.take(np.arange(n))
  for name in before:
    assert batch[name].dtype == before[name].dtype
    np.testing.assert_array_equal(batch[name][:n], before[name])
  drawn = planted.canaries
  np.testing.assert_array_equal(batch[kind.name][n:], drawn.values[drawn.included])
  assert planted.size == n + drawn.included.sum() and 110 < drawn.included.sum() < 190
  assert len(np.unique(drawn.values.reshape(300, -1), axis=0)) == 300
  for place in range(drawn.values[0].size):  # every number is a real one, of its place
    assert np.isin(drawn.values.reshape(300, -1)[:, place],
                   before[kind.name].reshape(n, -1)[:, place]).all()
  if base.num_classes:
    assert set(drawn.labels.tolist()) == set(range(10))
    np.testing.assert_array_equal(batch['label'][n:], drawn.labels[drawn.included])
  assert (planted.name, planted.num_classes, kind_of(planted).shape, planted.image_shape) == (
      base.name, base.num_classes, kind.shape, base.image_shape)
  np.testing.assert_array_equal(planted.take(np.array([n, 0, n + 1]))[kind.name],
                                batch[kind.name][[n, 0, n + 1]])
  with pytest.raises(IndexError):
    planted.take(np.array([planted.size]))


def test_a_seed_gives_the_same_ones_and_none_are_none():
  base = digits()
  a, b, other = (canaries.drawn(base, 50, seed) for seed in (3, 3, 4))
  assert a.digest == b.digest != other.digest and (a.included == b.included).all()
  assert (a.included != other.included).any()
  assert canaries.planted(base, 0, 3) is base
  # what is drawn does not change between versions of numpy
  assert a.included[:16].astype(int).tolist() == FIRST_COINS


FIRST_COINS = [0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]


def test_the_coins_are_fair():
  """Of 40 x 200: a deviation of 45, so within 4 of them."""
  base = digits()
  count = sum(int(canaries.drawn(base, 200, seed).included.sum()) for seed in range(40))
  assert abs(count - 4000) < 4 * 45


def test_an_auditor_knows_them_again(tmp_path):
  base = digits()
  planted = canaries.planted(base, 40, 1)
  canaries.write(tmp_path, planted)
  back = canaries.read(tmp_path, digits())
  np.testing.assert_array_equal(back.values, planted.canaries.values)
  np.testing.assert_array_equal(back.included, planted.canaries.included)
  with pytest.raises(ValueError, match='cannot be drawn again from mnist5k'):
    canaries.read(tmp_path, data.mnist5k('train'))
  said = json.loads((tmp_path / 'canaries.json').read_text())
  said['included'][0] ^= 1
  (tmp_path / 'canaries.json').write_text(json.dumps(said))
  with pytest.raises(ValueError, match='cannot be drawn again'):
    canaries.read(tmp_path, base)
  (tmp_path / 'canaries.json').write_text('{}')
  with pytest.raises(ValueError, match='not the canaries of a run'):
    canaries.read(tmp_path, base)
  assert canaries.read(tmp_path / 'none', base) is None
  canaries.write(tmp_path / 'none', base)  # nothing is planted, nothing is written
  assert not (tmp_path / 'none').exists()


@pytest.mark.parametrize('num', [1, -3])
def test_too_few_are_refused(num):
  with pytest.raises(ValueError, match=f'--canaries={num} in mnist5k: expected 2 at least'):
    canaries.planted(digits(), num, 0)


def test_data_without_end_are_refused():
  base = data.open_dataset(data.DatasetSpec('rule:shapes', 'endless'))
  with pytest.raises(ValueError, match='not drawn without end'):
    canaries.planted(base, 10, 0)


@pytest.mark.long
def test_a_training_learns_from_them_and_keeps_the_same_at_a_resume(tmp_path):
  """The record is of the data without them, so that they are known wherever they lie."""
  given = ('--canaries=30', '--steps=2', '--checkpoint_every=1')
  plain = training.trained(tmp_path / 'plain', '--steps=2')
  run = training.trained(tmp_path / 'run', *given)
  texts = [(run / name).read_text() for name in ('canaries.json', 'config.json')]
  records = [json.loads((x / 'config.json').read_text()) for x in (plain, run)]
  assert records[0]['data'] == records[1]['data'] and records[1]['flags']['canaries'] == 30
  assert not (plain / 'canaries.json').exists()
  assert (plain / 'metrics.jsonl').read_text() != (run / 'metrics.jsonl').read_text()
  training.trained(run, *given[:1], '--steps=3', '--checkpoint_every=1')
  assert (run / 'canaries.json').read_text() == texts[0]
  source = training.source_of('mnist_dcgan')
  assert canaries.read(run, source).seed == records[1]['flags']['seed']
  assert isinstance(source, ArraySource) and fingerprint.is_known(source, records[1]['data'])
  from jaxsynth import runs
  with pytest.raises(runs.RunError, match='--canaries: 30 before, 20 now'):
    training.trained(run, '--canaries=20', '--steps=4')

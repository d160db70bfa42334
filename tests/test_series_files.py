"""Long series of files: read with what is wrong named by its line, and cut into windows."""
import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.data import roles, spec as specs
from jaxsynth.data.series_file import read_series
from jaxsynth.data.windows import bounds, SPLITS, windows
from jaxsynth.kinds.recorded import kind_of_record
from jaxsynth.kinds.series_kind import columns_of

GOOD = 'day,open,close\n2020-01-01,1,2\n2020-01-02,3,4\n2020-01-03,5,6\n'


def written(tmp_path, text, name='prices.csv'):
  (tmp_path / name).write_text(text, encoding='utf-8')
  return tmp_path / name


def test_columns_come_in_the_order_of_time(tmp_path):
  whole = read_series(written(tmp_path, GOOD), time='day')
  assert whole.columns == ('open', 'close') and whole.dropped == 0
  assert (whole.first, whole.last) == ('2020-01-01', '2020-01-03')
  np.testing.assert_array_equal(whole.rows, [[1, 2], [3, 4], [5, 6]])
  lines = GOOD.strip().split('\n')
  newest = read_series(written(tmp_path, '\n'.join(lines[:1] + lines[:0:-1])), ['close'], 'day')
  np.testing.assert_array_equal(newest.rows, [[2], [4], [6]])
  np.savez(tmp_path / 'x.npz', values=np.arange(6).reshape(3, 2), columns=['a', 'b'])
  np.testing.assert_array_equal(read_series(tmp_path / 'x.npz', ['b']).rows, [[1], [3], [5]])


def test_missing_values_are_said_and_nothing_is_made_up_unasked(tmp_path):
  path = written(tmp_path, GOOD.replace('3,4', ',4').replace('5,6', '5,n/a'))
  with pytest.raises(ValueError, match='line 3: open is missing; expected a number, or --missing'):
    read_series(path, time='day')
  dropped = read_series(path, time='day', missing='drop')
  assert dropped.dropped == 2 and dropped.rows.tolist() == [[1, 2]]
  held = read_series(path, time='day', missing='hold')
  assert held.dropped == 0 and held.rows.tolist() == [[1, 2], [1, 4], [5, 4]]
  first = written(tmp_path, GOOD.replace('1,2', ',2'))
  assert read_series(first, time='day', missing='hold').dropped == 1  # nothing to hold


@pytest.mark.parametrize('text, given, message', [
    (GOOD.replace('3,4', '3'), {}, 'line 3: 2 values, expected 3, one a column'),
    (GOOD.replace('3,4', 'x,4'), {}, "line 3: open='x', expected a number; leave the column out"),
    (GOOD.replace('3,4', 'inf,4'), {}, 'line 3: open=inf, expected a finite number'),
    (GOOD.replace('01-02', '01-01'), {}, 'line 3: day=2020-01-01 is there twice'),
    (GOOD.replace('01-02', '01-09'), {}, 'line 4: day=2020-01-03 is out of order'),
    (GOOD.replace('01-02', '13-02'), {}, "line 3: day='2020-13-02', expected a date"),
    (GOOD, {'time': 'when'}, "no column 'when', only day, open, close"),
    (GOOD, {'columns': ['high']}, "no column 'high'"),
    (GOOD, {'missing': 'guess'}, '--missing=guess: expected refuse, drop or hold'),
    ('day\n2020-01-01\n', {}, "no column beside 'day'"),
    ('day,day\n1,2\n', {}, 'line 1: .*expected a name of each column, each once'),
    ('day,open\n', {}, 'no rows below the names'), ('', {}, 'line 1')])
def test_what_is_wrong_is_named(tmp_path, text, given, message):
  with pytest.raises(ValueError, match=message):
    read_series(written(tmp_path, text), **{'time': 'day', **given})


def test_other_files_are_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match='no such file'):
    read_series(tmp_path / 'none.csv')
  with pytest.raises(ValueError, match=r'expected a .csv or an .npz'):
    read_series(written(tmp_path, GOOD, 'x.txt'))
  np.savez(tmp_path / 'x.npz', images=np.zeros((2, 2)))
  with pytest.raises(ValueError, match=r"images; expected numbers 'values' \[rows, columns\]"):
    read_series(tmp_path / 'x.npz')
  np.savez(tmp_path / 'y.npz', values=np.zeros((2, 2)))
  with pytest.raises(ValueError, match="no column 'a', only 0, 1; name one of the 2"):
    read_series(tmp_path / 'y.npz', ['a'])
  (tmp_path / 'z.csv').write_bytes(b'a,b\n\xff\xfe,1\n')
  with pytest.raises(ValueError, match='not a table of text in UTF-8'):
    read_series(tmp_path / 'z.csv')


@pytest.mark.parametrize('n, length', [(100, 5), (997, 24), (1234, 30)])
def test_no_row_is_in_two_splits_and_none_beside_another(n, length):
  rows = np.arange(n, dtype=float)[:, None]
  seen = {}
  for split in ('train', 'validation', 'test'):
    source = windows(rows, length, split)
    seen[split] = np.unique(source.take(np.arange(source.size))['series'])
    assert source.kind.settings == windows(rows, length).kind.settings  # the range of train
  for before, after in (('train', 'validation'), ('validation', 'test')):
    assert seen[after].min() - seen[before].max() > length
  whole = windows(rows, length, 'all')
  assert whole.size == n - length + 1 and whole.kind.settings['high'] == [n - 1.]
  assert bounds(n, length, 'all') == (0, n) and set(SPLITS) == {*seen, 'all'}


def test_windows_are_those_of_their_rows():
  rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
  source = windows(rows, 10, stride=7)
  taken = source.take(np.array([0, 4, source.size - 1]))['series']
  for window, at in zip(taken, (0, 28, 7 * (source.size - 1))):
    np.testing.assert_array_equal(window, rows[at:at + 10])
  part = windows(rows, 10, 'train[3:5]', stride=7)
  np.testing.assert_array_equal(part.take(np.arange(2))['series'][0], rows[21:31])
  assert part.size == 2 and source.take(np.array([], int))['series'].shape == (0, 10, 3)
  with pytest.raises(IndexError, match=r'expected \[0, 2\)'):
    part.take(np.array([2]))


def test_a_shuffled_split_has_to_be_asked_for_and_says_how_it_leaks(caplog):
  rows = np.arange(300, dtype=float)[:, None]
  seen, low = {}, {}
  for split in ('train', 'validation', 'test'):
    source = windows(rows, 6, f'shuffled_{split}')
    begins = source.take(np.arange(source.size))['series'][:, 0, 0].astype(int)
    assert not np.array_equal(begins, np.sort(begins)) and source.kind.settings['high'] == [299.]
    seen[split], low[split] = set(begins.tolist()), begins
  assert set.union(*seen.values()) == set(range(295)) and sum(map(len, seen.values())) == 295
  assert len(seen['train']) == 236  # four fifths of 295
  overlap = np.mean([min(abs(low['train'] - begin)) < 6 for begin in low['test']])
  assert f'{100 * overlap:.1f} % of the windows of shuffled_test share rows' in caplog.text
  apart = windows(rows, 6, 'shuffled_test', stride=6)
  begins = apart.take(np.arange(apart.size))['series'][:, 0, 0]
  assert (begins % 6 == 0).all() and ' 0.0 % of the windows' in caplog.text
  part = windows(rows, 6, 'shuffled_train[3:5]')
  np.testing.assert_array_equal(part.take(np.arange(2))['series'][:, 0, 0], low['train'][3:5])
  caplog.clear()
  windows(rows, 6)
  assert not caplog.text


def test_windows_know_the_names_of_their_columns(tmp_path):
  source = data.open_dataset(data.DatasetSpec.of({
      'dataset': str(written(tmp_path, GOOD)), 'window': 2, 'time_column': 'day', 'split': 'all'}))
  assert columns_of(source.kind) == ('open', 'close')
  again = kind_of_record((2, 2), source.kind.settings)
  assert columns_of(again) == ('open', 'close') and again.settings == source.kind.settings
  with pytest.raises(ValueError, match='expected 2 names, one a channel'):
    windows(np.zeros((9, 2)), 2, columns=['a'])


@pytest.mark.parametrize('change, message', [
    ({'length': 0}, '--window=0, --stride=1: expected at least 1'),
    ({'stride': 0}, 'expected at least 1'),
    ({'length': 11, 'split': 'validation'}, '9 of 200 rows are of validation, too few for a'),
    ({'split': 'random'}, '--split=random: expected train, validation, test, all'),
    ({'split': 'shuffled'}, 'shuffled_train and so on, for windows at random, which leak'),
    ({'length': 300}, '160 of 200 rows are of train, too few for a window of 300; give a shorter'),
    ({'split': 'train[9:3]'}, 'an empty part'),
    ({'rows': np.zeros(4)}, r'rows of float64\[4\], expected numbers \[rows, columns\]'),
    ({'rows': np.array([[1.], [np.nan]])}, 'row 1, column 0 is not finite')])
def test_windows_that_cannot_be_are_refused(change, message):
  given = {'rows': np.zeros((200, 1)), 'length': 4, 'split': 'train', **change}
  with pytest.raises(ValueError, match=message):
    windows(given['rows'], given['length'], given['split'], stride=given.get('stride', 1))


def test_a_long_series_is_a_data_set(tmp_path):
  """Named by flags; its splits have roles, and a run's record knows the file again."""
  rows = np.random.default_rng(0).normal(size=(300, 2))
  lines = ['t,a,b', *(f'{t},{x},{y}' for t, (x, y) in enumerate(rows.tolist()))]
  path = str(written(tmp_path, '\n'.join(lines)))
  spec = data.DatasetSpec.of({'dataset': path, 'window': 6, 'time_column': 't', 'columns': ['b']})
  source = data.open_dataset(spec)
  assert source.image_shape == (6, 1) and source.size == 240 - 5
  np.testing.assert_allclose(source.take(np.array([3]))['series'][0, :, 0], rows[3:9, 1], rtol=1e-6)
  assert spec.kind == 'series' and specs.files_of(spec) == {'prices.csv': tmp_path / 'prices.csv'}
  assert roles.roles(spec) == ('train', 'validation', 'test')
  assert data.open_dataset(spec.of_split('test')).kind.settings == source.kind.settings
  with pytest.raises(ValueError, match='of a series how many steps an example has, as --window=24'):
    data.open_dataset(data.DatasetSpec(path))
  with pytest.raises(ValueError, match='holds series and no images'):
    data.open_dataset(spec._replace(channels=1))
  np.savez(tmp_path / 'x.npz', values=rows)
  other = data.open_dataset(data.DatasetSpec(str(tmp_path / 'x.npz'), window=6))
  np.testing.assert_array_equal(other.take(np.array([3]))['series'][..., 1:],
                                source.take(np.array([3]))['series'])

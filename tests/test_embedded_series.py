"""Series that a package ships, labelled series of one file, and prices as changes."""
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.data import embedded_series, examples, roles, spec as specs
from jaxsynth.data.labelled_file import labelled_series
from jaxsynth.data.log_changes import log_changes


def labelled(tmp_path, **more):
  rng = np.random.default_rng(0)
  arrays = {f'Waves_{part}_{split}': values for split, n in (('train', 6), ('test', 4))
            for part, values in (('x', rng.normal(size=(n, 9, 2)).astype(np.float32)),
                                 ('y', np.arange(n) % 2))}
  np.savez(tmp_path / 'sets.npz', **{**arrays, 'Waves_classes': np.array(['low', 'high']), **more})
  return tmp_path / 'sets.npz', arrays


def test_days_of_the_index_in_the_order_of_time():
  """First and last line as the package's file has them."""
  prices = embedded_series.embedded_series('sp500')
  assert prices.columns == ('Open', 'High', 'Low', 'Close', 'Volume')
  np.testing.assert_allclose(prices.rows[0], [1229.23, 1248.81, 1219.1, 1228.1, 877e6], rtol=1e-5)
  np.testing.assert_allclose(prices.rows[-1, :4], [2498.94, 2509.24, 2482.82, 2506.85], rtol=1e-5)
  opened, high, low, close, _ = prices.rows.T
  assert (low <= np.minimum(opened, close)).all() and (high >= np.maximum(opened, close)).all()
  with pytest.raises(ValueError, match="sp500: no column 'Shut', only Open, High"):
    embedded_series.embedded_series('sp500', ['Shut'])


def test_the_index_is_a_data_set_by_its_name(tmp_path, monkeypatch):
  spec = data.DatasetSpec('sp500', window=24, columns=('Close',), log_changes=True)
  assert spec.kind == 'series' and spec.title == 'sp500' and specs.files_of(spec) == {}
  assert spec.places == {'dataset': 'sp500', 'data_dir': None, 'schema': None}
  assert roles.roles(spec) == roles.Roles('train', 'validation', 'test')
  assert '1999 to 2018' in specs.credit(spec).description
  source = data.open_dataset(spec)
  assert source.kind.shape == (24, 1) and source.size == 4024 - 24 + 1  # .8 of 5,030 changes
  first = source.take(np.array([0]))['series'][0, 0, 0]
  np.testing.assert_allclose(first, np.log(1244.780029 / 1228.099976), rtol=1e-4)
  with pytest.raises(ValueError, match='sp500: .*as --window=24'):
    data.open_dataset(spec._replace(window=None))


def test_what_is_no_long_series_has_no_windows(tmp_path):
  for given, flag in (({'window': 24}, '--window=24'), ({'log_changes': True}, '--log_changes')):
    with pytest.raises(ValueError, match=f'{flag}: mnist5k is no long series; expected sp500, a'):
      data.open_dataset(data.DatasetSpec('mnist5k', **given))
  spec = data.DatasetSpec('sp500', window=24, log_changes=True)
  assert spec.of_split('./held.csv').window == 24  # another file may stand for a split
  drawn = spec.of_split('./drawn')
  assert drawn.window is None and not drawn.log_changes


def test_without_the_package_the_line_that_installs_it_is_said(monkeypatch):
  found = importlib.util.find_spec
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: (
      None if name == 'arch' else found(name, *rest)))
  with pytest.raises(ImportError, match=r"sp500 needs arch: pip install 'jaxsynth\[series\]'"):
    embedded_series.embedded_series('sp500')


def test_the_package_is_not_imported():
  code = ("import sys; from jaxsynth.data.embedded_series import embedded_series as read; "
          "read('sp500'); print(not {'arch', 'pandas', 'statsmodels'} & set(sys.modules))")
  assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True
                        ).stdout == 'True\n'


def test_changes_of_logarithms_add_up_to_the_prices():
  prices = np.exp(np.random.default_rng(0).normal(size=(50, 2)).cumsum(0))
  changes = log_changes(prices, ['a', 'b'])
  assert changes.shape == (49, 2) and changes.dtype == np.float32
  np.testing.assert_allclose(prices[0] * np.exp(changes.astype(np.float64).cumsum(0)), prices[1:],
                             rtol=1e-4)
  with pytest.raises(ValueError, match=r'^--log_changes: mine, row 1: b=0 has no logarithm'):
    log_changes([[1., 1.], [1., 0.]], ['a', 'b'], 'mine')
  with pytest.raises(ValueError, match='1 rows; a change needs two'):
    log_changes([[1.]], ['a'])


def test_a_set_of_a_file_has_its_two_parts_and_names(tmp_path):
  path, arrays = labelled(tmp_path)
  spec = data.DatasetSpec(str(path), array='Waves')
  assert (spec.kind, spec.title, specs.split_names(spec)) == (
      'labelled', 'Waves', ('train', 'test'))
  assert spec._replace(array=None).kind == 'npz'
  assert spec.places['dataset'] == str(path) and list(specs.files_of(spec)) == ['sets.npz']
  assert roles.roles(spec) == roles.Roles('train', None, 'test')
  for split in ('train', 'test'):
    part = examples.read_split(spec, split)
    np.testing.assert_array_equal(part.values, arrays[f'Waves_x_{split}'])
    np.testing.assert_array_equal(part.labels, arrays[f'Waves_y_{split}'])
    assert part.class_names == ('low', 'high') and part.name == f'Waves/{split}'
  low = data.open_dataset(spec).kind.settings['low']
  np.testing.assert_allclose(low, arrays['Waves_x_train'].min((0, 1)))


@pytest.mark.parametrize('given, more, message', [
    ({'array': 'Tides'}, {}, r'--array=Tides: .*no Tides_x_train; the sets in it are Waves$'),
    ({'split': 'all'}, {}, '--split=all: Waves of sets.npz has train and test'),
    ({}, {'Waves_y_train': np.zeros(3, int)}, r'Waves: labels .*expected integers \[6\]'),
    ({}, {'Waves_x_train': np.full((6, 9), np.nan)}, '6 of 6 series are not finite')])
def test_what_is_wrong_with_a_set_is_said(tmp_path, given, more, message):
  path, _ = labelled(tmp_path, **more)
  with pytest.raises(ValueError, match=message):
    labelled_series(path, **{'array': 'Waves', **given})


def test_other_files_are_refused(tmp_path):
  with pytest.raises(FileNotFoundError, match='no such file'):
    labelled_series(tmp_path / 'none.npz', 'Waves')
  (tmp_path / 'bad.npz').write_text('x')
  with pytest.raises(ValueError, match='not an .npz file of plain arrays'):
    labelled_series(tmp_path / 'bad.npz', 'Waves')

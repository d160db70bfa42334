"""A long series of a PyPI package: no download, no account."""
from collections.abc import Sequence
import gzip
import importlib.util
import pathlib

import numpy as np

from jaxsynth.data.credit import Credit
from jaxsynth.data.series_file import SeriesFile

# a name of `--dataset`: the file within `arch`, whose first column is the day
FILES = {'sp500': 'data/sp500/sp500.csv.gz'}
CREDITS = {'sp500': Credit(
    'The S&P 500 stock index of each day of trading from 1999 to 2018 (open, high, low, close, '
    'adjusted close, volume), which the package arch ships.',
    'https://github.com/bashtage/arch',
    'Sheppard: arch, autoregressive conditional heteroskedasticity models in Python.',
    'of the package: NCSA; of the prices nothing is said')}


def embedded_series(name: str, columns: Sequence[str] | None = None) -> SeriesFile:
  """A series of daily prices that the package `arch` ships.

  Args:
    name: a key of `FILES`; `'sp500'` has 5,031 days of the S&P 500 index.
    columns: some of Open, High, Low, Close, Adj Close, Volume; by default all but Adj Close,
      which is Close there.

  Returns:
    The rows, the oldest first.

  Raises:
    ImportError: `arch` is not installed.
    ValueError: no such column.

  >>> prices = embedded_series('sp500', ['Close'])
  >>> prices.rows.shape, prices.first, prices.last
  ((5031, 1), '1999-01-04', '2018-12-31')
  """
  # located, not imported: arch itself would pull in pandas and statsmodels
  spec = importlib.util.find_spec('arch')
  if spec is None or not spec.submodule_search_locations:
    raise ImportError(f"{name} needs arch: pip install 'jaxsynth[series]'")
  path = pathlib.Path(spec.submodule_search_locations[0], FILES[name])
  with gzip.open(path, 'rt', encoding='utf-8') as f:
    _, *names = f.readline().strip().split(',')
    table = [line.strip().split(',') for line in f]
  chosen = tuple(columns or (column for column in names if column != 'Adj Close'))
  unknown = [column for column in chosen if column not in names]
  if unknown:
    raise ValueError(f'{name}: no column {unknown[0]!r}, only {", ".join(names)}; name one of them')
  places = [1 + names.index(column) for column in chosen]
  rows = np.array([[row[k] for k in places] for row in table], np.float32)
  return SeriesFile(rows, chosen, 0, _iso(table[0][0]), _iso(table[-1][0]))


def _iso(day: str) -> str:
  """A day as it is written there, month first: `_iso('1/4/1999') == '1999-01-04'`."""
  month, of_month, year = map(int, day.split('/'))
  return f'{year}-{month:02d}-{of_month:02d}'

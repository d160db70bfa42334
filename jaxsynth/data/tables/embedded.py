"""Real tables from PyPI packages: no download, no account."""
from collections.abc import Sequence
import csv
import importlib.util
import pathlib

import numpy as np

from jaxsynth.data.credit import Credit
from jaxsynth.data.tables.reading import read_table
from jaxsynth.data.tables.table import Table
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.row_texts import Label

MEASURED = ('radius', 'texture', 'perimeter', 'area', 'smoothness', 'compactness', 'concavity',
            'concave points', 'symmetry', 'fractal dimension')
CREDITS = {
    'breast_cancer': Credit(
        'Breast cancer Wisconsin (diagnostic): 30 numbers of the cell nuclei of 569 samples, and '
        'whether they are malignant.', 'https://archive.ics.uci.edu/dataset/17',
        'Wolberg, Mangasarian, Street, Street: Breast Cancer Wisconsin (Diagnostic), 1993, '
        'https://doi.org/10.24432/C5DW2B.', 'CC BY 4.0'),
    'penguins': Credit(
        'Palmer penguins: sizes, sex, island and year of 344 penguins of three species.',
        'https://allisonhorst.github.io/palmerpenguins',
        'Horst, Hill, Gorman: palmerpenguins, 2020, https://doi.org/10.5281/zenodo.3960218; data '
        'of Gorman, Williams, Fraser, 2014.', 'CC0')}
NAMES = tuple(CREDITS)


def embedded(name: str, label_column: str | None = None) -> Table:
  """A table that a package ships.

  Args:
    name: `'breast_cancer'` of scikit-learn (569 rows, 30 numbers, 2 classes), or `'penguins'` of
      palmerpenguins (344 rows, numbers and classes, 19 values missing, 3 species).
    label_column: of penguins; by default `species`.

  Raises:
    ImportError: the package is not installed.
    ValueError: an unknown name, or no such column.

  >>> table = embedded('breast_cancer')
  >>> table.rows.shape, table.names
  ((569, 30), ('malignant', 'benign'))
  """
  if name == 'penguins':
    path = _file('palmerpenguins', 'data/penguins.csv', name)
    return read_table(path, label_column=label_column or 'species')
  if name != 'breast_cancer':
    raise ValueError(f'{name}: expected {" or ".join(NAMES)}')
  if label_column not in (None, 'diagnosis'):
    raise ValueError(f'--label_column={label_column}: of breast_cancer it is diagnosis')
  with open(_file('sklearn', 'datasets/data/breast_cancer.csv', name), encoding='utf-8') as f:
    first, *lines = csv.reader(f)
  numbers = np.array(lines, np.float32)  # the last is the class
  columns = tuple(Column(name, 'number') for name in _columns())
  return Table(numbers[:, :-1], columns, numbers[:, -1].astype(np.int32), tuple(first[2:]),
               Label('diagnosis', len(columns)))


def _columns() -> Sequence[str]:
  return [*(f'mean {x}' for x in MEASURED), *(f'{x} error' for x in MEASURED),
          *(f'worst {x}' for x in MEASURED)]


def _file(package: str, path: str, name: str) -> pathlib.Path:
  # found, not imported: the package itself would pull in pandas, or takes a second
  spec = importlib.util.find_spec(package)
  if spec is None or not spec.submodule_search_locations:
    raise ImportError(f"{name} needs {package}: pip install 'jaxsynth[demo]'")
  return pathlib.Path(spec.submodule_search_locations[0], path)

"""Labelled series of an .npz file that holds several sets, each in a part to learn and one to test.

That is how the archives of series for classification (UCR, UEA) are divided.
"""
import os
import pathlib

import numpy as np

from jaxsynth.data.kinded import KindSource, of_series

SPLITS = ('train', 'test')


def labelled_series(path: str | os.PathLike, array: str, split: str = 'train') -> KindSource:
  """A part of one set of an .npz file.

  Args:
    path: of a file with the arrays `ARRAY_x_train` and `ARRAY_x_test`, numbers `[N, T]` or
      `[N, T, C]`; `ARRAY_y_train` and `ARRAY_y_test`, integers `[N]` from 0; and, where the
      classes have names, `ARRAY_classes`, as many as there are classes.
    array: which set, as those names begin.
    split: `'train'` or `'test'`.

  Returns:
    The series, which models see scaled by the range of this part.

  Raises:
    FileNotFoundError: no such file.
    ValueError: another file, no such set, an unknown split, or series that are not of one length
      or not finite.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  if split not in SPLITS:
    raise ValueError(f'--split={split}: {array} of {path.name} has {" and ".join(SPLITS)}')
  try:
    with np.load(path, allow_pickle=False) as file:
      keys, wanted = list(file.files), [f'{array}_{part}_{split}' for part in 'xy']
      parts = [file[name] if name in keys else None for name in (*wanted, f'{array}_classes')]
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f'{path}: not an .npz file of plain arrays ({error})') from error
  values, labels, names = parts
  if values is None or labels is None:
    there = sorted(name.removesuffix('_x_train') for name in keys if name.endswith('_x_train'))
    lacks = wanted[0] if values is None else wanted[1]
    raise ValueError(f'--array={array}: {path} has no {lacks}; the sets in it are '
                     f'{", ".join(there) or "none, since no array ends with _x_train"}')
  classes = None if names is None else len(names)
  return of_series(values, labels, classes, array, None if names is None else [*map(str, names)])

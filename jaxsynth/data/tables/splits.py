"""Which rows of a table are of which split."""
import re

import numpy as np

# which share each split is of; `all` is of all, so that the others are in it
SPLITS = {'train': (0., .8), 'validation': (.8, .9), 'test': (.9, 1.), 'all': (0., 1.)}
FEW = {'train': (0., .5), 'validation': (.5, .75), 'test': (.75, 1.), 'all': (0., 1.)}
LEAST = 2000  # rows below which a tenth is too few to judge by


def positions(n: int, split: str) -> np.ndarray:
  """Rows of a split, rising.

  A table is in no order that could be split by, or in one that would mislead. So each row has a
  number in [0, 1) that its position alone decides, SplitMix64's of Steele et al. 2014 (Fast
  splittable pseudorandom number generators), and splits are of ranges of these: 80, 10 and 10 %, of
  fewer than 2,000 rows 50, 25 and 25 %. Rows that are added at the end leave the others where they
  are.

  Args:
    n: rows of the table.
    split: a key of `SPLITS`, or a part of one as `'train[:1000]'`.

  Raises:
    ValueError: an unknown split, or one without rows.

  >>> [len(positions(9000, split)) for split in ('train', 'validation', 'test', 'all')]
  [7278, 861, 861, 9000]
  """
  parts = re.fullmatch(r'(\w+)(?:\[(\d*):(\d*)\])?', split)
  if parts is None or parts[1] not in SPLITS:
    raise ValueError(f'--split={split}: expected {", ".join(SPLITS)}, or a part as train[:1000]')
  low, high = (FEW if n < LEAST else SPLITS)[parts[1]]
  shares = _shares(n)
  rows = np.flatnonzero((low <= shares) & (shares < high))
  start, stop = int(parts[2] or 0), min(int(parts[3] or len(rows)), len(rows))
  if start >= stop:
    raise ValueError(f'--split={split}: no rows; of {n:,} of the table {len(rows):,} are of '
                     f'{parts[1]}')
  return rows[start:stop]


def _shares(n: int) -> np.ndarray:
  """A number in [0, 1) of each position, float64 `[n]`."""
  z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # modulo 2^64
  z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2. ** 53

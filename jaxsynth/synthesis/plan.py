"""Which samples go into which file, and who writes it."""
from collections.abc import Mapping
from typing import NamedTuple

from jaxsynth.synthesis.labels import Shares, cycle


class Shard(NamedTuple):
  """One file (or folder) of consecutive samples.

  Attributes:
    split: its name.
    shard_index: of this shard in its split.
    num_shards: of the split.
    start: address of the first sample.
    stop: one past the last.
  """
  split: str
  shard_index: int
  num_shards: int
  start: int
  stop: int

  @property
  def name(self) -> str:
    """As `train-00003-of-00064`."""
    return f'{self.split}-{self.shard_index:05d}-of-{self.num_shards:05d}'


def shards(splits: Mapping[str, int], num_shards: int, block: int) -> list[Shard]:
  """Cuts the samples 0, 1, ... into splits, one after the other, and those into shards.

  Shards end where blocks do, so no block is computed twice (but for one where two
  splits meet); each split gets its proportion of the shards, at least one.

  Args:
    splits: number of samples of each.
    num_shards: of all splits together.
    block: samples computed together.

  Returns:
    The shards in order of address.

  Raises:
    ValueError: a split without samples, or more shards than blocks.

  >>> [(s.name, s.start, s.stop) for s in shards({'train': 10, 'test': 2}, 2, 4)]
  ... # doctest: +NORMALIZE_WHITESPACE
  [('train-00000-of-00001', 0, 10), ('test-00000-of-00001', 10, 12)]
  """
  if not splits or min(splits.values()) < 1 or num_shards < 1 or block < 1:
    raise ValueError(f'splits {dict(splits)} in {num_shards} shards of blocks of {block}: '
                     'expected at least 1 of each')
  total, start, out = sum(splits.values()), 0, []
  for split, size in splits.items():
    count = max(1, num_shards * size // total)
    stop = start + size
    cuts = [start, *(round((start + size * k / count) / block) * block
                     for k in range(1, count)), stop]
    if any(b <= a for a, b in zip(cuts, cuts[1:])):
      raise ValueError(f'{count} shards of the {size} samples of {split}: a shard holds whole '
                       f'blocks of {block}, so expected at most {max(1, size // block)}')
    out += [Shard(split, k, count, *pair) for k, pair in enumerate(zip(cuts, cuts[1:]))]
    start = stop
  return out


def check_shares(splits: Mapping[str, int], shares: Shares) -> None:
  """Holds that every split has the shares exactly; equal ones may differ by one.

  Raises:
    ValueError: a split that the shares do not divide.
  """
  whole = cycle(shares)
  if isinstance(shares, int):
    return
  for split, size in splits.items():
    if size % whole:
      raise ValueError(f'{size} samples of {split} cannot have the shares {list(shares)} '
                       f'exactly: expected a multiple of {whole}, such as '
                       f'{max(1, round(size / whole)) * whole}')


def shards_of_worker(every: list[Shard], worker: int, workers: int) -> list[Shard]:
  """Worker `worker` of `workers` writes every `workers`-th shard.

  Raises:
    ValueError: no such worker.
  """
  if not 0 <= worker < workers:
    raise ValueError(f'worker {worker} of {workers}: expected 0 to {workers - 1}')
  return every[worker::workers]

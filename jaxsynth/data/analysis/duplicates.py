"""Copies: equal images, and images closer than chance puts them."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data.analysis.neighbourhood import Neighbourhood


class Groups(NamedTuple):
  """Examples that are copies of each other.

  Attributes:
    copies: examples beyond the first of each group.
    groups: positions, group by group, each with its positions rising.
    conflicts: of the groups, those whose labels differ.
  """
  copies: int
  groups: tuple[tuple[int, ...], ...]
  conflicts: tuple[tuple[int, ...], ...]


def exact(digests: np.ndarray, labels: np.ndarray | None = None) -> Groups:
  """Groups of equal images within a set.

  >>> exact(np.array(['a', 'b', 'a', 'c']))
  Groups(copies=1, groups=((0, 2),), conflicts=())
  """
  order = np.argsort(digests, kind='stable')
  new = np.flatnonzero(np.r_[True, digests[order][1:] != digests[order][:-1]])
  groups = sorted(tuple(map(int, g)) for g in np.split(order, new[1:]) if len(g) > 1)
  conflicts = () if labels is None else tuple(
      g for g in groups if len(set(labels[list(g)].tolist())) > 1)
  return Groups(sum(len(g) - 1 for g in groups), tuple(groups), conflicts)


def shared(digests: np.ndarray, reference: np.ndarray) -> np.ndarray:
  """Pairs `[P, 2]`: an example, and the first of the reference that is equal to it.

  >>> shared(np.array(['a', 'b']), np.array(['c', 'b', 'b'])).tolist()
  [[1, 1]]
  """
  known, first = np.unique(reference, return_index=True)
  places = np.searchsorted(known, digests).clip(max=len(known) - 1)
  hits = np.flatnonzero(known[places] == digests)
  return np.stack([hits, first[places[hits]]], 1)


def near(neighbourhood: Neighbourhood, dimension: float, level: float = 0.01) -> np.ndarray:
  """Examples whose nearest neighbour is closer than the other neighbours allow.

  Where density is constant among the k nearest, the volumes they span are those of a
  Poisson process: `(r_1 / r_k)^d` is the least of k - 1 uniform numbers, so that
  `P((r_1 / r_k)^d <= v) = 1 - (1 - v)^(k-1)`. An example is flagged where that is less
  than `level` over the number of examples looked at (Bonferroni): with no copies
  there, a set has any flag with probability `level`, as far as the density is even.

  Args:
    neighbourhood: of k >= 3 neighbours.
    dimension: intrinsic, of the set that was searched.
    level: chance of a false flag in the whole set.

  Returns:
    `[F]`, rows of `neighbourhood`, the surest first.

  The process is that of Facco et al. (2017), https://arxiv.org/abs/1803.06992.
  """
  distances = neighbourhood.distances.astype(np.float64)
  r1, rk, k = distances[:, 0], distances[:, -1], distances.shape[1]
  if k < 3 or not np.isfinite(dimension):
    return np.flatnonzero(r1 <= 0)
  ratio = np.where(rk > 0, r1 / np.where(rk > 0, rk, 1), 0).clip(0, 1 - 1e-12)
  p = -np.expm1((k - 1) * np.log1p(-ratio ** dimension))
  flagged = np.flatnonzero(p < level / len(p))
  return flagged[np.argsort(ratio[flagged], kind='stable')]

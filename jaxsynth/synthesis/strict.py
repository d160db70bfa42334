"""A stream of samples that have passed filters: as many as asked for, each in its place."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.kinds.image_kind import images
from jaxsynth.kinds.kind import Kind
from jaxsynth.synthesis.candidates import Judged, Propose
from jaxsynth.synthesis.draw import Piece, Stream
from jaxsynth.synthesis.filters import duplicates

WINDOW = 16  # blocks that are filled together


class Kept(NamedTuple):
  """What became of the candidates.

  Attributes:
    candidates: how many were looked at.
    accepted: how many were taken.
    passed: for each filter by name, how many of all candidates it alone lets pass; of
      `duplicates`, how many of those that pass the others.
  """
  candidates: int
  accepted: int
  passed: Mapping[str, int]

  def __add__(self, other: Any) -> 'Kept':
    return Kept(self.candidates + other.candidates, self.accepted + other.accepted,
                {name: n + other.passed[name] for name, n in self.passed.items()})


class TooFew(RuntimeError):
  """The filters let too few candidates pass."""


class _Window:
  """Samples [first, last) as they are found."""

  def __init__(self, first: int, last: int):
    self.first, self.taken = first, np.zeros(last - first, bool)
    self.images: np.ndarray | None = None
    self.labels: np.ndarray | None = None
    self.drawn = 0

  def pending(self) -> np.ndarray:
    """Addresses without a sample."""
    return self.first + np.flatnonzero(~self.taken)

  def take(self, some: Judged, ok: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each place takes its first candidate that passes: which were looked at, and taken."""
    slots, at = some.indices - self.first, np.arange(len(ok))
    first = np.full(len(self.taken), len(ok))
    np.minimum.at(first, slots[ok], at[ok])
    looked = ~self.taken[slots] & (at <= first[slots])
    won = np.flatnonzero(looked & ok)
    if self.images is None:
      self.images = np.empty((len(self.taken), *some.images.shape[1:]), some.images.dtype)
      self.labels = None if some.labels is None else np.empty(len(self.taken), np.int32)
    self.images[slots[won]] = some.images[won]
    if self.labels is not None and some.labels is not None:
      self.labels[slots[won]] = some.labels[won]
    self.taken[slots[won]] = True
    return looked, won


def passing(propose: Propose, names: Sequence[str], image_shape: tuple[int, ...], *,
            block: int, unlike: float | None = None, attempts: int = 64, kind: Kind | None = None,
            report: Callable[[int, int, Kept], None] = lambda *counts: None) -> Stream:
  """Draws runs of samples that pass, each in its place and with its label.

  Sample i is the first of its candidates 0, 1, ... that passes; so labels stay exactly as
  asked for, and a sample whose first candidate passes is that of the unfiltered data set.
  Near copies are looked for within the run asked for, a shard: a candidate that is near to
  one accepted before it is passed over. So a run depends on nothing but itself, whoever
  draws it; near copies in different shards stay.

  Args:
    propose: the candidates, see `candidates.proposer`.
    names: of its filters.
    image_shape: `(H, W, C)`, or the shape of an example of another kind.
    block: as the proposer's.
    unlike: the distance, `duplicates.duplicate_threshold`, below which two samples are
      copies; `None` to let them be.
    attempts: candidates a sample, on average over the 16 blocks that are filled together,
      before it is given up.
    kind: what samples are; `None` for images.
    report: called with `(start, stop, kept)` once a run is complete, before its last piece.

  Returns:
    `(start, stop) -> pieces`, as `streamer`'s.

  Raises:
    TooFew: when drawn; it says what was kept.
  """
  if attempts < 1:
    raise ValueError(f'attempts={attempts}: expected at least 1')
  kind = kind or images(image_shape)
  name, to_model, dtype = kind.name, kind.to_model, kind.fields[kind.name].dtype
  every = [*names, *(['duplicates'] if unlike is not None else [])]

  def fill(window: _Window, kept: Kept, seen: duplicates.Seen | None
           ) -> tuple[Kept, duplicates.Seen | None]:
    attempt = 0
    while len(pending := window.pending()):
      if window.drawn >= attempts * len(window.taken):
        raise TooFew(_too_few(window, kept))
      each = max(1, block // len(pending))  # the last few places get several at once
      tries = np.repeat(np.arange(attempt, attempt + each), len(pending))
      window.drawn, attempt = window.drawn + len(tries), attempt + each
      for some in propose(np.tile(pending, each), tries):
        passed = np.asarray(some.passed.all(1))
        ok, copies = passed, np.zeros(len(passed), bool)
        if seen is not None and unlike is not None:
          block_of = some.images[np.minimum(np.arange(block), len(passed) - 1)]
          near_seen, near_own = (x[:len(passed)] for x in duplicates.near(
              seen, block_of, unlike, to_model))
          ok = duplicates.greedy(passed, some.indices - window.first, window.taken, near_seen,
                                 near_own)
          copies = passed & ~ok
        looked, won = window.take(some, ok)
        if seen is not None:
          seen = duplicates.add(seen, block_of, won, to_model)
        counts = [*some.passed[looked].sum(0).tolist()]
        counts += [int((passed & ~copies)[looked].sum())] if seen is not None else []
        kept += Kept(int(looked.sum()), len(won), dict(zip(every, counts)))
    return kept, seen

  def stream(start: int, stop: int) -> Iterator[Piece]:
    kept = Kept(0, 0, dict.fromkeys(every, 0))
    seen = None if unlike is None else duplicates.nothing_seen(
        stop - start, image_shape, to_model, dtype)
    for first in range(start, stop, WINDOW * block):
      window = _Window(first, min(first + WINDOW * block, stop))
      kept, seen = fill(window, kept, seen)
      if first + len(window.taken) == stop:
        report(start, stop, kept)
      assert window.images is not None
      for at in range(0, len(window.taken), block):
        cut = slice(at, at + block)
        labels = {} if window.labels is None else {'label': window.labels[cut]}
        yield Piece(first + at, {name: window.images[cut], **labels})
  return stream


def _too_few(window: _Window, kept: Kept) -> str:
  left = window.pending()
  share = lambda n: f'{n / max(kept.candidates, 1):.2%}'
  text = (f'{len(left)} of the samples {window.first} to {window.first + len(window.taken) - 1} '
          f'are missing after {window.drawn} candidates: the filters keep '
          f'{share(kept.accepted)} of {kept.candidates} (')
  text += ', '.join(f'{name} {share(n)}' for name, n in kept.passed.items()) + ')'
  return text + ('; keep more of what is real, drop a filter, ask for other labels, or allow '
                 'more attempts')

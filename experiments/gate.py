"""The quality gate: what a data set scores, and whether that is enough."""
from collections.abc import Mapping, Sequence
import json
import operator
import pathlib
import re
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from extractors import extract
from jaxsynth import data, files
from jaxsynth.metrics import duplicates, features as features_, frechet, kernel, prdc
from jaxsynth.metrics.protocol import Protocol
from jaxsynth.synthesis.filters.copies import all_small
from quality_options import Real
import recipe
from sets import some

REJECTED = 3  # the exit code
LOWER, HIGHER = ('frechet', 'kernel', 'copies'), ('precision', 'recall', 'density', 'coverage')
HOLDS = {'<=': operator.le, '>=': operator.ge, '<': operator.lt, '>': operator.gt}
K, SUBSETS, SEED = 5, 100, 0
FLAGS = flags.FLAGS


class Requirement(NamedTuple):
  """As `frechet<=20`."""
  score: str
  sense: str
  bound: float

  def __str__(self) -> str:
    return f'{self.score}{self.sense}{self.bound:g}'


def requirements(text: str) -> list[Requirement]:
  """Parses --require.

  Raises:
    ValueError: something else, an unknown score, or a bound on its good side.

  >>> [str(r) for r in requirements('frechet <= 2e1, recall>.5')]
  ['frechet<=20', 'recall>0.5']
  """
  found = []
  for entry in text.split(','):
    parts = re.fullmatch(r'\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*', entry)
    try:
      bound = float(parts[3]) if parts else np.nan
    except ValueError:
      bound = np.nan
    if not parts or not np.isfinite(bound):
      raise ValueError(f'--require={text}: {entry.strip()!r}, expected a score, <= or >=, and a '
                       'number, as frechet<=20,recall>=.5')
    name, sense = parts[1], parts[2]
    if name not in LOWER + HIGHER:
      raise ValueError(f'--require={text}: unknown score {name!r}, expected some of '
                       f'{", ".join(LOWER + HIGHER)}')
    if (name in LOWER) != (sense[0] == '<'):
      raise ValueError(f'--require={text}: {name} is better the '
                       f'{"lower" if name in LOWER else "higher"}, expected '
                       f'{"<=" if name in LOWER else ">="}')
    found.append(Requirement(name, sense, bound))
  return found


class Scorer:
  """Scores images against held-out real ones, as many of both.

  Args:
    real: the data.
    num: images of each, at most.
  """

  def __init__(self, real: Real, num: int):
    self.num = min(num, len(real.held))
    self._real = real
    self._held = real.held[some(len(real.held), self.num)]
    self._features = self._of(self._held)
    self._train: np.ndarray | None = None

  def _of(self, images: np.ndarray) -> np.ndarray:
    return extract(self._real.net, images)

  def scores(self, images: np.ndarray, *, floor: bool = False) -> dict[str, float | None]:
    """Every score; `floor` leaves out copies, as training images are copies of themselves."""
    fake = self._of(images)
    n = min(len(fake), len(self._features))
    width = fake.shape[1]
    found: dict[str, Any] = {
        'frechet': (frechet.frechet_distance(self._features, fake)
                    if n > width else None),
        'kernel': kernel.kernel_distance(
            self._features, fake, subsets=SUBSETS, subset_size=min(1000, n // 2)).value}
    found.update(prdc.prdc(self._features, fake, K)._asdict())
    if floor:
      return found | {'copies': 1 / (len(self._real.held) + 1)}
    if self._train is None:
      self._train = all_small(self._real.train.take(np.arange(self._real.train.size))['image'])
    copies = duplicates.near_copies(all_small(images), self._train, all_small(self._real.held))
    return found | {'copies': copies.share.value}

  def floor(self) -> dict[str, float | None]:
    """Training images in the place of samples: what a perfect generator scores."""
    train = self._real.train
    return self.scores(train.take(some(train.size, self.num))['image'], floor=True)

  def protocols(self, n_fake: int) -> dict[str, Any]:
    """How each was measured."""
    subset = min(1000, n_fake // 2, self.num // 2)
    settings: dict[str, dict[str, Any]] = {
        'frechet': {}, 'copies': {'pixels': 'at most 32 x 32'},
        'kernel': {'subsets': SUBSETS, 'subset_size': subset}}
    cards = {}
    for name in LOWER + HIGHER:
      net = features_.pixels() if name == 'copies' else self._real.net
      cards[name] = Protocol.of(
          features_.score_name(name, net), net, n_real=self.num, n_fake=n_fake,
          split=self._real.held_name, seed=SEED, settings=settings.get(name, {'k': K}))._asdict()
    return cards


def written(order: recipe.Order, num: int) -> np.ndarray:
  """A seeded sample of the data set as it lies on disk: uint8 `[num, H, W, C]`."""
  total = sum(order.splits.values())
  at, start, found = some(total, num, SEED), 0, []
  for split, size in order.splits.items():
    mine = at[(at >= start) & (at < start + size)] - start
    if FLAGS.format == 'folder':
      source: data.Source = data.folder(order.folder / split)
    else:
      source = data.tfds_source(f'{FLAGS.name}:{FLAGS.version}', split,
                                pathlib.Path(FLAGS.out).expanduser(), label_key=None)
    if len(mine):
      found.append(source.take(mine)['image'])
    start += size
  return np.concatenate(found)


def verdict(scores: Mapping[str, float | None], wanted: Sequence[Requirement]) -> dict[str, Any]:
  """Accepted or rejected, and by which requirement; a score that is not there fails.

  >>> verdict({'recall': .4}, requirements('recall>=.5'))['failed']
  ['recall>=0.5: 0.4']
  """
  failed = []
  for need in wanted:
    value = scores[need.score]
    if value is None or not HOLDS[need.sense](value, need.bound):
      failed.append(f'{need}: {"not measurable" if value is None else format(value, ".4g")}')
  return {'quality': 'rejected' if failed else 'accepted',
          'required': [str(need) for need in wanted], 'failed': failed}


def mark(folder: pathlib.Path, measured: Mapping[str, Any]) -> None:
  """Adds what was measured to `metadata.json`; its settings stay as they are."""
  path = folder / 'metadata.json'
  whole = json.loads(path.read_text(encoding='utf-8'))
  with files.write_aside(path) as f:
    f.write(json.dumps({**whole, 'measured': measured}, indent=2, sort_keys=True,
                       allow_nan=False).encode() + b'\n')


def marked(folder: pathlib.Path) -> dict[str, Any]:
  """What `mark` has added, or nothing."""
  return json.loads((folder / 'metadata.json').read_text(encoding='utf-8')).get('measured', {})

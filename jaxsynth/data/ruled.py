"""Examples of a rule as a data set: drawn when they are asked for, of some number or endless."""
import dataclasses
import functools
import json
import pathlib
import re
from typing import Any

import jax
import numpy as np

from jaxsynth.data.batches import checked_positions, ENDLESS
from jaxsynth.data.classes import Names
from jaxsynth.data.credit import Credit
from jaxsynth.keys import of_seed
from jaxsynth.kinds import series_kind
from jaxsynth.kinds.image_kind import images, NAME as IMAGE
from jaxsynth.kinds.kind import Kind
from jaxsynth.rules import named, spec as specs
from jaxsynth.rules.rule import examples, kind_of, Rule

PREFIX = 'rule:'
# split: the seed of its examples, and how many there are; `endless` begins with those of train
SPLITS = {'train': (0, 60_000), 'validation': (1, 5_000), 'test': (2, 10_000),
          'endless': (0, ENDLESS)}
STREAM = 0x52554c45  # parts these draws from others of the same seed
BLOCK = 64  # examples computed together
LARGEST = 2 ** 28  # bytes of a split that is drawn once and kept
FITTED = 1024  # examples of train whose range is that of a rule's series


@dataclasses.dataclass(frozen=True)
class RuleSource:
  """Random access to the examples of a rule; example i is a function of (spec, split, i).

  Attributes:
    name: for messages and records.
    size: number of examples; `batches.ENDLESS` of a split without end.
    rule: which.
    kind: what its examples are, as models learn them.
    seed: of the split.
    start: the first one's number in the split.
    arrays: names of those that are given; all by default. What others need is not computed.
  """
  name: str
  size: int
  rule: Rule
  kind: Kind
  seed: int
  start: int = 0
  arrays: tuple[str, ...] = ()

  @property
  def image_shape(self) -> tuple[int, ...]:
    """`(H, W, C)`, or `(T, C)` of series."""
    return self.kind.shape

  @property
  def num_classes(self) -> int | None:
    """Of the labels, or `None`."""
    return len(self.rule.class_names) or None

  @property
  def class_names(self) -> Names | None:
    """Of the labels."""
    return self.rule.class_names or None

  @functools.cached_property
  def _draw(self) -> Any:
    key = jax.random.fold_in(of_seed(self.seed), STREAM)

    @jax.jit
    def draw(indices: jax.Array) -> dict[str, jax.Array]:
      batch = examples(self.rule, jax.vmap(jax.random.fold_in, (None, 0))(key, indices))
      labels = {'label': batch['label']} if 'label' in batch else {}
      every = {**kind_of(self.rule).to_disk(batch), **labels}
      return {name: every[name] for name in self.arrays or every if name in every}
    return draw

  def take(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Named arrays of these examples, as on disk.

    Raises:
      IndexError: a position outside [0, size).
    """
    indices = checked_positions(indices, self.size, self.name)
    parts = []
    for first in range(0, max(len(indices), 1), BLOCK):
      some = indices[first:first + BLOCK]
      padded = np.resize(some, BLOCK) if len(some) else np.zeros(BLOCK, np.int64)
      drawn = self._draw((padded + self.start).astype(np.uint32))
      parts.append({name: np.asarray(x)[:len(some)] for name, x in drawn.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def rule_source(dataset: str, split: str, arrays: tuple[str, ...] = ()) -> RuleSource:
  """The examples of a rule.

  Args:
    dataset: `'rule:shapes'`, or with its spec after the name: `'rule:shapes{"radius": 0.3}'`, or
      `'rule:shapes@FILE'` of JSON.
    split: a key of `SPLITS`, or a part of one as `'train[:1000]'`.
    arrays: see `RuleSource`.

  Raises:
    ValueError: no such rule or split, a spec that cannot be, or a rule whose examples are
      neither pictures of one frame nor series.
    OSError: the file of a spec cannot be read.

  >>> source = rule_source('rule:shapes', 'train[100:]')
  >>> source.size, source.image_shape, source.num_classes, source.take([3, 5])['image'].shape
  (59900, (28, 28, 1), 8, (2, 28, 28, 1))
  """
  name, text = parsed(dataset)
  rule = named.of_name(name, text)
  kind = kind_of(rule)
  if len(kind.shape) == 4:
    raise ValueError(f'--dataset={dataset}: its examples are videos {list(kind.shape)}; expected '
                     'a rule of single pictures or of series, as rule:shapes or rule:heart')
  seed, start, stop = bounds(split)
  if kind.name == IMAGE:
    kind = images(kind.shape, len(rule.class_names) or None, rule.class_names or None)
  source = RuleSource(dataset, stop - start, rule, kind, seed, start, arrays)
  if kind.name == series_kind.NAME:
    first = dataclasses.replace(source, size=FITTED, seed=SPLITS['train'][0], start=0)
    low, high = series_kind.ranges(first.take(np.arange(FITTED))[kind.name])
    source = dataclasses.replace(source, kind=series_kind.series(
        kind.shape, low, high, source.num_classes, source.class_names))
  return source


def learned(dataset: str) -> tuple[str, ...]:
  """Names of the arrays of a rule that models learn from: its picture or series, and its label.

  >>> learned('rule:shapes'), learned('rule:heart')
  (('image', 'label'), ('series', 'label'))
  """
  kind = kind_of(named.of_name(*parsed(dataset)))
  return kind.name, *((kind.condition,) if kind.condition else ())


def parsed(dataset: str) -> tuple[str, str | None]:
  """The name of a rule, and its spec as JSON or the name of a file, if there is one.

  >>> parsed('rule:shapes'), parsed('rule:shapes{}'), parsed('rule:shapes@mine.json')
  (('shapes', None), ('shapes', '{}'), ('shapes', 'mine.json'))
  """
  parts = re.fullmatch(r'(\w+)(?:(\{.*\})|@(.+))?', dataset.removeprefix(PREFIX), re.DOTALL)
  if parts is None:
    raise ValueError(f'--dataset={dataset}: expected rule:NAME, rule:NAME{{...}} or '
                     f'rule:NAME@FILE; rules are {", ".join(named.RULES)}')
  return parts[1], parts[2] or parts[3]


def file_of(dataset: str) -> pathlib.Path | None:
  """The file that a rule's spec lies in, if it does.

  >>> file_of('rule:shapes{}'), file_of('rule:shapes@mine.json').name
  (None, 'mine.json')
  """
  text = parsed(dataset)[1]
  return None if text is None or text.startswith('{') else pathlib.Path(text).expanduser()


def credit(dataset: str) -> Credit:
  """Where the examples of a rule come from: from the rule, and from what of its spec.

  Raises:
    As `rule_source`.

  >>> credit('rule:shapes{"radius": 0.3}').description
  'Drawn by the rule shapes of jaxsynth; its spec is the default but for {"radius": [0.3, 0.3]}.'
  """
  name, text = parsed(dataset)
  changed = specs.changed(named.of_name(name, text).spec)
  return Credit(f'Drawn by the rule {name} of jaxsynth; its spec is the default' + (
      f' but for {json.dumps(changed)}.' if changed else '.'), '', '',
      "none is needed, as nobody's images are in it")


def bounds(split: str) -> tuple[int, int, int]:
  """The seed of a split, and its first and last address.

  >>> bounds('test[10:30]')
  (2, 10, 30)
  """
  parts = re.fullmatch(r'(\w+)(?:\[(\d*):(\d*)\])?', split)
  if parts is None or parts[1] not in SPLITS:
    raise ValueError(f'--split={split}: expected {", ".join(SPLITS)}, or a part as train[:1000]')
  seed, size = SPLITS[parts[1]]
  start, stop = int(parts[2] or 0), min(int(parts[3] or size), size)
  if start >= stop:
    raise ValueError(f'--split={split}: an empty part; expected some of [0, {size})')
  return seed, start, stop

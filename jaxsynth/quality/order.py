"""What a data set is to hold, where it is written, and in which files."""
from collections.abc import Mapping, Sequence
from fractions import Fraction
import math
import os
import pathlib
import re
from typing import Literal, NamedTuple, TYPE_CHECKING

import jax
import numpy as np

from jaxsynth import data
from jaxsynth.data import classes
from jaxsynth.data.examples import random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.prepared_kinded import tfds_kinded
from jaxsynth.synthesis import plan
from jaxsynth.synthesis.blocks import block_for
from jaxsynth.synthesis.labels import Shares, shares_of

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax

FileFormat = Literal['array_record', 'tfrecord', 'folder']
MOST = 2 ** 31  # samples of a model and seed
IMAGES_A_SHARD = 16_000


class Order(NamedTuple):
  """What is to be written, and where. Make one with `Order.of`.

  Attributes:
    out: folder of data sets.
    name: of the data set.
    version: of the data set, `'1.0.0'`.
    format: of its files.
    splits: how many images each has, in order of the samples' addresses.
    shards: all of them.
    shares: of the labels, or `None` for none.
    seed: of the samples.
    block: images computed together; another block, other bits.
    citation: BibTeX, or `None` for that of the model.
  """
  out: pathlib.Path
  name: str
  version: str
  format: FileFormat
  splits: dict[str, int]
  shards: list[plan.Shard]
  shares: Shares | None
  seed: int
  block: int
  citation: str | None = None

  @classmethod
  def of(cls, model: 'Trained', out: str | os.PathLike, splits: Mapping[str, int], *,
         name: str = 'synthetic', version: str = '1.0.0', format: FileFormat = 'array_record',
         shares: Shares | None = None, seed: int = 0, num_shards: int | None = None,
         block: int | None = None, citation: str | None = None) -> 'Order':
    """An order that a model can fill.

    Args:
      model: that is drawn from.
      out: folder of data sets; an image folder is written right into it, the other formats
        to `out/name/version`.
      splits: images of each, `{'train': 900, 'test': 100}`.
      name: of the data set: small letters, digits and `_`.
      version: three numbers, see `is_version`.
      format: `'array_record'`, which is read without TensorFlow; `'tfrecord'`; or `'folder'`,
        a folder of PNG files for each class.
      shares: of the labels, one number a class, see `labels_for`; by default equal ones, and
        always `None` for an unconditional model.
      seed: of the samples.
      num_shards: files; by default one for 16,000 images.
      block: images computed together; by default what suits the device.
      citation: BibTeX for the metadata.

    Raises:
      ValueError: numbers, a name or shares that cannot be; it says what can.
    """
    if not re.fullmatch(r'[a-z]\w*', name, re.A) or not is_version(version):
      raise ValueError(f'name={name!r}, version={version!r}: expected small letters, digits and '
                       '_, and three numbers without zeros in front, as mnist_synth and 1.0.0')
    shares = shares_of(model.run.num_classes, shares)
    if shares is not None:
      plan.check_shares(splits, shares)
    block = block or block_for(jax.devices()[0].platform)
    num_shards = num_shards or -(-sum(splits.values()) // IMAGES_A_SHARD)
    return cls(pathlib.Path(out).expanduser(), name, version, format, dict(splits),
               plan.shards(splits, num_shards, block), shares, seed, block, citation)

  @property
  def folder(self) -> pathlib.Path:
    """Of the data set."""
    return self.out if self.format == 'folder' else self.out / self.name / self.version

  @property
  def size(self) -> int:
    """Images of all splits together."""
    return sum(self.splits.values())

  def read(self, num: int) -> np.ndarray:
    """A sample of the data set as it lies on disk, the same one at every call.

    Args:
      num: how many images, at most.

    Returns:
      uint8 `[num, H, W, C]`, or values of another kind; or all there are.

    Raises:
      OSError, ValueError: it is not there, or cannot be read.
    """
    positions, start, parts = random_positions(self.size, num), 0, []
    for split, size in self.splits.items():
      within = positions[(positions >= start) & (positions < start + size)] - start
      if self.format == 'folder':
        source: data.Source = data.folder(self.folder / split)
      else:
        name = f'{self.name}:{self.version}'
        source = tfds_kinded(name, split, self.out, label_key=None) or data.tfds_source(
            name, split, self.out, label_key=None)
      if len(within):
        parts.append(source.take(within)[kind_of(source).name])
      start += size
    return np.concatenate(parts)


def is_version(text: str) -> bool:
  """Whether it is a version as tensorflow-datasets takes one.

  >>> is_version('2024.11.5'), is_version('2024.11.05')
  (True, False)
  """
  return re.fullmatch(r'(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}', text, re.A) is not None


def parse_splits(texts: Sequence[str] | None, num: int | None) -> dict[str, int]:
  """How many images each split has, from texts as `--splits` and `--num` take them.

  Args:
    texts: a name and a number each, `['train:900', 'test:100']`; `None` for train alone.
    num: of all together; needed where there are no texts.

  Raises:
    ValueError: other texts, or numbers that do not add up.

  >>> parse_splits(['train:900', 'test:100'], None)
  {'train': 900, 'test': 100}
  """
  if texts is None:
    if num is None:
      raise ValueError('give --num, or --splits as train:900000,test:100000')
    return {'train': num}
  splits: dict[str, int] = {}
  for text in texts:
    parts = re.fullmatch(r'([a-zA-Z]\w*):([1-9]\d*)', text.strip(), re.A)
    if not parts or parts[1] in splits or parts[1] == 'all':
      raise ValueError(f'--splits={",".join(texts)}: expected names and numbers, as '
                       'train:900000,test:100000')
    splits[parts[1]] = int(parts[2])
  total = sum(splits.values())
  if num not in (None, total) or total > MOST:
    raise ValueError(f'--num={num}, but --splits are {total} together: expected the same, at '
                     'most 2^31')
  return splits


def parse_shares(text: str, names: Sequence[str] | int | None) -> Shares | None:
  """The labels' shares, from a text as `--labels` takes it.

  Args:
    text: `'balanced'`; shares in order of the classes, `'5,3,2'`; or those of some classes by
      their names, `'cat:1,dog:3'`, or by their numbers where no name is a number, `'0:1,7:3'`.
    names: of the classes that the model is conditional on, or how many they are; `None` for an
      unconditional model.

  Returns:
    The number of classes for equal shares, or whole numbers, one a class; `None` for an
    unconditional model.

  Raises:
    ValueError: another text.

  >>> parse_shares('balanced', 3), parse_shares('.5,.3,.2', 3), parse_shares('0:1,2:3', 3)
  (3, [5, 3, 2], [1, 0, 3])
  >>> parse_shares('dog:3', ['cat', 'dog'])
  [0, 3]
  """
  if names is None:
    if text != 'balanced':
      raise ValueError(f'--labels={text}: the model is not conditional')
    return None
  names = classes.numbered(names) if isinstance(names, int) else tuple(names)
  if text == 'balanced':
    return len(names)
  try:
    entries = [entry.rpartition(':')[::2] for entry in text.split(',')]
    at = classes.places([name.strip() for name, _ in entries], names) if ':' in text else [
        *range(len(entries))]
    shares = {k: Fraction(share) for k, (_, share) in zip(at, entries)}
    right = (len(shares) == len(entries) and None not in shares and
             (':' in text or len(shares) == len(names)) and
             min(shares.values()) >= 0 and max(shares.values()) > 0)
  except (ValueError, ZeroDivisionError):
    right = False
  if not right:
    raise ValueError(
        f"--labels={text}: expected 'balanced', {len(names)} shares as 5,3,2,..., or those of "
        f'some classes as {names[0]}:1,{names[-1]}:3; the classes are {classes.listed(names)}')
  scale = math.lcm(*(share.denominator for share in shares.values()))
  return [int(shares.get(k, Fraction(0)) * scale) for k in range(len(names))]

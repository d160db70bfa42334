"""A data set as it was collected: which examples have which role, before anything is changed."""
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
import hashlib
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

import build
import evaluate_sets
from jaxsynth import data
import sets

BLOCK = 512  # examples decoded together


class Example(NamedTuple):
  """An image uint8 `[H, W, C]` of any size, and its label or `None`."""
  image: np.ndarray
  label: int | None


def roles(config: Mapping[str, Any], validation: str | None, test: str | None
          ) -> dict[str, str | None]:
  """The split, folder or .npz file of each role: train, validation, test.

  What is not given is what the data set has. Without splits and without `test`, train is
  `None`: an evaluation halves the set.

  Raises:
    ValueError: `validation` or `test` is what is trained on.
    FileNotFoundError: no such data set.
  """
  have, split = sets.splits_of(config), config['split']
  validation, test = (_place(x, have) for x in (validation, test))
  named = bool(have)
  if split in (validation, test) and named:
    raise ValueError(f'--split={split} is trained on: name other images as --validation_split '
                     'and --test_split')
  train = split if named and split != 'train' else None
  if not named and test is not None:
    train = str(pathlib.Path(config['dataset']).expanduser().absolute())
  asked = {**config, 'real_split': test, 'train_split': train, 'validation_split': validation}
  reference, learned, held = evaluate_sets.splits_for(asked)
  return {'train': learned, 'validation': held, 'test': reference}


def _place(split: str | None, have: Sequence[str]) -> str | None:
  """A folder by its whole path, so that no program takes it for a split."""
  path = pathlib.Path(split or '').expanduser()
  return str(path.absolute()) if split and split not in have and path.is_dir() else split


def configs(config: Mapping[str, Any], role: Mapping[str, str | None]
            ) -> dict[str, dict[str, Any]]:
  """Role -> the configuration that opens its set; train is what the generator learns from."""
  found = {'train': {**config, 'conditional': False}}
  for name in ('validation', 'test'):
    split = role[name]
    if split is None or name == 'test' and role['train'] is None and split == config['split']:
      continue
    found[name] = {**build.of_split(config, split), 'conditional': False}
  return found


def raw(config: Mapping[str, Any]) -> data.Source:
  """The set as it lies there: images of their own sizes."""
  config = {**config, 'image_size': None, 'channels': None}
  kind = build.kind(config['dataset'], config['data_dir'])
  if kind == 'tfds':
    return data.tfds_source(config['dataset'], config['split'], config['data_dir'],
                            image_key=config['image_key'], label_key=config['label_key'] or None)
  if kind == 'folder':
    return data.folder(pathlib.Path(config['dataset']).expanduser())
  return build.source(config)


def credit(config: Mapping[str, Any]) -> data.Credit | None:
  """Where the set comes from and on what terms; `None` where its format cannot say."""
  kind = build.kind(config['dataset'], config['data_dir'])
  if kind == 'tfds':
    return data.tfds_credit(config['dataset'], config['data_dir'])
  return data.MNIST5K if kind == 'mnist5k' else None


def examples(source: data.Source) -> Iterator[Example]:
  """All of them, in order; of a folder, whatever size each has."""
  with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
    for start in range(0, source.size, BLOCK):
      at = np.arange(start, min(start + BLOCK, source.size))
      if isinstance(source, data.DecodedSource):
        yield from pool.map(_decoder(source), at, source.read(at.tolist()))
      else:
        batch = source.take(at)
        labels = batch.get('label', [None] * len(at))
        yield from (Example(x, None if y is None else int(y))
                    for x, y in zip(batch['image'], labels))


def _decoder(source: data.DecodedSource) -> Any:
  def decode(i: int, record: Any) -> Example:
    try:
      return Example(*source.decode(record))
    except Exception as error:  # decoders raise of many kinds
      raise ValueError(f'{source.name}: {source.describe(int(i))} cannot be read ({error}); '
                       'remove or replace it') from error
  return decode


def fingerprint(source: data.Source) -> dict[str, Any]:
  """Size, shapes, classes, moments of the pixels, and a SHA-256 of every example in order.

  An example is digested as `HxWxC:label`, a line end and its bytes.
  """
  digest, shapes = hashlib.sha256(), dict[str, int]()
  counts = np.zeros(source.num_classes or 0, np.int64)
  values = np.zeros(256, np.int64)
  for image, label in examples(source):
    shape = 'x'.join(map(str, image.shape))
    shapes[shape] = shapes.get(shape, 0) + 1
    digest.update(f'{shape}:{"" if label is None else label}\n'.encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    values += np.bincount(image.ravel(), minlength=256)
    if label is not None:
      counts[label] += 1
  return {'size': source.size, 'shapes': dict(sorted(shapes.items(), key=lambda x: -x[1])),
          'classes': counts.tolist() if source.num_classes else None, **moments(values),
          'sha256': digest.hexdigest()}


def moments(values: np.ndarray) -> dict[str, float]:
  """Of pixels, from how often each of 0 to 255 comes.

  >>> moments(np.bincount([0, 0, 4], minlength=256))['mean'].__round__(3)
  1.333
  """
  level, n = np.arange(256), values.sum()
  mean = float((values * level).sum() / n)
  there = np.flatnonzero(values)
  return {'least': int(there[0]), 'greatest': int(there[-1]), 'mean': mean,
          'deviation': float(np.sqrt((values * (level - mean) ** 2).sum() / n)),
          'zero': float(values[0] / n)}

"""Data sets by their flags: splits, classes, samples of them."""
from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import numpy as np

import build
from jaxsynth import data
from jaxsynth.data import analysis


def sources(config: Mapping[str, Any], against: Sequence[str] | None
            ) -> dict[str, data.Source]:
  """Name -> set: `--split` of `--dataset`, and each of `--against`.

  Args:
    config: flag name to value.
    against: splits of the same data set, folders or .npz files; `None` for all other
      splits that have a name.
  """
  dataset, split = config['dataset'], config['split']
  splits = splits_of(config)
  if against is None:
    against = [s for s in splits if s != split and s != 'all'] if split in splits else []
  first = split if splits else build.name_of(dataset)
  found = {first: _source({**config, 'conditional': False})}
  for name in against:
    if name in found:
      raise ValueError(f'--against={name}: named twice')
    found[name] = _source(build.of_split({**config, 'conditional': False}, name))
  return found


def class_names(config: Mapping[str, Any], num_classes: int | None) -> list[str]:
  """Names of the classes; their numbers where there are none."""
  names: Sequence[str] = ()
  kind = build.kind(config['dataset'], config['data_dir'])
  if kind == 'folder':
    path = pathlib.Path(config['dataset']).expanduser()
    names = sorted(p.name for p in path.iterdir() if p.is_dir() and p.name[0] != '.')
  elif kind == 'tfds':
    names = data.tfds_names(config['dataset'], config['data_dir'],
                            label_key=config['label_key'] or None)[1]
  n = num_classes or 0
  return list(names) if len(names) == n else [str(k) for k in range(n)]


def splits_of(config: Mapping[str, Any]) -> Sequence[str]:
  """Names of the splits of `--dataset`; none of a folder or an .npz file."""
  kind = build.kind(config['dataset'], config['data_dir'])
  if kind == 'mnist5k':
    return 'train', 'validation', 'test', 'all'
  return data.tfds_names(config['dataset'], config['data_dir'])[0] if kind == 'tfds' else ()


def are_digits(dataset: str) -> bool:
  """Whether the data set is one that the shipped network knows."""
  return dataset.split(':')[0] in ('mnist', 'mnist5k')


def order(n: int, seed: int) -> np.ndarray:
  """Positions 0 to `n - 1`, shuffled."""
  return np.random.Generator(np.random.Philox(seed)).permutation(n)


def some(n: int, most: int, seed: int = 0) -> np.ndarray:
  """At most so many of `n` positions, without replacement, rising."""
  return np.sort(order(n, seed)[:most])


def _source(config: Mapping[str, Any]) -> data.Source:
  as_it_is = config['image_size'] is None and config['channels'] is None
  if build.kind(config['dataset']) == 'npz' and as_it_is:
    return analysis.raw_npz(config['dataset'])
  return build.source(config)

"""What a data set is to hold, from the flags of `synthesize.py`."""
from fractions import Fraction
import math
import pathlib
import re
from typing import Any, NamedTuple
import zlib

from absl import flags
import jax
import jaxlib
import numpy as np

import jaxsynth
from jaxsynth.synthesis import draw, image_folder, metadata, plan, records
from jaxsynth.synthesis.engine import Format
from jaxsynth.synthesis.labels import Shares
import trained

FLAGS = flags.FLAGS


class Order(NamedTuple):
  """What is to be written, and where.

  Attributes:
    folder: of the data set.
    splits: images of each.
    shards: all of them.
    shares: of the labels, or `None` for none.
    block: images computed together.
  """
  folder: pathlib.Path
  splits: dict[str, int]
  shards: list[plan.Shard]
  shares: Shares | None
  block: int


def order(model: trained.Trained) -> Order:
  """The flags, checked against each other and the model.

  Raises:
    ValueError: what does not fit.
  """
  splits = sizes(FLAGS.splits, FLAGS.num)
  shares = shares_of(FLAGS.labels, model.run.num_classes)
  if shares is not None:
    plan.check_shares(splits, shares)
  num = sum(splits.values())
  block = FLAGS.block or draw.block_for(jax.devices()[0].platform)
  shards = plan.shards(splits, FLAGS.shards or -(-num // 16000), block)
  out = pathlib.Path(FLAGS.out).expanduser()
  folder = out if FLAGS.format == 'folder' else out / FLAGS.name / FLAGS.version
  return Order(folder, splits, shards, shares, block)


def claimed(ordered: Order, model: trained.Trained, filters: dict[str, Any] | None,
            pseudo: dict[str, Any] | None = None) -> Format:
  """How it is written, once the folder is known to be this data set's.

  Args:
    ordered: what is written.
    model: of what.
    filters: their settings, or `None`.
    pseudo: settings of pseudo-labels, or `None`.

  Raises:
    metadata.OtherSettings: it is another's.
    OSError: it cannot be written.
    ImportError: TensorFlow is missing.
  """
  classes = model.run.num_classes if pseudo is None else model.record['data']['num_classes']
  about = metadata.About(FLAGS.name, FLAGS.version, model.image_shape, classes,
                         _description(model), FLAGS.citation or _citation(model))
  if FLAGS.format == 'folder':
    form = image_folder.image_folder(ordered.folder, classes, ordered.shares,
                                     exact=pseudo is None)
  else:
    kind = {'array_record': records.array_record, 'tfrecord': records.tfrecord}[FLAGS.format]
    form = kind(ordered.folder, about)
  metadata.claim(ordered.folder, {
      'name': FLAGS.name, 'version': FLAGS.version, 'format': FLAGS.format,
      'splits': ordered.splits, 'shards': len(ordered.shards), 'labels': ordered.shares,
      'seed': FLAGS.seed, 'block': ordered.block, 'citation': about.citation,
      'model': model.provenance, 'filters': filters, 'pseudo_labels': pseudo,
      'platform': jax.devices()[0].device_kind,
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                   'jaxlib': jaxlib.__version__, 'numpy': np.__version__,
                   'zlib': zlib.ZLIB_RUNTIME_VERSION}})
  return form


def sizes(given: list[str] | None, num: int | None) -> dict[str, int]:
  """How many images each split has, from --splits and --num."""
  if given is None:
    if num is None:
      raise ValueError('give --num, or --splits as train:900000,test:100000')
    return {'train': num}
  splits = {}
  for entry in given:
    found = re.fullmatch(r'([a-zA-Z]\w*):([1-9]\d*)', entry.strip(), re.A)
    if not found or found[1] in splits or found[1] == 'all':
      raise ValueError(f'--splits={",".join(given)}: expected names and numbers, as '
                       'train:900000,test:100000')
    splits[found[1]] = int(found[2])
  if num not in (None, sum(splits.values())) or sum(splits.values()) > 2 ** 31:
    raise ValueError(f'--num={num}, but --splits are {sum(splits.values())} together: expected '
                     'the same, at most 2^31')
  return splits


def shares_of(given: str, num_classes: int | None) -> Shares | None:
  """The labels' shares, from --labels."""
  if num_classes is None:
    if given != 'balanced':
      raise ValueError(f'--labels={given}: the model is not conditional')
    return None
  if given == 'balanced':
    return num_classes
  try:
    entries = [entry.split(':') for entry in given.split(',')]
    named = [(int(e[0]), Fraction(e[1])) if ':' in given else (k, Fraction(e[0]))
             for k, e in enumerate(entries)]
    shares = dict(named)
    right = (len(shares) == len(entries) and set(shares) <= set(range(num_classes)) and
             (':' in given or len(shares) == num_classes) and
             min(shares.values()) >= 0 and max(shares.values()) > 0)
  except (ValueError, IndexError, ZeroDivisionError):
    right = False
  if not right:
    raise ValueError(f"--labels={given}: expected 'balanced', {num_classes} shares as 5,3,2,..., "
                     f'or those of some classes of 0 to {num_classes - 1} as 0:1,7:3')
  scale = math.lcm(*(share.denominator for share in shares.values()))
  return [int(shares.get(k, Fraction(0)) * scale) for k in range(num_classes)]


def _description(model: trained.Trained) -> str:
  return (f'Synthetic images drawn from a generator trained on {model.record["data"]["name"]} '
          f'(SHA-256 of its parameters {model.digest}), seed {FLAGS.seed}, temperature '
          f'{model.temperature:g}, by jaxsynth '
          f'{jaxsynth.__version__}. Sample i of a split is sample (start + i) of the model and '
          'seed, the splits one after the other' +
          (f', the first of its candidates that passes {", ".join(FLAGS.filters)}'
           if FLAGS.filters else '') +
          (', labelled by a classifier' if FLAGS.pseudo_labels else '') +
          '; metadata.json has every setting.')


def _citation(model: trained.Trained) -> str:
  return (f'@misc{{{FLAGS.name}, title = {{{FLAGS.name} {FLAGS.version}: synthetic images after '
          f'{model.record["data"]["name"]}}}, note = {{drawn by jaxsynth '
          f'{jaxsynth.__version__}; model {model.digest}, seed {FLAGS.seed}}}}}')

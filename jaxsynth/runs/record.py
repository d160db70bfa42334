"""`config.json`: all that rebuilds a run, and what may change while it goes on."""
from collections.abc import Mapping, Sequence
import json
import pathlib
import platform
from typing import Any, NamedTuple

from absl import logging
import jax
import numpy as np

import jaxsynth
from jaxsynth import data, files
from jaxsynth.data import earlier, fingerprint
from jaxsynth.data.classes import names_of
from jaxsynth.data.kinded import kind_of
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.recorded import kind_of_record

NAME = 'config.json'
FORMAT = 1
# settings that a run which goes on may change without any bit of it changing, but for where a
# collapsed one goes back to, which the intervals decide
RESUMABLE = ('steps', 'log_every', 'sample_every', 'checkpoint_every', 'keep_every', 'eval_every',
             'eval_samples', 'eval_split', 'num_synthetic', 'tensorboard', 'on_collapse')
# settings that it may change, though its bits may then differ
ROUNDING = ('devices', 'parallel', 'steps_per_call')
# where the data lie: they are known by what they are
PLACES = ('dataset', 'data_dir', 'schema')


class RunError(ValueError):
  """A folder holds no such run, or another one; the message says what to do."""


class About(NamedTuple):
  """What a model is built for, besides its flags.

  Attributes:
    image_shape: `(H, W, C)` of the data; of another kind the shape of its example, as `(T, C)`.
    num_classes: of the data's labels, or `None`.
    axis_name: of a mapped step, for networks with batch statistics; `None` for none.
    name: of the data, for messages.
    kind: what an example is, as `kinds.row_kind.layout` takes it; `None` for images.
  """
  image_shape: tuple[int, ...]
  num_classes: int | None = None
  axis_name: str | None = None
  name: str = 'the data set'
  kind: Kind | None = None

  @property
  def picture_shape(self) -> tuple[int, int, int]:
    """`(H, W, C)`, for a model of images alone.

    Raises:
      RunError: the data are of another kind.
    """
    if len(self.image_shape) != 3:
      raise RunError(f'{self.name}: examples of shape {list(self.image_shape)}, and this network '
                     'is of images [height, width, channels]; mnist_flow.py, or mnist_vae.py with '
                     '--network=mlp, learns series and rows, series_flow.py series')
    height, width, channels = self.image_shape
    return height, width, channels

  def classes_if(self, conditional: bool) -> int | None:
    """The number of classes of a conditional model, `None` of another.

    Raises:
      RunError: conditional, but the data have no labels.
    """
    if conditional and self.num_classes is None:
      raise RunError(f'--conditional: {self.name} has no labels')
    return self.num_classes if conditional else None


def record(experiment: str, flags: Mapping[str, Any], source: data.Source,
           devices: Sequence[jax.Device]) -> dict[str, Any]:
  """All that `config.json` says: enough to rebuild the run, and what it ran on.

  Args:
    experiment: name of the program whose `build` makes the run.
    flags: name to value, as JSON holds it.
    source: what is trained on.
    devices: on which.
  """
  import flax
  import optax
  return {
      'format': FORMAT, 'experiment': experiment, 'flags': dict(flags),
      'data': about(source),
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                   'flax': flax.__version__, 'optax': optax.__version__,
                   'numpy': np.__version__, 'python': platform.python_version()},
      'devices': [str(d) for d in devices], 'platform': devices[0].platform}


def about(source: data.Source) -> dict[str, Any]:
  """What a record says of the data; of images nothing says that they are."""
  kind = kind_of(source)
  return {'name': source.name, 'image_shape': list(kind.shape), 'size': source.size,
          'num_classes': source.num_classes, 'class_names': list(names_of(source)),
          **({'kind': dict(kind.settings)} if kind.settings else {}),
          **fingerprint.identity(source)}


def recorded_kind(stored: Mapping[str, Any], num_classes: int | None,
                  names: Sequence[str] | None) -> Kind:
  """The kind of the data of a record, with labels of `num_classes` or without.

  Raises:
    RunError: one that this version does not know.
  """
  try:
    return kind_of_record(stored['data']['image_shape'], stored['data'].get('kind', {}),
                          num_classes, names)
  except (ValueError, TypeError) as error:
    raise RunError(str(error)) from error


def class_names(stored: Mapping[str, Any]) -> tuple[str, ...] | None:
  """The names of the data's classes in the order of their labels, as a record has them.

  Returns:
    The names; `None` without labels. For a record from before they were kept, see
    `earlier.names_before`.

  >>> class_names({'flags': {}, 'data': {'num_classes': 2}})
  ('0', '1')
  """
  kept = stored['data']
  names = kept.get('class_names') or earlier.names_before(
      data.DatasetSpec.of(stored['flags']), kept['num_classes'])
  return tuple(names) or None


def open_data(spec: data.DatasetSpec, stored: Mapping[str, Any] | None) -> data.Source:
  """What a run learns from, with classes numbered as they were when it began.

  Args:
    spec: of the data.
    stored: the record of the run, `None` of a new one.

  Raises:
    As `data.open_dataset`.
  """
  kept = {} if stored is None else stored['data']
  if 'digest' not in kept:
    return data.open_dataset(spec)
  return earlier.open_numbered(spec, kept['digest'], kept.get('num_classes'))


def read_record(folder: pathlib.Path) -> dict[str, Any]:
  """A run's `config.json`.

  Raises:
    FileNotFoundError: no run there.
    RunError: not such a record, or one of a newer version.
  """
  path = folder / NAME
  if not path.is_file():
    raise FileNotFoundError(f'{folder}: no run there (no {NAME}); expected the --workdir of a '
                            'training program of experiments/, as mnist_dcgan.py')
  try:
    stored = json.loads(path.read_text(encoding='utf-8'))
    right = isinstance(stored['flags'], dict) and isinstance(stored['data'], dict)
  except (ValueError, KeyError, TypeError):
    right = False
  if not right:
    raise RunError(f'{path}: not the record of a run; bring a copy of it back')
  if stored.get('format', 0) > FORMAT:
    version = stored.get('versions', {}).get('jaxsynth', 'unknown')
    raise RunError(f'{path}: a record of format {stored["format"]}, written by jaxsynth '
                   f'{version}; jaxsynth {jaxsynth.__version__} reads formats up to {FORMAT}: '
                   'install a newer one. Nothing was changed')
  return stored


def write_record(folder: pathlib.Path, new: Mapping[str, Any]) -> None:
  """Writes `config.json`, whole or not at all."""
  with files.write_aside(folder / NAME) as f:
    f.write(json.dumps(new, indent=2).encode() + b'\n')


def check_same_run(before: Mapping[str, Any], now: Mapping[str, Any],
                   old_flags: Mapping[str, Any]) -> None:
  """Holds that a run may go on: what may change does so with a warning, if bits may differ.

  Data are known by their digest, wherever they lie and whatever they are called.

  Args:
    before: the record in the folder.
    now: that of the run which wants to go on.
    old_flags: the flags of `before`, with the defaults of those that it lacks.

  Raises:
    RunError: another experiment, other flags or other data; it lists them.
  """
  new_flags = now['flags']
  # where the learning rate depends on how long the run is, its length is fixed
  fixed = any(x.get('schedule', 'constant') != 'constant' for x in (old_flags, new_flags))
  free = [name for name in RESUMABLE if not (fixed and name == 'steps')]
  changed = [n for n in sorted({*old_flags, *new_flags}) if old_flags.get(n) != new_flags.get(n)]
  others = [f'\n  data {n}: {x!r} before, {now["data"][n]!r} now'
            for n, x in before['data'].items() if n != 'name' and x != now['data'].get(n, x)]
  free += () if others else PLACES
  lines = [f'\n  --{n}: {old_flags.get(n)!r} before, {new_flags.get(n)!r} now'
           for n in changed if n not in (*ROUNDING, *free)] + others
  if 'experiment' in before and before['experiment'] != now['experiment']:
    lines.insert(0, f'\n  experiment: {before["experiment"]} before, {now["experiment"]} now')
  if lines:
    raise RunError('the run in --workdir was another one:' + ''.join(lines) +
                   '\nName another folder, or start anew with --fresh')
  for name in (n for n in changed if n in ROUNDING):
    logging.warning('--%s: %r before, %r now; bits may differ from a run never stopped',
                    name, old_flags.get(name), new_flags.get(name))
  for name in ('versions', 'platform'):
    if before.get(name) != now[name]:
      logging.warning('%s: %s before, %s now; bits may differ from a run never stopped',
                      name, before.get(name), now[name])

"""The programs that train, by name, and the runs that they left."""
from collections.abc import Callable, Mapping
import importlib.util
import os
import pathlib
import re
import sys
from types import ModuleType
from typing import Any

from absl import flags

from common import processes
from common.program import plain
from jaxsynth import parallel, runs
from jaxsynth.runs import record as records

HERE = pathlib.Path(__file__).resolve().parent.parent
FIRST = 'mnist_dcgan'  # the only program there was when records did not name theirs
NOT_RECORDED = ('workdir', 'fresh', 'num_seeds', 'compilation_cache', 'download', *processes.NAMES)


def names() -> list[str]:
  """The programs of this folder that train a family of models: those with a `build`."""
  return sorted(path.stem for path in HERE.glob('*.py')
                if re.search(r'^def build\(', path.read_text(encoding='utf-8'), re.M))


def program(name: str) -> ModuleType:
  """The module of a training program, whose `define_flags`, `SAMPLING` and `build` are used.

  Raises:
    runs.RunError: no program of this folder has that name.
  """
  if name not in names():
    raise runs.RunError(f'{name!r} is no program of experiments/ that trains a model; there are '
                        f'{", ".join(names())}. If the run was made by a newer version, or by '
                        'one with more programs, use that. Nothing was changed')
  title = f'experiment_{name}'
  if title not in sys.modules:
    spec = importlib.util.spec_from_file_location(title, HERE / f'{name}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[title] = module
    spec.loader.exec_module(module)
  return sys.modules[title]


def recorded(define_flags: Callable[[flags.FlagValues], None], values: flags.FlagValues
             ) -> dict[str, Any]:
  """The flags of a family as `config.json` holds them: name to value."""
  family = flags.FlagValues()
  define_flags(family)
  return {name: plain(values[name].value) for name in family if name not in NOT_RECORDED}


def config_of(record: Mapping[str, Any]) -> dict[str, Any]:
  """A record's flags; those that it lacks take the defaults of its program.

  Raises:
    runs.RunError: an unknown program, or flags that it does not know.
  """
  name = record.get('experiment', FIRST)
  define_flags = program(name).define_flags
  known = flags.FlagValues()
  define_flags(known)
  defaults = {flag: plain(known[flag].default) for flag in known if flag not in NOT_RECORDED}
  unknown = sorted(set(record['flags']) - set(defaults))
  if unknown:
    version = record.get('versions', {}).get('jaxsynth', 'unknown')
    raise runs.RunError(
        f'the run was made by {name}.py of jaxsynth {version} with '
        f'{", ".join(f"--{x}" for x in unknown)}, which this {name}.py does not know: use the '
        'version that made it. Nothing was changed')
  return {**defaults, **record['flags']}


def build(record: Mapping[str, Any], sampling: Mapping[str, Any]) -> runs.Run:
  """Rebuilds the model of a record, with some flags of sampling changed.

  Raises:
    runs.RunError: as `config_of`; or a flag that is not one of sampling.
  """
  config, module = config_of(record), program(record.get('experiment', FIRST))
  other = sorted(set(sampling) - set(module.SAMPLING))
  if other:
    raise runs.RunError(f'{", ".join(f"--{x}" for x in other)}: fixed by the training; when '
                        f'samples are drawn only {", ".join(module.SAMPLING) or "nothing"} may '
                        'be another')
  about = record['data']
  return module.build({**config, **sampling}, runs.About(
      tuple(about['image_shape']), about['num_classes'],
      parallel.axis_name(config['parallel']), about['name'],
      records.recorded_kind(record, about['num_classes'], about.get('class_names') or None)))


def load(folder: str | os.PathLike, step: int | None = None,
         sampling: Mapping[str, Any] | None = None) -> runs.Trained:
  """A run of any program of this folder, see `runs.load`.

  Args:
    folder: its --workdir.
    step: of its checkpoint; by default the newest.
    sampling: flags of sampling that are given; those that are as in training do not count.
  """
  changed = {}
  if sampling:
    before = config_of(records.read_record(pathlib.Path(folder).expanduser()))
    changed = {name: x for name, x in sampling.items() if x != before.get(name)}
  return runs.load(folder, build, step, changed)

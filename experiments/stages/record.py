"""What a stage has run and left, and whether that still holds."""
from collections.abc import Iterable, Mapping, Sequence
import csv
import hashlib
import json
import pathlib
from typing import Any, TYPE_CHECKING

from jaxsynth import files
from stages.stage import Stage

if TYPE_CHECKING:
  from jaxsynth.data import DatasetSpec

DATA = ('--dataset=', '--real=')  # flags of where data lie
ROLES = ('--dataset', '--validation_split', '--test_split', '--real_split', '--train_split')
PROGRAMS = pathlib.Path(__file__).resolve().parent.parent


def settings(stage: Stage, out: pathlib.Path) -> dict[str, Any]:
  """All that the stage's result depends on; no path of this machine.

  The commands below OUT; where tfds data sets lie and what flagfiles are called do not count,
  as what is in them does: `collection.json` has every example, `about` every flag.
  """
  def plain(arg: str) -> str:
    return arg.replace(f'={out}', '=OUT')
  commands = [[pathlib.Path(args[0]).name, *(
      plain(x) for x in args[1:] if not x.startswith(('--data_dir=', '--flagfile=')))]
      for args in stage.commands]
  inputs: dict[str, str] = {}
  for name in stage.reads:
    before = read(out, name)
    inputs.update({p: x['sha256'] for p, x in (before or {'outputs': {}})['outputs'].items()})
  return {'commands': commands, 'about': dict(stage.about), 'inputs': inputs}


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
  """In words, why a result no longer holds; empty if it does.

  >>> one = {'commands': [['a.py', '--num=1']], 'about': {}, 'inputs': {'x': '0'}}
  >>> difference(one, {**one, 'commands': [['a.py', '--num=2']]})
  'its command changed: --num=1 before, --num=2 now'
  >>> difference(one, {**one, 'inputs': {'x': '1'}})
  'x changed'
  """
  if _placeless(before['commands']) != _placeless(now['commands']):
    old: list[str] = sum(before['commands'], [])
    new: list[str] = sum(now['commands'], [])
    return f'its command changed: {_only(old, new)} before, {_only(new, old)} now'
  for name, text in now['about'].items():
    was = before['about'].get(name, '')
    if was != text:
      return f'its {name} changed' if name != 'flags' else (
          f'its flags changed: {_only(was.splitlines(), text.splitlines())} before, '
          f'{_only(text.splitlines(), was.splitlines())} now')
  paths = [x for x in {**before['inputs'], **now['inputs']}
           if before['inputs'].get(x) != now['inputs'].get(x)]
  more = f' and {len(paths) - 1} more' if len(paths) > 1 else ''
  return f'{paths[0]} changed{more}' if paths else ''


def goes_on(before: Mapping[str, Any], now: Mapping[str, Any], free: Sequence[str]) -> bool:
  """Whether nothing but these flags differs, so that a program can go on where it was.

  >>> one = {'commands': [['a.py', '--steps=1']], 'about': {}, 'inputs': {}}
  >>> goes_on(one, {**one, 'commands': [['a.py', '--steps=2']]}, ['steps'])
  True
  """
  flags: list[set[str]] = []
  for x in (before, now):
    given = sum(_placeless(x['commands']), []) + x['about'].get('flags', '').splitlines()
    flags.append(set(given))
  other = [{k: v for k, v in x['about'].items() if k != 'flags'} for x in (before, now)]
  names = {arg.lstrip('-').partition('=')[0] for arg in flags[0] ^ flags[1]}
  return (before['inputs'] == now['inputs'] and other[0] == other[1] and
          {name if name in free else name.removeprefix('no') for name in names} <= set(free))


def _placeless(commands: Sequence[Sequence[str]]) -> list[list[str]]:
  """Commands without where the data lie: `collection.json`, which others read, says what they are.

  >>> _placeless([['a.py', '--real=b/c', '--real_split=d/e.npz', '--num=1']])
  [['a.py', '--real_split=e.npz', '--num=1']]
  """
  from jaxsynth.data import spec as specs  # running a stage needs none of it

  name = lambda split: pathlib.Path(split).name if specs.is_path(split) else split

  def called(arg: str) -> str:
    flag, _, value = arg.partition('=')
    if flag == '--against':
      return f'{flag}={[name(split) for split in next(csv.reader([value]), [])]}'
    return f'{flag}={name(value)}' if flag in ROLES else arg

  return [[called(arg) for arg in args if args[0] == 'collect.py' or not arg.startswith(DATA)]
          for args in commands]


def _only(these: Sequence[str], those: Sequence[str]) -> str:
  return ' '.join(x for x in these if x not in those) or 'no more'


def left(stage: Stage, out: pathlib.Path) -> dict[str, dict[str, Any]]:
  """The stage's outputs: path -> SHA-256, size and time.

  Raises:
    FileNotFoundError: one of them is not there.
  """
  outputs = {}
  for pattern in stage.outputs:
    paths = [p for p in sorted(out.glob(pattern + ('/*' if pattern.endswith('**') else '')))
             if p.is_file() and not p.name.startswith('.')]
    if not paths:
      raise FileNotFoundError(f'{stage.name} ended, but left no {out / pattern}')
    for path in paths:
      at = path.stat()
      outputs[str(path.relative_to(out))] = {'sha256': files.sha256(path), 'size': at.st_size,
                                             'mtime_ns': at.st_mtime_ns}
  return outputs


def spoilt(record: Mapping[str, Any], out: pathlib.Path) -> list[str]:
  """Outputs that are missing or have changed; what kept size and time is not read again."""
  spoilt_ones = []
  for name, was in record['outputs'].items():
    try:
      at = (out / name).stat()
      same = at.st_size == was['size'] and (
          at.st_mtime_ns == was['mtime_ns'] or files.sha256(out / name) == was['sha256'])
    except OSError:
      same = False
    if not same:
      spoilt_ones.append(name)
  return spoilt_ones


def read(out: pathlib.Path, name: str, kind: str = 'json') -> dict[str, Any] | None:
  """A stage's record, or with `kind='begun'` what it has begun; `None` where there is none."""
  try:
    return json.loads((out / f'stages/{name}.{kind}').read_text(encoding='utf-8'))
  except FileNotFoundError:
    return None


def write(out: pathlib.Path, name: str, record: Mapping[str, Any], kind: str = 'json') -> None:
  """Writes it, whole or not at all."""
  with files.write_aside(out / f'stages/{name}.{kind}') as f:
    f.write(json.dumps(record, indent=1).encode() + b'\n')


def forget(out: pathlib.Path, name: str, kind: str = 'json') -> None:
  """Removes it."""
  (out / f'stages/{name}.{kind}').unlink(missing_ok=True)


def code() -> str:
  """SHA-256 of this project's programs."""
  root = PROGRAMS.parent
  return digest((str(p.relative_to(root)), p.read_bytes()) for folder in ('jaxsynth', 'experiments')
                for p in sorted((root / folder).rglob('*.py')))


def files_digest(places: Iterable['DatasetSpec']) -> str:
  """SHA-256 of the names, sizes and times of data sets' files: what a change shows in.

  Of a data set that is not there it is that of no file; collecting it says what is missing.
  """
  from jaxsynth.data import spec as specs  # running a stage needs none of it
  parts = []
  for place in places:
    try:
      for name, path in specs.files_of(place).items():
        at = path.stat()
        parts.append((name, f'{at.st_size} {at.st_mtime_ns}'.encode()))
    except FileNotFoundError:
      continue
  return digest(parts)


def digest(parts: Iterable[tuple[str, bytes]]) -> str:
  """SHA-256 of names and contents, in order."""
  whole = hashlib.sha256()
  for name, content in parts:
    whole.update(f'{name}\n{len(content)}\n'.encode() + content)
  return whole.hexdigest()

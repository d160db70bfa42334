"""Files that are whole or not there."""
from collections.abc import Iterator
import contextlib
import fcntl
import glob
import json
import os
import pathlib
from typing import IO
import uuid


@contextlib.contextmanager
def aside(path: str | os.PathLike, *, exclusive: bool = False) -> Iterator[pathlib.Path]:
  """A name to write under; the file takes the name `path` once whole and on disk.

  For writers that open files by name. A killed process leaves `.NAME.*.aside` behind.
  If `exclusive`, a file that has the name already keeps it.

  >>> import tempfile, pathlib
  >>> with tempfile.TemporaryDirectory() as d:
  ...   with aside(pathlib.Path(d, 'a')) as path:
  ...     _ = path.write_text('whole')
  ...   print(os.listdir(d))
  ['a']
  """
  path = pathlib.Path(path)
  name = path.parent / f'.{path.name}.{uuid.uuid4().hex[:8]}.aside'
  try:
    yield name
    with open(name, 'rb') as f:
      os.fsync(f.fileno())
    if exclusive:
      _take(name, path)
    else:
      os.replace(name, path)
  except BaseException:
    name.unlink(missing_ok=True)
    raise


def _take(name: pathlib.Path, path: pathlib.Path) -> None:
  """Gives a file its final name if no other has it."""
  try:
    os.link(name, path)
  except FileExistsError:
    pass
  except OSError:  # a file system without hard links
    if not path.exists():
      os.replace(name, path)
      return
  name.unlink()


def remove_torn(path: str | os.PathLike) -> None:
  """Removes what killed writers of `path` left beside it."""
  path = pathlib.Path(path)
  for torn in path.parent.glob(f'.{glob.escape(path.name)}.*.aside'):
    torn.unlink(missing_ok=True)


@contextlib.contextmanager
def write_aside(path: str | os.PathLike, *, exclusive: bool = False) -> Iterator[IO[bytes]]:
  """A binary file that takes the name `path` only once it is whole and on disk.

  If `exclusive`, a file that has the name already keeps it.

  >>> import tempfile, pathlib
  >>> with tempfile.TemporaryDirectory() as d:
  ...   with write_aside(pathlib.Path(d, 'a')) as f:
  ...     _ = f.write(b'whole')
  ...   print(os.listdir(d))
  ['a']
  """
  with aside(path, exclusive=exclusive) as name, open(name, 'xb') as f:
    yield f


class CheckpointError(RuntimeError):
  """No checkpoint could be read whole. Here, so that it can be caught without Orbax."""


class Locked(RuntimeError):
  """Another run holds the folder."""


@contextlib.contextmanager
def lock(folder: str | os.PathLike) -> Iterator[None]:
  """Holds a folder for this process; let go of by its end, however it ends.

  Raises:
    Locked: another process holds it.
  """
  with open(pathlib.Path(folder, '.lock'), 'w', encoding='utf-8') as f:
    try:
      fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      raise Locked(f'{folder} is in use by another run; wait for it, or name another '
                   'folder') from error
    yield


def keep_rows(path: str | os.PathLike, last_step: int) -> None:
  """Drops JSON lines past `last_step`, and a torn last line."""
  path = pathlib.Path(path)
  if not path.exists():
    return
  kept = []
  for line in path.read_bytes().splitlines(keepends=True):
    if line.endswith(b'\n') and json.loads(line)['step'] <= last_step:
      kept.append(line)
  with write_aside(path) as f:
    f.writelines(kept)

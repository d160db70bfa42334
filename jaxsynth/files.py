"""Files that are whole or not there."""
from collections.abc import Iterator
import contextlib
import fcntl
import json
import os
import pathlib
from typing import IO
import uuid


@contextlib.contextmanager
def write_aside(path: str | os.PathLike) -> Iterator[IO[bytes]]:
  """A binary file that takes the name `path` only once it is whole and on disk.

  >>> import tempfile, pathlib
  >>> with tempfile.TemporaryDirectory() as d:
  ...   with write_aside(pathlib.Path(d, 'a')) as f:
  ...     _ = f.write(b'whole')
  ...   print(os.listdir(d))
  ['a']
  """
  path = pathlib.Path(path)
  aside = path.parent / f'.{path.name}.{uuid.uuid4().hex[:8]}.aside'
  try:
    with open(aside, 'xb') as f:
      yield f
      f.flush()
      os.fsync(f.fileno())
    os.replace(aside, path)
  except BaseException:
    aside.unlink(missing_ok=True)
    raise


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

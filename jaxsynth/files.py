"""Files that are whole or not there."""
from collections.abc import Iterator
import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
from typing import Any, IO
import uuid

from absl import logging

OPEN_FILES = pathlib.Path('/proc/self/fd')  # of this process, on Linux
NO_LOCKS = (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK)  # of file systems that cannot lock


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


def sha256(path: str | os.PathLike) -> str:
  """Of a file's bytes."""
  with open(path, 'rb') as f:
    return hashlib.file_digest(f, 'sha256').hexdigest()


def check_room(folder: str | os.PathLike, needed: float, what: str) -> None:
  """Holds that a folder's disk has room for so many bytes.

  Raises:
    OSError: it has not.
  """
  free = shutil.disk_usage(folder).free
  if free < needed:
    raise OSError(f'{folder}: {free / 1e6:.1f} MB are free there, and {what} takes '
                  f'{needed / 1e6:.1f} MB; make room, or name a folder of another disk')


def note_digests(folder: str | os.PathLike, note: str) -> None:
  """Writes the SHA-256 of every file of a folder to `note`, below it."""
  folder = pathlib.Path(folder)
  sums = {str(file.relative_to(folder)): sha256(file)
          for file in sorted(folder.rglob('*')) if file.is_file() and file.suffix != '.aside'}
  sums.pop(note, None)
  with write_aside(folder / note) as f:
    f.write(json.dumps(sums, indent=0).encode())


def check_digests(folder: str | os.PathLike, note: str, below: tuple[str, ...] = ('',)) -> None:
  """Holds that files of a folder are as `note_digests` noted them; if it did not, all is well.

  Args:
    folder: as then.
    note: as then.
    below: how the names of the files that count begin.

  Raises:
    CheckpointError: one is missing, or another one.
  """
  folder = pathlib.Path(folder)
  if not (folder / note).exists():
    return
  for name, digest in json.loads((folder / note).read_text(encoding='utf-8')).items():
    path = folder / name
    if name.startswith(below) and not (path.is_file() and sha256(path) == digest):
      raise CheckpointError(f'{path} is missing, or was changed after it was written')


@contextlib.contextmanager
def plainly_named(folder: str | os.PathLike) -> Iterator[pathlib.Path]:
  """A name for a folder of letters, digits and `_`, `-`, `.` alone.

  For libraries that take brackets for patterns, a colon for a protocol, or names for UTF-8.
  The folder's own name if that is plain already.

  Raises:
    OSError: no such folder, or nowhere to put a link to it.

  >>> import tempfile, pathlib
  >>> with tempfile.TemporaryDirectory() as d:
  ...   pathlib.Path(d, 'a[1]').mkdir()
  ...   with plainly_named(pathlib.Path(d, 'a[1]')) as name:
  ...     _ = (name / 'b').write_text('there')
  ...   pathlib.Path(d, 'a[1]', 'b').read_text()
  'there'
  """
  folder = pathlib.Path(folder).absolute()
  with contextlib.ExitStack() as stack:
    name = folder
    if not _is_plain(name) and OPEN_FILES.is_dir():
      number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
      stack.callback(os.close, number)
      name = OPEN_FILES / str(number)
    elif not _is_plain(name):
      name = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()), 'link')
      name.symlink_to(folder)
    if not _is_plain(name):
      raise OSError(f'{folder}: its name cannot be used here, nor can {name.parent} for a link to '
                    'it; name a folder of letters, digits and _')
    yield name


def _is_plain(path: pathlib.Path) -> bool:
  return re.fullmatch(r'[\w./-]*', str(path), re.A) is not None


class CheckpointError(RuntimeError):
  """No checkpoint could be read whole. Here, so that it can be caught without Orbax."""


class Locked(RuntimeError):
  """Another run holds the folder."""


@contextlib.contextmanager
def lock(folder: str | os.PathLike) -> Iterator[None]:
  """Holds a folder for this process; let go of by its end, however it ends.

  Where the file system has no locks, as some that are mounted over a network, the log says so.

  Raises:
    Locked: another process holds it.
  """
  with open(pathlib.Path(folder, '.lock'), 'w', encoding='utf-8') as f:
    try:
      fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      if error.errno not in NO_LOCKS:
        raise Locked(f'{folder} is in use by another run; wait for it, or name another '
                     'folder') from error
      logging.warning('%s: its file system has no locks; take care that one run alone writes there',
                      folder)
    yield


def rows(path: str | os.PathLike) -> list[dict[str, Any]]:
  """The whole lines of a file of JSON lines; none where there is none."""
  path = pathlib.Path(path)
  lines = path.read_text(encoding='utf-8').split('\n') if path.is_file() else ['']
  return [json.loads(line) for line in lines[:-1]]  # a killed run may leave half of one


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

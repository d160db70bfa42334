"""Files that are whole or not there."""
from collections.abc import Iterator
import contextlib
import os
import pathlib
import tempfile
from typing import IO


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
  with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f'.{path.name}.',
                                   delete=False) as f:
    try:
      yield f
      f.flush()
      os.fsync(f.fileno())
      os.chmod(f.name, 0o666 & ~_umask())
      os.replace(f.name, path)
    except BaseException:
      os.unlink(f.name)
      raise


def _umask() -> int:
  mask = os.umask(0)
  os.umask(mask)
  return mask

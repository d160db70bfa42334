"""Files of the idx format, as MNIST and its relatives come."""
import gzip
import os
import struct
import zlib

import numpy as np

LIMIT = 2 ** 30  # bytes that a file may hold once it is unpacked


def read_idx(path: str | os.PathLike) -> np.ndarray:
  """The array in a gzipped idx file.

  No more is unpacked than the file says that it holds.

  Args:
    path: of the file, of unsigned bytes.

  Returns:
    uint8, `[N]` of labels, `[N, H, W]` of images.

  Raises:
    ValueError: another format, a file that is cut off, holds more than it says, or over 1 GiB.
    OSError: it is not there, or cannot be read.

  >>> import tempfile, pathlib
  >>> with tempfile.TemporaryDirectory() as d:
  ...   path = pathlib.Path(d, 'labels.gz')
  ...   _ = path.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 5])))
  ...   read_idx(path).tolist()
  [7, 5]

  The IDX file format, http://yann.lecun.com/exdb/mnist/
  """
  try:
    with gzip.open(path) as f:
      magic = f.read(4)
      if len(magic) < 4 or magic[:3] != b'\0\0\x08' or not magic[3]:
        raise ValueError(f'it begins with {magic!r}, expected 0, 0, 8 and the number of axes')
      shape = struct.unpack(f'>{magic[3]}I', f.read(4 * magic[3]))
      size = int(np.prod(shape, dtype=object))
      if size > LIMIT:
        raise ValueError(f'it says that it holds {list(shape)}, which is over {LIMIT:,} bytes')
      data = f.read(size)
      if len(data) < size or f.read(1):
        raise ValueError(f'it holds {"less" if len(data) < size else "more"} than the '
                         f'{list(shape)} that it says')
  except (gzip.BadGzipFile, EOFError, zlib.error, struct.error, ValueError) as error:
    raise ValueError(f'{path} is no gzipped idx file of bytes: {error}') from error
  return np.frombuffer(data, np.uint8).reshape(shape)

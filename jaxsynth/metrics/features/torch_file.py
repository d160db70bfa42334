"""Tensors out of PyTorch's files, without PyTorch and without running what is in them.

A `.pth` file is a pickle, which can name any function and have it called. Here the names
are read and four are known: an ordered dictionary, two ways to rebuild a tensor, and the
storage types. They stand for records of our own; anything else is refused.
"""
from collections import OrderedDict
import io
import math
import os
import pickle
from typing import Any, IO, NamedTuple
import zipfile

import numpy as np

MAGIC = 0x1950a86a20f9469cfc6c  # of files before PyTorch 1.6
PROTOCOL = 1001
DTYPES = {'DoubleStorage': 'f8', 'FloatStorage': 'f4', 'HalfStorage': 'f2', 'LongStorage': 'i8',
          'IntStorage': 'i4', 'ShortStorage': 'i2', 'CharStorage': 'i1', 'ByteStorage': 'u1',
          'BoolStorage': '?'}


class UnsafeFile(ValueError):
  """The file is not of tensors alone."""


class _Storage(NamedTuple):
  key: str
  dtype: np.dtype
  size: int


class _Tensor(NamedTuple):
  storage: _Storage
  offset: int
  shape: tuple[int, ...]
  strides: tuple[int, ...]


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
  """The tensors of a state dictionary that `torch.save` wrote, in either of its formats.

  Args:
    path: of the file.

  Returns:
    `{name: array}`.

  Raises:
    UnsafeFile: the file names anything but tensors, or is torn, or is not such a file.
    FileNotFoundError: there is none.
  """
  with open(path, 'rb') as f:
    try:
      tensors = _read_zip(f) if f.read(4) == b'PK\x03\x04' else _read_legacy(f)
    except UnsafeFile as error:
      raise UnsafeFile(f'{os.fspath(path)}: {error}') from error
    except Exception as error:  # a pickle may fail in any way
      raise UnsafeFile(f'{os.fspath(path)}: not a whole file of PyTorch tensors '
                       f'({type(error).__name__}: {error})') from error
  return tensors


class _Unpickler(pickle.Unpickler):
  """Knows tensors and ordered dictionaries, and nothing that acts."""

  def find_class(self, module: str, name: str) -> Any:
    if module == 'torch' and name in DTYPES:
      return np.dtype(DTYPES[name]).newbyteorder('<')
    if (module, name) == ('collections', 'OrderedDict'):
      return OrderedDict
    # made anew for each file, which might write attributes onto them
    if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
      return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
    if (module, name) == ('torch._utils', '_rebuild_parameter'):
      return lambda tensor, *_: tensor
    raise UnsafeFile(f'it names {module}.{name}, which no tensors need and which could run '
                     'code; refused, nothing was run')

  def persistent_load(self, pid: Any) -> _Storage:
    kind, dtype, key, _, size, *view = pid
    if (kind != 'storage' or not isinstance(dtype, np.dtype) or not isinstance(key, str) or
        view not in ([], [None])):
      raise UnsafeFile(f'it has a storage of another kind: {pid!r}'[:200])
    return _Storage(key, dtype, int(size))


def _read_zip(f: IO[bytes]) -> dict[str, np.ndarray]:
  with zipfile.ZipFile(f) as archive:
    names = archive.namelist()
    roots = [name.removesuffix('data.pkl') for name in names if name.endswith('/data.pkl')]
    if len(roots) != 1:
      raise UnsafeFile('it has no data.pkl')
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
      raise UnsafeFile('its entries are compressed, as PyTorch never writes them')
    root = roots[0]
    if f'{root}byteorder' in names and archive.read(f'{root}byteorder') != b'little':
      raise UnsafeFile('it is not little-endian')
    tree = _Unpickler(io.BytesIO(archive.read(f'{root}data.pkl'))).load()
    return _arrays(tree, lambda key: archive.read(f'{root}data/{key}'))


def _read_legacy(f: IO[bytes]) -> dict[str, np.ndarray]:
  f.seek(0)
  magic, protocol, _, tree = (_Unpickler(f).load() for _ in range(4))
  if (magic, protocol) != (MAGIC, PROTOCOL):
    raise UnsafeFile("it does not begin with PyTorch's number")
  sizes = {t.storage.key: t.storage.dtype.itemsize for t in _tensors(tree).values()}
  data = {}
  for key in _Unpickler(f).load():
    count = int.from_bytes(f.read(8), 'little')
    data[key] = f.read(count * sizes[key])
  return _arrays(tree, data.__getitem__)


def _tensors(tree: Any) -> dict[str, _Tensor]:
  if not isinstance(tree, dict) or not all(
      isinstance(k, str) and isinstance(v, _Tensor) for k, v in tree.items()):
    raise UnsafeFile('it is not a state dictionary {name: tensor}')
  return dict(tree)


def _arrays(tree: Any, data: Any) -> dict[str, np.ndarray]:
  return {name: _array(name, tensor, data(tensor.storage.key))
          for name, tensor in _tensors(tree).items()}


def _array(name: str, tensor: _Tensor, data: bytes) -> np.ndarray:
  """The elements at `offset + sum_i index_i * stride_i` of a storage, all of them inside."""
  storage, offset, shape, strides = tensor
  flat = np.frombuffer(data, storage.dtype)
  whole = all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *strides))
  if not whole or len(shape) != len(strides) or len(flat) != storage.size:
    raise UnsafeFile(f'tensor {name!r} is torn')
  last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
  if 0 in shape:
    return np.zeros(shape, storage.dtype)
  if last >= len(flat) or math.prod(shape) > len(flat):
    raise UnsafeFile(f'tensor {name!r} reaches outside its storage')
  view = np.lib.stride_tricks.as_strided(
      flat[offset:], shape, [s * storage.dtype.itemsize for s in strides], writeable=False)
  return view.copy()

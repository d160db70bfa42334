"""`tf.train.Example` messages without TensorFlow, in one order of bytes.

protobuf's own serialisation of a map promises no order; a data set that is to be the
same to the bit needs one.
"""
from collections.abc import Mapping, Sequence

import numpy as np

Value = bytes | Sequence[bytes] | np.ndarray


def varint(n: int) -> bytes:
  """An integer, seven bits a byte, lowest first; below 0 as its two's complement of 64 bits.

  >>> varint(300).hex(), len(varint(-1))
  ('ac02', 10)
  """
  n &= (1 << 64) - 1
  out = bytearray()
  while n > 127:
    out.append(n & 127 | 128)
    n >>= 7
  out.append(n)
  return bytes(out)


def _field(number: int, data: bytes) -> bytes:
  """A field of the kind that has a length."""
  return varint(number << 3 | 2) + varint(len(data)) + data


def _list(value: Value) -> bytes:
  """Of bytes (1), of floats (2) or of integers (3), the last two packed."""
  if isinstance(value, np.ndarray):
    flat = value.ravel()
    if flat.dtype.kind == 'f':
      return _field(2, _field(1, flat.astype('<f4').tobytes()))
    return _field(3, _field(1, b''.join(map(varint, flat.tolist()))))
  values = [value] if isinstance(value, bytes) else value
  return _field(1, b''.join(_field(1, x) for x in values))


def serialize(features: Mapping[str, Value]) -> bytes:
  """A serialised `tf.train.Example`, features sorted by name.

  Args:
    features: bytes, several of them, or an array of floats or of integers, which is flattened.

  >>> serialize({'label': np.array(3), 'image': b'png'}).hex()
  '0a220a100a05696d61676512070a050a03706e670a0e0a056c6162656c12051a030a0103'

  https://protobuf.dev/programming-guides/encoding and tensorflow's example.proto.
  """
  return _field(1, b''.join(_field(1, _field(1, name.encode()) + _field(2, _list(features[name])))
                            for name in sorted(features)))

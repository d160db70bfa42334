"""`tf.train.Example` messages without TensorFlow, in one order of bytes.

protobuf's own serialisation of a map promises no order; a data set that is to be the
same to the bit needs one.
"""


def varint(n: int) -> bytes:
  """An integer of at least 0, seven bits a byte, lowest first.

  >>> varint(300).hex()
  'ac02'
  """
  out = bytearray()
  while n > 127:
    out.append(n & 127 | 128)
    n >>= 7
  out.append(n)
  return bytes(out)


def _field(number: int, data: bytes) -> bytes:
  """A field of the kind that has a length."""
  return varint(number << 3 | 2) + varint(len(data)) + data


def _feature(name: bytes, value: bytes) -> bytes:
  return _field(1, _field(1, name) + _field(2, value))


def serialize(image: bytes, label: int | None = None) -> bytes:
  """The features `image` (bytes) and, if given, `label` (int64).

  Args:
    image: an encoded image.
    label: at least 0, or `None`.

  Returns:
    A serialised `tf.train.Example`, features sorted by name.

  >>> serialize(b'png', 3).hex()
  '0a220a100a05696d61676512070a050a03706e670a0e0a056c6162656c12051a030a0103'

  https://protobuf.dev/programming-guides/encoding and tensorflow's example.proto.
  """
  features = _feature(b'image', _field(1, _field(1, image)))
  if label is not None:
    features += _feature(b'label', _field(3, _field(1, varint(label))))
  return _field(1, features)

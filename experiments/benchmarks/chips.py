"""What chips can do, by their vendors' pages, and how long a step takes by that alone."""
from typing import NamedTuple

from cost import Cost


class Chip(NamedTuple):
  """Peaks of one chip.

  Attributes:
    name: as its vendor calls it.
    flops: a second, of bfloat16 products without sparsity.
    bandwidth: of its memory, bytes a second.
    memory: bytes.
    link: bytes a second that it can send to others of its slice or node, one way.
    tile: sizes that a product is padded to, `(inner, columns, rows)`.
    sources: pages.
  """
  name: str
  flops: float
  bandwidth: float
  memory: float
  link: float
  tile: tuple[int, int, int]
  sources: tuple[str, ...]


TPU = 'https://docs.cloud.google.com/tpu/docs'
CHIPS = (
    # 400 GB/s both ways; matrix units of 128 x 128, images in rows of 8 sublanes
    Chip('v5e', 197e12, 819e9, 16e9, 200e9, (128, 128, 8),
         (f'{TPU}/v5e', f'{TPU}/system-architecture-tpu-vm')),
    # 800 GB/s both ways; matrix units of 256 x 256
    Chip('v6e', 918e12, 1638e9, 32e9, 400e9, (256, 256, 8), (f'{TPU}/v6e',)),
    # 1,979 TFLOP/s are with sparsity; 900 GB/s both ways; a warp group's product is
    # 64 x n x 16 with n a multiple of 8
    Chip('H100', 989.5e12, 3.35e12, 80e9, 450e9, (16, 8, 64),
         ('https://www.nvidia.com/en-us/data-center/h100/',
          'https://docs.nvidia.com/cuda/parallel-thread-execution/')))


class Assumed(NamedTuple):
  """What no vendor says; of nothing measured.

  Attributes:
    utilisation: share of the peak that products reach.
    memory: share of the bandwidth.
    link: share of the links' rate.
    launch: seconds that each program of the device takes at the least.
  """
  utilisation: float = .5
  memory: float = .8
  link: float = .8
  launch: float = 2e-6


class Time(NamedTuple):
  """Seconds of a step. The first three overlap; collectives come after.

  Attributes:
    compute: products.
    memory: traffic.
    launches: programs of the device, one after the other.
    collectives: between devices, overlapped with nothing.
  """
  compute: float
  memory: float
  launches: float
  collectives: float

  @property
  def total(self) -> float:
    """`max(compute, memory, launches) + collectives`."""
    return max(self[:3]) + self.collectives

  @property
  def bound(self) -> str:
    """What takes longest."""
    return max(self._fields, key=lambda name: getattr(self, name))


def predicted(cost: Cost, chip: Chip, assumed: Assumed = Assumed(), *, padded: bool = True,
              sent: float = 0.) -> Time:
  """A step's roofline, with launches and collectives.

  Args:
    cost: of one device's share of the step.
    chip: which.
    assumed: what no vendor says.
    padded: whether channels that do not fill the chip's units cost as if they did.
    sent: bytes that a device sends to others.

  >>> from cost import Product
  >>> one = Cost((Product(64, 128, 128, 1),), 1e6, 2, 0., 0.)
  >>> predicted(one, CHIPS[0]).bound
  'launches'
  """
  flops = cost.padded(chip.tile) if padded else cost.flops
  return Time(flops / (chip.flops * assumed.utilisation),
              cost.bytes / (chip.bandwidth * assumed.memory),
              cost.launches * assumed.launch, sent / (chip.link * assumed.link))


def ridge(chip: Chip) -> float:
  """FLOPs a byte of memory, above which a perfect program is bound by products."""
  return chip.flops / chip.bandwidth


def batch_at_ridge(small: tuple[int, float, float], large: tuple[int, float, float], chip: Chip
                   ) -> float | None:
  """The batch size at which FLOPs a byte pass the chip's ridge; `None` if they never do.

  Both grow as straight lines with the batch size, given at two of them: FLOPs without a
  constant part, bytes with that of the parameters and their optimizers.

  Args:
    small: `(batch size, FLOPs, bytes)`.
    large: the same, of a larger batch.
    chip: which.

  >>> batch_at_ridge((1, 400., 3.), (2, 800., 4.), CHIPS[0])
  3.0
  """
  (a, flops, low), (b, _, high) = small, large
  an_image = (high - low) / (b - a)
  constant, of_one = low - a * an_image, flops / a
  gained = of_one / ridge(chip) - an_image
  return None if gained <= 0 else max(round(constant / gained, 1), 1.)

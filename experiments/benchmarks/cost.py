"""What a step costs, counted in the program that a platform is given: arithmetic and traffic.

XLA's own analysis of a program that is not compiled has every operation read and write memory
by itself; one of a program compiled for CPU has the CPU's forms of convolutions and its
fusions. Here products are counted as matrix products, and what is elementwise as if it were
computed where it is next read.
"""
from collections.abc import Mapping, Sequence
import math
from typing import Any, NamedTuple

import jax
from jaxlib.mlir import ir, passmanager
from jaxlib.mlir.dialects import stablehlo

BITS = {'bf16': 16, 'f16': 16, 'f32': 32, 'f64': 64, 'i1': 8}  # others are in their names
# what reads and writes memory by itself; the rest is computed where it is read
ANCHORS = frozenset(f'stablehlo.{name}' for name in (
    'convolution', 'dot_general', 'reduce', 'reduce_window', 'select_and_scatter', 'gather',
    'dynamic_gather', 'scatter', 'sort', 'rng_bit_generator', 'custom_call',
    'cholesky', 'fft', 'triangular_solve', 'all_reduce', 'all_gather', 'reduce_scatter'))
PRODUCTS = ('stablehlo.convolution', 'stablehlo.dot_general')
FREE = frozenset(f'stablehlo.{name}' for name in ('constant', 'iota'))


class Product(NamedTuple):
  """A convolution or matrix product: `taps` products of `[rows, inner]` and `[inner, columns]`.

  Attributes:
    rows: of what a network's layer maps, examples and places; or channels of a kernel's gradient.
    inner: what is summed over, beside the taps.
    columns: channels out.
    taps: of the window, those of them that meet no zero of a dilation.
    groups: products of this size.
  """
  rows: float
  inner: int
  columns: int
  taps: int
  groups: int = 1

  @property
  def flops(self) -> float:
    """Multiplications and additions, those with the zeros of a padding among them."""
    return 2 * self.rows * self.inner * self.columns * self.taps * self.groups

  def padded(self, tile: tuple[int, int, int]) -> float:
    """`flops` with each size a multiple of a unit's: `(inner, columns, rows)`.

    Either operand may be the one that lies in the unit, so rows and columns may change places.
    """
    inner, columns, rows = tile
    fit = lambda a, b: _up(a, columns) * _up(b, rows)
    return 2 * self.taps * self.groups * _up(self.inner, inner) * min(
        fit(self.columns, self.rows), fit(self.rows, self.columns))


class Cost(NamedTuple):
  """What a program costs.

  Attributes:
    products: its convolutions and matrix products.
    bytes: read and written, in HBM, if all that is elementwise is fused.
    launches: programs of the device that it is cut into; of the outputs, those of one shape are
      one.
    xla_flops: XLA's count, of elementwise operations too, and without the products of a
      convolution with its padding.
    xla_bytes: XLA's count for the program as it stands, with nothing fused.
  """
  products: tuple[Product, ...]
  bytes: float
  launches: int
  xla_flops: float
  xla_bytes: float

  @property
  def flops(self) -> float:
    """Of all products."""
    return sum(product.flops for product in self.products)

  def padded(self, tile: tuple[int, int, int]) -> float:
    """See `Product.padded`."""
    return sum(product.padded(tile) for product in self.products)


def _up(n: float, tile: int) -> float:
  return math.ceil(n / tile) * tile


def of_step(step: Any, shapes: Sequence[Any], platform: str = 'tpu') -> Cost:
  """The cost of one call of a step as a platform is given it; nothing is compiled.

  Args:
    step: a function, as `Algorithm.step`.
    shapes: of its arguments.
    platform: `'tpu'`, `'cuda'` or `'cpu'`.

  Raises:
    ValueError: a loop or branch, whose bodies nobody knows how often to count.
  """
  lowered = jax.jit(step).trace(*shapes).lower(lowering_platforms=(platform,))
  known: Any = lowered.cost_analysis() or {}  # none where the default device is a GPU
  module: Any = lowered.compiler_ir('stablehlo')
  with module.context:  # branches for other platforms go
    passmanager.PassManager.parse('builtin.module(canonicalize)').run(module.operation)
    fused = _Fused({str(ir.StringAttr(op.attributes['sym_name']).value): op.operation
                    for op in module.body.operations if op.operation.name == 'func.func'})
    fused.program()
  return Cost(tuple(fused.products), fused.bytes, fused.launches, *(
      known.get(name, math.nan) for name in ('flops', 'bytes accessed')))


def _product(op: Any) -> Product:
  a, b = (tuple(x.type.shape) for x in op.operands)
  if op.name == 'stablehlo.dot_general':
    dot = stablehlo.DotDimensionNumbers(op.attributes['dot_dimension_numbers'])
    summed, batched = dot.lhs_contracting_dimensions, dot.lhs_batching_dimensions
    inner, groups = (math.prod(a[k] for k in axes) for axes in (summed, batched))
    return Product(math.prod(a) // inner // groups, inner, math.prod(b) // inner // groups, 1,
                   groups)
  numbers = stablehlo.ConvDimensionNumbers(op.attributes['dimension_numbers'])
  groups = int(ir.IntegerAttr(op.attributes['feature_group_count']))
  out, = (tuple(x.type.shape) for x in op.results)
  places = math.prod(out[k] for k in numbers.output_spatial_dimensions)
  dilated = (math.prod(ir.DenseI64ArrayAttr(op.attributes['lhs_dilation']))
             if 'lhs_dilation' in op.attributes else 1)
  return Product(out[numbers.output_batch_dimension] * places / dilated,
                 b[numbers.kernel_input_feature_dimension],
                 b[numbers.kernel_output_feature_dimension] // groups,
                 math.prod(b[k] for k in numbers.kernel_spatial_dimensions), groups)


class _Stored(frozenset):
  """The leaves of a tensor in memory: itself."""


class _Fused:
  """What is read and written where everything elementwise is computed by its readers.

  A value that is elementwise stands for the tensors in memory that it is a function of, its
  leaves, until these are more than twice its own bytes: then it is written and read like
  another. The outputs are written together, and read once what they are made of.

  Args:
    functions: of the module, by name; each call of one counts.
  """

  def __init__(self, functions: Mapping[str, Any]):
    self.products: list[Product] = []
    self.bytes, self.launches = 0., 0
    self._functions = functions
    self._sizes: list[float] = []  # of each leaf

  def program(self) -> None:
    """Counts the function `main`."""
    main = self._functions['main'].regions[0].blocks[0]
    outputs = self._call('main', [self._leaf(x) for x in main.arguments])
    returned = next(op for op in main.operations if op.operation.name == 'func.return')
    made = [(leaves, x) for leaves, x in zip(outputs, returned.operands, strict=True)
            if not isinstance(leaves, _Stored)]
    self._read(frozenset().union(*(leaves for leaves, _ in made)))
    written = [x for _, x in made]
    self.bytes += sum(map(_size, written))
    self.launches += len({tuple(x.type.shape) for x in written})

  def _call(self, name: str, arguments: Sequence[frozenset]) -> list[frozenset]:
    """The leaves of a function's results, of those of its arguments."""
    block = self._functions[name].regions[0].blocks[0]
    leaves = dict(zip(block.arguments, arguments, strict=True))
    for view in block.operations:
      op = view.operation
      operands = [leaves[x] for x in op.operands]
      if op.name == 'func.return':
        return operands
      if op.name == 'func.call':
        callee = ir.FlatSymbolRefAttr(op.attributes['callee']).value
        results = self._call(callee, operands)
      else:
        results = self._operation(op, frozenset().union(*operands))
      leaves.update(zip(op.results, results, strict=True))
    raise ValueError(f'{name}: expected a function that returns')

  def _operation(self, op: Any, leaves: frozenset) -> list[frozenset]:
    if op.name in ('stablehlo.while', 'stablehlo.case', 'stablehlo.if'):
      raise ValueError(f'the step has a {op.name}, of which it is not known what runs and how '
                       'often: expected a step without loops and branches')
    if op.name in FREE:
      return [frozenset() for _ in op.results]
    if op.name in PRODUCTS:
      self.products.append(_product(op))
    if op.name not in ANCHORS and self._total(leaves) <= 2 * sum(map(_size, op.results)):
      return [leaves for _ in op.results]
    self._read(leaves)
    self.bytes += sum(map(_size, op.results))
    self.launches += 1
    return [self._leaf(x) for x in op.results]

  def _leaf(self, value: Any) -> frozenset:
    self._sizes.append(_size(value))
    return _Stored([len(self._sizes) - 1])

  def _total(self, leaves: frozenset) -> float:
    return sum(self._sizes[k] for k in leaves)

  def _read(self, leaves: frozenset) -> None:
    self.bytes += self._total(leaves)


def _size(value: Any) -> float:
  """Bytes of a tensor; 0 of what is none."""
  if not isinstance(value.type, ir.RankedTensorType):
    return 0.
  kind = str(value.type.element_type)
  bits = BITS.get(kind) or int(''.join(c for c in kind if c.isdigit()) or 32)
  return math.prod(value.type.shape) * bits / 8

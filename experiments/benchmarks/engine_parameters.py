"""How many numbers a model draws with: of a VAE not its encoder, of a GAN not its discriminator."""
from typing import Any

import jax
from jaxlib.mlir import ir


def drawn_with(model: Any) -> int:
  """Parameters that the program of sampling reads.

  JAX leaves out of a program what it does not read, so those that are left are counted.

  Args:
    model: a `runs.Trained`.
  """
  keys = jax.random.split(jax.random.key(0), 1)
  labels = None if model.run.num_classes is None else jax.numpy.zeros(1, jax.numpy.int32)
  lowered = jax.jit(lambda params: model.run.sample(params, model.variables, keys, labels)).lower(
      model.params)
  module: Any = lowered.compiler_ir('stablehlo')
  with module.context:
    main = next(op for op in module.body.operations
                if ir.StringAttr(op.attributes['sym_name']).value == 'main')
    shapes = [ir.RankedTensorType(x.type).shape for x in main.regions[0].blocks[0].arguments]
  return sum(_product(shape) for shape in shapes)


def _product(shape: Any) -> int:
  size = 1
  for side in shape:
    size *= side
  return size

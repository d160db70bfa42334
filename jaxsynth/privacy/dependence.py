"""Which outputs of a function depend on some of its inputs: read from its jaxpr."""
from collections.abc import Callable
from typing import Any

import jax
from jax.interpreters import partial_eval

from jaxsynth.types import Tree


def depends(function: Callable[..., Tree], watched: Tree, *rest: Any) -> Tree:
  """Which outputs of `function(watched, *rest)` depend on `watched`.

  Nothing is computed. What stays of the program once all that an output does not need is
  removed either reads a watched input or does not; an operation that is not known inside counts
  as reading all that it is given, so a `False` is certain and a `True` may be too careful.

  Args:
    function: of trees of arrays.
    watched: arrays, or their shapes.
    rest: its other arguments, likewise.

  Returns:
    A tree shaped as what the function gives, of `bool`.

  >>> import jax.numpy as jnp
  >>> depends(lambda x, y: {'sum': x + y, 'double': 2 * y}, jnp.ones(3), jnp.ones(3))
  {'double': False, 'sum': True}
  """
  shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), (watched, rest))
  program, out = jax.make_jaxpr(lambda watched, rest: function(watched, *rest),
                                return_shape=True)(*shapes)
  first = len(jax.tree.leaves(watched))
  leaves, tree = jax.tree.flatten(out)
  reads = []
  for k in range(len(leaves)):
    needed = [j == k for j in range(len(leaves))]
    _, used = partial_eval.dce_jaxpr(program.jaxpr, needed)
    reads.append(any(used[:first]))
  return jax.tree.unflatten(tree, reads)

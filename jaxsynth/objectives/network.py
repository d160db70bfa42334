"""A network as two pure functions of params and variables.

Anything with Linen's `init` and `apply` fits; flax itself is not imported.
"""
from typing import Any

import jax
from jax import Array

from jaxsynth.types import Tree


def init(network: Any, key: Array, *args: Array) -> tuple[Tree, Tree]:
  """`params, variables` (all other collections) for arguments shaped as `args`."""
  key_params, key_dropout = jax.random.split(key)
  variables = dict(network.init(
      {'params': key_params, 'dropout': key_dropout}, *args, train=False))
  return variables.pop('params', {}), variables


def apply(network: Any, params: Tree, variables: Tree, *args: Array,
          train: bool = False, key: Array | None = None, **options: Any
          ) -> tuple[Any, Tree]:
  """`output, variables`; variables move only in training, `key` feeds dropout.

  `options` are further arguments of the network's own.
  """
  collections = {'params': params, **variables}
  if not train:
    return network.apply(collections, *args, train=False, **options), variables
  rngs = {} if key is None else {'dropout': key}
  out, moved = network.apply(collections, *args, train=True, rngs=rngs, **options,
                             mutable=list(variables))
  return out, {**variables, **moved}

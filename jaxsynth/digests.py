"""A hash of every leaf of a tree: what checkpoints are held against."""
import hashlib
from typing import Any

import jax
import numpy as np

from jaxsynth import hosts
from jaxsynth.types import Tree


def digests(tree: Tree) -> dict[str, str]:
  """SHA-256 of every leaf's dtype, shape and bytes, by its path.

  It does not depend on how the leaves are laid out over devices. Leaves that are divided between
  processes are gathered, one at a time, so all of them must call this.
  """
  def leaf_digest(leaf: Any) -> str:
    x = np.ascontiguousarray(hosts.local(leaf))
    return hashlib.sha256(f'{x.dtype}{x.shape}'.encode() + x.tobytes()).hexdigest()
  paths, _ = jax.tree_util.tree_flatten_with_path(tree)
  return {jax.tree_util.keystr(path): leaf_digest(leaf) for path, leaf in paths}

"""A sampler as a file: compiled by any later JAX for CPU, CUDA or TPU, without Flax.

A folder of three files: `sampler.bin` (StableHLO with a fixed batch), `params.npz` and
`config.json` (shapes, provenance, and the digests of the other two). `load` is all that
reads it, and needs jax, numpy and flatbuffers alone: copy it where it is wanted.
"""
from collections.abc import Callable, Mapping, Sequence
import hashlib
import io
import json
import os
import pathlib
from typing import Any

import jax
from jax import Array
import numpy as np

PLATFORMS = ('cpu', 'cuda', 'tpu')
KNOWN = ('cpu', 'cuda', 'rocm', 'tpu')
EXPECTED = f'expected some of {", ".join(KNOWN)}, each once; a gpu is cuda or rocm'


def load(folder: str | os.PathLike) -> Callable[..., Array]:
  """The sampler in a folder: `(seed, indices [B], labels [B]) -> uint8 [B, H, W, C]`.

  `B` is the batch of config.json. Sample i of a seed is the one that a data set of the
  seed has (to a rounding, if its block is not `B`). Without labels for an unconditional
  model.

  Raises:
    ValueError: a file is not the one that was exported. The sampler raises it for arguments
      that are no integers of these shapes, a seed out of [0, 2^63), or labels of classes that
      there are not.
    ImportError: flatbuffers is missing.
  """
  root = pathlib.Path(folder).expanduser()
  config = json.loads((root / 'config.json').read_text(encoding='utf-8'))
  raw = {name: (root / name).read_bytes() for name in config['sha256']}
  for name, digest in config['sha256'].items():
    if hashlib.sha256(raw[name]).hexdigest() != digest:
      raise ValueError(f'{root / name} is not the file that was exported: its digest differs')
  arrays = np.load(io.BytesIO(raw['params.npz']))
  leaves = jax.device_put([arrays[f'{k:04d}'] for k in range(len(arrays.files))])
  sampler = jax.jit(_export().deserialize(bytearray(raw['sampler.bin'])).call)

  wide = config.get('seed_words') == 2  # older files take the low word alone
  classes = config.get('num_classes') or 2 ** 31

  def checked_sampler(seed: Any, indices: Any, *labels: Any) -> Array:
    if len(labels) != config['conditional']:
      raise ValueError(f'{len(labels)} arrays of labels: expected '
                       f'{"one" if config["conditional"] else "none"}, as the model is '
                       f'{"" if config["conditional"] else "un"}conditional')
    each = (config['batch_size'],)
    whole = int(_integers('seed', seed, (), 2 ** 63 if wide else 2 ** 32))
    words = np.array([whole & 0xffffffff, whole >> 32] if wide else whole, np.uint32)
    return sampler(leaves, words, *(
        _integers(name, x, each, stop).astype(np.uint32) for name, x, stop in (
            ('indices', indices, 2 ** 32), *(('labels', x, classes) for x in labels))))
  return checked_sampler


def _integers(name: str, given: Any, shape: tuple[int, ...], stop: int) -> np.ndarray:
  """An argument of a sampler, which would draw something of any number it is given.

  Raises:
    ValueError: no integers of this shape in [0, stop).
  """
  array = np.asarray(given)
  large = array.dtype == object and all(isinstance(x, int) for x in array.flat)
  if array.shape != shape or not (large or np.issubdtype(array.dtype, np.integer)):
    raise ValueError(f'{name}: {array.dtype}{list(array.shape)}, expected integers {list(shape)}')
  outside = array[(array < 0) | (array >= stop)]
  if outside.size:
    raise ValueError(f'{name}: {outside.flat[0]}, expected integers in [0, {stop})')
  return array


def exported(sample: Callable, params: Any, variables: Any, *, batch_size: int,
             conditional: bool, platforms: Sequence[str] = PLATFORMS,
             record: Mapping[str, Any] | None = None) -> dict[str, bytes]:
  """Lowers a sampler for several platforms.

  Args:
    sample: `Objective.sample`, of images `[n, H, W, C]` in [-1, 1].
    params: the model's.
    variables: the model's.
    batch_size: `B`, fixed: files with a symbolic one are read by fewer versions of JAX.
    conditional: whether it takes labels.
    platforms: where it is to run, some of `KNOWN`.
    record: what else config.json says.

  Returns:
    File name to contents.

  Raises:
    ValueError: `batch_size` below 1, or other platforms.
    ImportError: flatbuffers is missing.

  https://docs.jax.dev/en/latest/export/export.html
  """
  from jaxsynth.pixels import quantized  # `load` can do without
  from jaxsynth.synthesis import draw
  export = _export()
  if batch_size < 1:
    raise ValueError(f'batch_size={batch_size}: expected at least 1')
  if not are_platforms(platforms):
    raise ValueError(f'platforms={list(platforms)}: {EXPECTED}')
  leaves, tree = jax.tree.flatten((params, variables))
  leaves = [np.asarray(leaf) for leaf in leaves]

  def sampler(leaves: list[Array], seed: Array, indices: Array, *labels: Array) -> Array:
    cond = labels[0].astype(np.int32) if labels else None
    params, variables = jax.tree.unflatten(tree, leaves)
    key = draw.key_of(seed)
    return quantized(draw.sample_at(sample, params, variables, key, indices, cond))

  each = jax.ShapeDtypeStruct((batch_size,), np.uint32)
  args = (leaves, jax.ShapeDtypeStruct((2,), np.uint32), each, *[each] * conditional)
  lowered = export.export(jax.jit(sampler), platforms=tuple(platforms))(*args)
  arrays = io.BytesIO()
  np.savez(arrays, **dict(zip(map('{:04d}'.format, range(len(leaves))), leaves)))
  files = {'sampler.bin': bytes(lowered.serialize()), 'params.npz': arrays.getvalue()}
  config = {
      **(record or {}), 'batch_size': batch_size, 'conditional': conditional, 'seed_words': 2,
      'platforms': list(platforms), 'image_shape': list(lowered.out_avals[0].shape[1:]),
      'jax': jax.__version__, 'calling_convention': lowered.calling_convention_version,
      'sha256': {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()}}
  return {**files, 'config.json': json.dumps(config, indent=2).encode() + b'\n'}


def are_platforms(names: Sequence[str]) -> bool:
  """Whether they are names of platforms, one at least and each once."""
  return bool(names) and set(names) <= set(KNOWN) and len(set(names)) == len(names)


def _export() -> Any:
  try:
    import flatbuffers  # noqa: F401  # jax.export needs it, and jax does not ask for it
  except ImportError as error:
    raise ImportError("jax.export needs flatbuffers: pip install 'jaxsynth[export]'") from error
  from jax import export
  return export

"""Inception's weights: out of pytorch-fid's file into an npz file, and out of that."""
from collections.abc import Mapping
import hashlib
import os
import pathlib
from typing import Any

import numpy as np

from jaxsynth import files
from jaxsynth.metrics.features import inception_network as networks, torch_file
from jaxsynth.metrics.features.base import DamagedWeights, digest, Features

# PyTorch puts the first digits of a file's SHA-256 into its name:
# https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth
OFFICIAL = '6726825d'
EPSILON = 1e-3  # of its batch norms


def inception(path: str | os.PathLike) -> Features:
  """Inception-v3's 2048 averages before the last layer, of images of any size.

  Images are resized to 299 x 299 bilinearly, without antialiasing, as pytorch-fid does;
  one channel is seen thrice. The name is `inception_fid`, and so the Frechet distance on
  it `fid`, only if `convert_inception` was given pytorch-fid's own file; else it is `inception`.

  Args:
    path: an npz file as `convert_inception` writes it: for each convolution `NAME` of
      `inception_network.shapes()`, named as in torchvision, `NAME.kernel` float32
      `[kh, kw, in, out]` and `NAME.bias` float32 `[out]`, batch norm folded into both;
      `sha256`, their `digest`, and `source`, the SHA-256 of the file that they came from,
      may be missing.

  Returns:
    The features; `extract` with a `batch_size` of 32 or so.

  Raises:
    FileNotFoundError: there is none.
    DamagedWeights: arrays are missing or of another shape, or differ from their hash.
  """
  path = pathlib.Path(path)
  try:
    with open(path, 'rb') as f, np.load(f, allow_pickle=False) as arrays:
      params = {name: arrays[name] for name in arrays.files}
  except FileNotFoundError:
    raise FileNotFoundError(
        f'{path}: no Inception weights here; fetch pt_inception-2015-12-05-{OFFICIAL}.pth from '
        'the releases of github.com/mseitzer/pytorch-fid and convert it with '
        'jaxsynth.metrics.features.convert_inception') from None
  except Exception as error:  # zip and npy fail in many ways
    raise DamagedWeights(f'{path}: not a whole npz file ({error})') from error
  source = str(params.pop('source', ''))
  written = str(params.pop('sha256', ''))
  _check(path, params)
  sha256 = digest(params)
  if written and written != sha256:
    raise DamagedWeights(f'{path}: weights of hash {sha256}, expected {written}; convert again')
  name = 'inception_fid' if source.startswith(OFFICIAL) else 'inception'
  return Features(name, sha256, 2048, 'bilinear 299x299 without antialias', (None, None, None),
                  params, networks.apply)


def convert_inception(source: str | os.PathLike, target: str | os.PathLike) -> str:
  """Writes the weights of a PyTorch file as npz; nothing in the file is run.

  Each batch norm is folded into the convolution before it:

      kernel = weight * gamma / sqrt(var + 1e-3),   bias = beta - mean * gamma / sqrt(var + 1e-3)

  Args:
    source: `pt_inception-2015-12-05-6726825d.pth`, or another state dictionary of that
      network. Its last layer is left out.
    target: of the npz file.

  Returns:
    The weights' `digest`.

  Raises:
    UnsafeFile: `source` holds anything but tensors.
    DamagedWeights: tensors are missing or of another shape.
  """
  params: dict[str, Any] = dict(folded(torch_file.read(source), source))
  with open(source, 'rb') as f:
    source_sha256 = hashlib.file_digest(f, 'sha256').hexdigest()
  sha256 = digest(params)
  with files.write_aside(target) as f:
    np.savez(f, **params, sha256=np.array(sha256), source=np.array(source_sha256))
  return sha256


def folded(tensors: Mapping[str, np.ndarray], who: object = 'weights') -> dict[str, np.ndarray]:
  """torchvision's tensors as `NAME.kernel` and `NAME.bias`."""
  params = {}
  for name in networks.shapes():
    try:
      weight, gamma, beta, mean, var = (tensors[f'{name}.{k}'].astype(np.float64) for k in (
          'conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var'))
      scale = gamma / np.sqrt(var + EPSILON)
      params[f'{name}.kernel'] = (weight.transpose(2, 3, 1, 0) * scale).astype(np.float32)
      params[f'{name}.bias'] = (beta - mean * scale).astype(np.float32)
    except (KeyError, ValueError) as error:
      raise DamagedWeights(f'{who}: layer {name}: {error}; expected the state dictionary of '
                           "pytorch-fid's Inception") from error
  _check(who, params)
  return params


def _check(who: object, params: Mapping[str, np.ndarray]) -> None:
  wanted: dict[str, tuple[int, ...]] = {}
  for name, shape in networks.shapes().items():
    wanted |= {f'{name}.kernel': shape, f'{name}.bias': shape[-1:]}
  for name in sorted({*wanted, *params}):
    x = params.get(name)
    actual = None if x is None else (x.shape, x.dtype.name)
    if name not in wanted or actual != (wanted[name], 'float32'):
      expected = f'float32 {wanted[name]}' if name in wanted else 'nothing of that name'
      raise DamagedWeights(f'{who}: {name} is {actual}, expected {expected}')

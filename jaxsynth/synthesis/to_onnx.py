"""A generator as an ONNX model, held against onnxruntime before it is given away."""
from collections.abc import Callable

import jax
from jax import Array
import numpy as np

from jaxsynth import ops

TOLERANCE = 1e-4  # of images in [-1, 1], float32


def to_onnx(images: Callable[..., Array], batch_size: int, latent_dim: int,
            num_classes: int | None = None) -> bytes:
  """Converts a network of latents; ONNX has no random numbers that are ours.

  Convolutions go in as stride-1 and undilated ones (`ops.cpu_forms`): jax2onnx 0.13
  drops the dilation of a transposed convolution without a word, so what comes out is
  run by onnxruntime and compared.

  Args:
    images: `(z [B, latent_dim])` or `(z, label int32 [B])` to `[B, H, W, C]`, float32.
    batch_size: `B`, fixed.
    latent_dim: size of the latent.
    num_classes: of labels, or `None` for none.

  Returns:
    The model's file; inputs and outputs in the order of `images`.

  Raises:
    ImportError: jax2onnx or onnxruntime is missing.
    ValueError: onnxruntime's images differ by more than 1e-4.
  """
  try:
    import jax2onnx
    import onnxruntime
  except ImportError as error:
    raise ImportError(f"{error.name} is missing: pip install 'jaxsynth[onnx]'") from error
  rng = np.random.default_rng(0)
  args = [rng.normal(size=(batch_size, latent_dim)).astype(np.float32)]
  if num_classes is not None:
    args.append((np.arange(batch_size) % num_classes).astype(np.int32))
  with ops.cpu_forms():
    model = jax2onnx.to_onnx(images, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in args],
                             model_name='generator')
  raw = model.SerializeToString()
  options = onnxruntime.SessionOptions()
  options.log_severity_level = 3  # it warns of shapes that jax2onnx notes in another layout
  session = onnxruntime.InferenceSession(raw, options, providers=['CPUExecutionProvider'])
  (got,) = session.run(None, dict(zip([x.name for x in session.get_inputs()], args)))
  want = np.asarray(jax.jit(images)(*args))
  if got.shape != want.shape or not np.abs(got - want).max() <= TOLERANCE:
    raise ValueError(f'onnxruntime gives other images, {list(got.shape)} for {list(want.shape)}: '
                     'this network is not converted rightly; use sampler.bin')
  return raw

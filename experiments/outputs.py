"""What a run leaves in its folder, apart from its records."""
from collections.abc import Mapping
import hashlib
import pathlib
import platform
from typing import Any

import flax
import jax
import numpy as np
import optax

import build
import jaxsynth
from jaxsynth import data, files, images, synthesis, train_step as ts
from jaxsynth.tensorboard import TensorBoard


def record(config: Mapping[str, Any], source: data.Source, devices: list[jax.Device]
           ) -> dict[str, Any]:
  """All that `config.json` says: enough to rebuild the run, and what it ran on."""
  return {
      'flags': config,
      'data': {'name': source.name, 'image_shape': list(source.image_shape),
               'size': source.size, 'num_classes': source.num_classes,
               'digest': digest(source)},
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                   'flax': flax.__version__, 'optax': optax.__version__,
                   'numpy': np.__version__, 'python': platform.python_version()},
      'devices': [str(d) for d in devices], 'platform': devices[0].platform}


def digest(source: data.Source) -> str:
  """SHA-256 of 64 examples spread over the data: another data set has another."""
  batch = source.take(np.linspace(0, source.size - 1, 64).astype(np.int64))
  return hashlib.sha256(b''.join(batch[name].tobytes() for name in sorted(batch))).hexdigest()


class Artist:
  """Draws from the averaged generator: grids as training goes, images at the end.

  Args:
    folder: of the run.
    config: the run's flags.
    run: what they mean.
    source: real images, shown once.
    key: of every sample; grids and the final images are the same samples.
    start: the step that the run starts from.
  """

  def __init__(self, folder: pathlib.Path, config: Mapping[str, Any], run: build.Run,
               source: data.Source, key: jax.Array, start: int):
    self._folder, self._config, self._run, self._key = folder, config, run, key
    self._draw = synthesis.drawer(run.algorithm.sample, run.num_classes)
    self._board = None
    if config['tensorboard']:
      self._board = TensorBoard(folder / 'tensorboard', start)
    real = data.batch_at(source, 100, config['seed'])(0)
    self._real = data.to_float(real)
    images.save_png(folder / 'samples/real.png', images.grid(real['image']), scale=2)

  def scalars(self, step: int, row: Mapping[str, float]) -> None:
    """A line of metrics, to TensorBoard."""
    if self._board:
      self._board.scalars(step, row)

  def show(self, step: int, state: ts.TrainState) -> None:
    """A 10x10 grid, always of the same samples."""
    fakes = self._draw(*ts.averaged(state), self._key, 0, 100)
    grid = images.grid(data.to_uint8(fakes))
    images.save_png(self._folder / f'samples/step_{step:06d}.png', grid, scale=2)
    if self._board:
      self._board.image(step, 'samples', grid)
      labels = synthesis.labels_for(np.arange(100), self._run.num_classes or 1)
      for name, image, label in (('real', self._real['image'], self._real.get('label')),
                                 ('fake', fakes, labels)):
        cond = () if self._run.num_classes is None else (label,)
        logits = np.asarray(self._run.logits(state, image, *cond))
        self._board.histogram(step, f'logits/{name}', logits)

  def draw(self, state: ts.TrainState, key: jax.Array, n: int) -> np.ndarray:
    """Samples 0 to `n - 1` of a key, uint8 `[n, H, W, C]`.

    Raises:
      FloatingPointError: pixels that are not finite.
    """
    drawn = self._draw(*ts.averaged(state), key, 0, n)
    if not np.isfinite(drawn).all():
      raise FloatingPointError(f'step {int(state.step)}: the averaged generator draws pixels that '
                               'are not finite; lower the learning rates, or train in float32')
    return data.to_uint8(drawn)

  def synthesize(self, state: ts.TrainState) -> None:
    """`synthetic.npz`: `images` uint8 `[N, H, W, C]`, and `labels` if conditional."""
    n = self._config['num_synthetic']
    if not n:
      return
    arrays = {'images': self.draw(state, self._key, n)}
    if self._run.num_classes is not None:
      arrays['labels'] = synthesis.labels_for(np.arange(n), self._run.num_classes)
    with files.write_aside(self._folder / 'synthetic.npz') as f:
      np.savez_compressed(f, **arrays)  # type: ignore[arg-type]

  def flush(self) -> None:
    """Writes TensorBoard's pending points."""
    if self._board:
      self._board.flush()

  def close(self) -> None:
    """Finishes TensorBoard's files."""
    if self._board:
      self._board.close()

"""Pictures of a run, and its synthetic images."""
from collections.abc import Mapping
import pathlib
from typing import Any

import jax
import numpy as np

from jaxsynth import data, files, images, synthesis, train_step as ts
from jaxsynth.data.classes import names_of
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.kinded_npz import arrays_of
from jaxsynth.data.origin import MARK
from jaxsynth.data.tables.writing import write_csv
from jaxsynth.runs.run import Run
from jaxsynth.tensorboard import TensorBoard

SHOWN = 100  # samples of a grid


class Artist:
  """Draws from the averaged model: grids as training goes, images at the end.

  Args:
    folder: of the run.
    run: what is trained.
    source: real examples, some of them shown once, unless the run is private.
    seed: of which.
    key: of every sample; grids and the final images are the same samples.
    board: TensorBoard, or `None`.
  """

  def __init__(self, folder: pathlib.Path, run: Run, source: data.Source, seed: int,
               key: jax.Array, board: TensorBoard | None = None):
    self._folder, self._run, self._key, self._board = folder, run, key, board
    self._draw = synthesis.drawer(run.sample, run.num_classes)
    self._class_names = list(names_of(source))
    self._logits = None if run.logits is None else jax.jit(run.logits)
    self._kind = kind_of(source)
    self._real: Any = None
    if not run.private:
      real = data.batch_at(source, SHOWN, seed)(0)
      self._real = self._kind.in_model(real)
      images.save_png(folder / 'samples/real.png', images.grid(self._kind.shown(real)), scale=2)

  def scalars(self, step: int, row: Mapping[str, float]) -> None:
    """A line of metrics, to TensorBoard."""
    if self._board:
      self._board.scalars(step, row)

  def show(self, step: int, state: ts.TrainState) -> None:
    """A 10x10 grid, always of the same samples."""
    fakes = self._draw(*ts.averaged(state), self._key, 0, SHOWN)
    grid = images.grid(self._kind.shown({self._kind.name: self._kind.on_disk(fakes)}))
    images.save_png(self._folder / f'samples/step_{step:06d}.png', grid, scale=2)
    if self._board:
      self._board.image(step, 'samples', grid)
      self._histograms(step, state, fakes)

  def _histograms(self, step: int, state: ts.TrainState, fakes: np.ndarray) -> None:
    """What a discriminator says of real images and of samples."""
    if self._logits is None or self._board is None:
      return
    classes, whole = self._run.num_classes, SHOWN - SHOWN % self._run.packing
    labels = synthesis.labels_for(np.arange(SHOWN), classes or 1)
    both: list[tuple[str, Any, Any]] = [('fake', fakes, labels)]
    if self._real is not None:
      both.insert(0, ('real', self._real[self._kind.name], self._real.get('label')))
    for name, image, label in both:
      cond = () if classes is None else (label[:whole],)
      logits = self._logits(state, image[:whole], *cond)
      self._board.histogram(step, f'logits/{name}', np.asarray(logits))

  def draw(self, state: ts.TrainState, key: jax.Array, n: int) -> np.ndarray:
    """Samples 0 to `n - 1` of a key, as on disk: uint8 `[n, H, W, C]` of images.

    Raises:
      FloatingPointError: values that are not finite.
    """
    drawn = self._draw(*ts.averaged(state), key, 0, n)
    if not np.isfinite(drawn).all():
      raise FloatingPointError(
          f'step {int(state.step)}: the averaged model draws {self._kind.plural} that are not '
          'finite; lower the learning rates, or train in float32')
    return self._kind.on_disk(drawn)

  def synthesize(self, state: ts.TrainState, n: int) -> None:
    """`synthetic.npz`: `images` uint8 `[n, H, W, C]`; if conditional `labels`, `class_names`.

    Of another kind it has that kind's array, as `series`, and what it is. An array `synthetic`
    says that it is no real data. Rows of a table are also in synthetic.csv, in the table's words.
    """
    if not n:
      return
    values = self.draw(state, self._key, n)
    arrays = arrays_of(self._kind, values)
    if self._run.num_classes is not None:
      arrays['labels'] = synthesis.labels_for(np.arange(n), self._run.num_classes)
      arrays['class_names'] = np.array(self._class_names)
    arrays[MARK] = np.array(True)
    with files.write_aside(self._folder / 'synthetic.npz') as f:
      np.savez_compressed(f, **arrays)  # type: ignore[arg-type]
    if self._kind.texts is not None:
      write_csv(self._folder / 'synthetic.csv', self._kind, values, arrays.get('labels'))

  def flush(self) -> None:
    """Writes TensorBoard's pending points."""
    if self._board:
      self._board.flush()

  def close(self) -> None:
    """Finishes TensorBoard's files."""
    if self._board:
      self._board.close()

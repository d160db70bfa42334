"""TensorBoard event files, without TensorFlow."""
from collections.abc import Mapping
import os

import numpy as np


class TensorBoard:
  """Scalars, pictures and histograms of a run.

  Args:
    logdir: folder of the event files.
    start: the step that the run starts from; what was logged past it is hidden.
  """

  def __init__(self, logdir: str | os.PathLike, start: int = 0):
    import tensorboardX  # slow to load
    self._writer = tensorboardX.SummaryWriter(
        os.fspath(logdir), purge_step=start + 1)

  def scalars(self, step: int, values: Mapping[str, float]) -> None:
    """One point of each curve."""
    for name, value in values.items():
      self._writer.add_scalar(name, value, step)

  def image(self, step: int, name: str, image: np.ndarray) -> None:
    """A picture, uint8 `[H, W, C]`."""
    self._writer.add_image(name, image, step, dataformats='HWC')

  def histogram(self, step: int, name: str, values: np.ndarray) -> None:
    """A distribution, `[n]`."""
    self._writer.add_histogram(name, np.asarray(values), step)

  def flush(self) -> None:
    """Writes what is pending."""
    self._writer.flush()

  def close(self) -> None:
    """Writes what is pending, and ends."""
    self._writer.close()

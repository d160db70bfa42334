"""TensorBoard event files, without TensorFlow."""
from collections.abc import Mapping
import os
import time
from typing import Any

import numpy as np

EDGES = 1.1 ** np.arange(-290, 484)  # of histograms, 1e-12 to 1e20, as TensorBoard has them
BINS = np.concatenate([-EDGES[::-1], [0.], EDGES])


class TensorBoard:
  """Scalars, pictures and histograms of a run.

  They are written by who logs them: tensorboardX's own writer is a thread, which ends without a
  word where a disk is full, and who logs then waits for ever.

  Args:
    logdir: folder of the event files; made if missing.
    start: the step that the run starts from; what was logged past it is hidden.

  Raises (by every method):
    OSError: it cannot be written.
  """

  def __init__(self, logdir: str | os.PathLike, start: int = 0):
    from tensorboardX import event_file_writer, summary  # slow to load
    from tensorboardX.proto import event_pb2
    self._summary, self._event = summary, event_pb2.Event
    os.makedirs(logdir, exist_ok=True)
    self._file = event_file_writer.EventsWriter(os.path.join(logdir, 'events'))
    session = event_pb2.SessionLog
    self._write(start + 1, session_log=session(status=session.START))

  def scalars(self, step: int, values: Mapping[str, float]) -> None:
    """One point of each curve."""
    for name, value in values.items():
      self._write(step, summary=self._summary.scalar(name, value))

  def image(self, step: int, name: str, image: np.ndarray) -> None:
    """A picture, uint8 `[H, W, C]`."""
    self._write(step, summary=self._summary.image(name, image, dataformats='HWC'))

  def histogram(self, step: int, name: str, values: np.ndarray) -> None:
    """A distribution, `[n]`."""
    self._write(step, summary=self._summary.histogram(name, np.asarray(values), BINS))

  def _write(self, step: int, **what: Any) -> None:
    self._file.write_event(self._event(wall_time=time.time(), step=step, **what))

  def flush(self) -> None:
    """Writes what is pending."""
    self._file.flush()

  def close(self) -> None:
    """Writes what is pending, and ends."""
    self._file.close()

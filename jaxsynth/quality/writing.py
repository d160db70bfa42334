"""From an order to files: samples that pass, labelled as asked, shard by shard."""
import json
import pathlib
from typing import NamedTuple, TYPE_CHECKING

from jaxsynth import files, synthesis
from jaxsynth.quality import labelling
from jaxsynth.quality.claiming import claim
from jaxsynth.quality.fitting import fit_filters, FittedFilters
from jaxsynth.quality.material import labeller_of, Material
from jaxsynth.quality.order import Order
from jaxsynth.quality.real import RealData
from jaxsynth.quality.selection import check, Selection
from jaxsynth.synthesis import engine, plan, strict
from jaxsynth.synthesis.draw import Stream

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax


class Work(NamedTuple):
  """What one worker has to do for a data set. Made by `begin`.

  Attributes:
    order: of the data set.
    form: how it is written.
    stream: the samples.
    shards: this worker's, all of them.
    left: those that are not there yet.
    fitted: the filters, or `None` where none was needed.
  """
  order: Order
  form: engine.Format
  stream: Stream
  shards: list[plan.Shard]
  left: list[plan.Shard]
  fitted: FittedFilters | None

  def write(self, report: engine.Report = lambda images, size: None) -> bool:
    """Writes the shards that are left; finishes the data set if that was the last of them.

    Args:
      report: called with the number of images and bytes of each piece written.

    Returns:
      Whether the data set is whole.

    Raises:
      OSError: it cannot be written.
      FloatingPointError: the model draws pixels that are not finite.
      strict.TooFew: filters let too few samples pass. What is whole stays in any case.
    """
    engine.write(self.stream, self.left, self.form, report=report)
    return engine.finish(self.order.shards, self.form)


def begin(order: Order, model: 'Trained', real: RealData | None = None,
          selection: Selection = Selection(), *, worker: int = 0, workers: int = 1) -> Work:
  """Claims the data set's folder and fits its filters, or reads those that are fitted.

  Args:
    order: what is to be written.
    model: that is drawn from.
    real: see `read_real`; needed with filters or pseudo-labels.
    selection: which samples enter, and who labels them.
    worker: this one's number; the bytes do not depend on how many there are, and they need
      nothing but the folder in common.
    workers: how many there are.

  Returns:
    The work, to be done by its `write`.

  Raises:
    ValueError: no such worker; real data are needed; or the folder holds another data set.
    OSError, ImportError: it cannot be written.
  """
  check(selection, model)
  if (selection.filters or selection.pseudo_labels) and real is None:
    raise ValueError('filters and pseudo-labels stand on real images: give read_real(...)')
  shards = plan.shards_of_worker(order.shards, worker, workers)
  form, fitted = claim(order, model, real, selection), None
  left = [shard for shard in shards if not form.done(shard)]
  if left and real is not None and selection.filters:
    fitted = fit_filters(Material(order, model, real, selection))
    stream = filtered_stream(order, model, fitted, selection.attempts)
  else:
    stream = model.streamer(order.seed, order.shares, block=order.block)
  if left and real is not None and selection.pseudo_labels:
    stream = labelling.label_stream(stream, order, real, labeller_of(order, real, selection))
  return Work(order, form, stream, shards, left, fitted)


def filtered_stream(order: Order, model: 'Trained', fitted: FittedFilters, attempts: int = 64
                    ) -> Stream:
  """The samples of an order that pass filters; each shard's counts are kept beside it.

  Args:
    order: of the data set, whose folder exists.
    model: that is drawn from.
    fitted: the filters.
    attempts: candidates a sample, on average, before it is given up.

  Returns:
    `(start, stop) -> pieces`, see `synthesis.passing`.
  """
  propose = synthesis.proposer(model.run.sample, model.params, model.variables, order.seed,
                               order.shares, fitted.filters, block=order.block,
                               kind=model.kind)

  def keep_counts(start: int, stop: int, kept: strict.Kept) -> None:
    path = _counts_path(order, start, stop)
    path.parent.mkdir(exist_ok=True)
    with files.write_aside(path) as f:
      f.write(json.dumps(kept._asdict()).encode())
  return synthesis.passing(propose, [f.name for f in fitted.filters], model.image_shape,
                           unlike=fitted.unlike, attempts=attempts, block=order.block,
                           kind=model.kind, report=keep_counts)


def kept_counts(order: Order) -> strict.Kept:
  """What became of all candidates, once all shards are there."""
  parts = [strict.Kept(**json.loads(_counts_path(order, s.start, s.stop).read_text()))
           for s in order.shards]
  return sum(parts[1:], parts[0])


def _counts_path(order: Order, start: int, stop: int) -> pathlib.Path:
  return order.folder / '.kept' / f'{start}-{stop}.json'

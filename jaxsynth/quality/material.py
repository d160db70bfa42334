"""What filters are made of and fitted on, each computed once and only if it is asked for."""
from collections.abc import Callable
import functools
import json
from typing import TYPE_CHECKING

from jax import Array
import numpy as np

from jaxsynth.data.classes import names_of
from jaxsynth.data.examples import random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.quality import labeller as labellers
from jaxsynth.quality.labeller import Labeller
from jaxsynth.quality.order import Order
from jaxsynth.quality.real import RealData
from jaxsynth.quality.selection import Selection
from jaxsynth.synthesis import candidates
from jaxsynth.synthesis.filters import Candidates
from jaxsynth.types import TrainState

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax

CALIBRATION = 5000  # samples that thresholds are looked at with
REFERENCE = 10_000  # training images that candidates are held against


class Material:
  """The model, the data, and what follows from them.

  Args:
    order: what is to be written: its seed, labels and folder.
    model: that is drawn from.
    real: training and held-out images.
    selection: the filters' operating point.
  """

  def __init__(self, order: Order, model: 'Trained', real: RealData, selection: Selection):
    self.order, self.model, self.real, self.selection = order, model, real, selection

  @functools.cached_property
  def reference(self) -> np.ndarray:
    """Training examples as on disk: uint8 `[N, H, W, C]` of images."""
    train = self.real.train
    return train.take(random_positions(train.size, REFERENCE))[self.model.kind.name]

  @functools.cached_property
  def held_out(self) -> Candidates:
    """Held-out images as if they were samples."""
    images, labels = self.real.held_out.values, self.real.held_out.labels
    uniforms = np.random.Generator(np.random.Philox(self.order.seed)).random(
        len(images), np.float32)
    return Candidates(images, labels if self.model.run.num_classes is not None else None,
                      uniforms)

  @functools.cached_property
  def samples(self) -> Candidates:
    """Samples that are in no data set."""
    return spare_samples(self.order, self.model, CALIBRATION)

  @functools.cached_property
  def labeller(self) -> Labeller:
    """The classifier of the data set."""
    return labeller_of(self.order, self.real, self.selection)

  @functools.cached_property
  def state(self) -> TrainState:
    """The state that the model's discriminator judges by."""
    from jaxsynth.runs import loading  # loads Orbax
    return loading.load_state(self.model)._replace(opt_state={}, ema={})

  @property
  def logits(self) -> Callable[[TrainState, Array, Array | None], Array]:
    """The discriminator's, of images in [-1, 1] and labels or `None`."""
    judge = self.model.run.logits
    assert judge is not None  # see selection.check
    return lambda state, images, labels: judge(
        state, images, *(() if labels is None else (labels,)))


def spare_samples(order: Order, model: 'Trained', num: int, batch: int = 0) -> Candidates:
  """Samples that are in no data set, of an order's seed and labels.

  Args:
    order: of the data set.
    model: that is drawn from.
    num: how many.
    batch: another number, other samples.
  """
  propose = candidates.proposer(model.run.sample, model.params, model.variables, order.seed,
                                order.shares, block=order.block, kind=model.kind)
  pieces = list(propose(np.arange(num), np.full(num, candidates.SPARE + batch)))
  labels = (None if pieces[0].labels is None else
            np.concatenate([piece.labels for piece in pieces]))
  return Candidates(np.concatenate([piece.images for piece in pieces]), labels,
                    np.concatenate([piece.uniforms for piece in pieces]))


def labeller_of(order: Order, real: RealData, selection: Selection) -> Labeller:
  """The classifier of a data set: trained, or given, by whoever comes first.

  It lies beside the data, as its weights depend on the machine: whoever comes later reads it.

  Raises:
    ValueError: it is gone, and images were judged by it.
  """
  path = order.folder / '.classifier.npz'
  shape, classes = real.train.image_shape, real.train.num_classes
  assert classes is not None  # see read_real
  names, kind = names_of(real.train), kind_of(real.train)
  if not path.exists():
    if _has_judged(order):
      raise ValueError(f'{path} is gone, and images were judged by it: bring it back, or remove '
                       'the data set')
    labellers.save_labeller(path, (
        labellers.train_labeller(real.train, order.seed) if selection.classifier is None else
        labellers.load_labeller(selection.classifier, shape, classes, names, kind)))
  return labellers.load_labeller(path, shape, classes, names, kind)


def _has_judged(order: Order) -> bool:
  """Whether a classifier has been at work there."""
  path = order.folder / '.filters.json'
  return (order.folder / '.pseudo_labels.json').exists() or (
      path.exists() and 'classifier' in json.loads(path.read_text(encoding='utf-8')))

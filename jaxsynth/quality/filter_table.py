"""How each filter is made and fitted, by name."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.quality.material import Material
from jaxsynth.synthesis import filters
from jaxsynth.synthesis.filters import Calibration, Candidates, Filter

DISTANCE = 'pixels in [-1, 1], Euclidean'
Record = dict[str, Any]  # of JSON's types


class Kind(NamedTuple):
  """A kind of filter.

  Attributes:
    prepare: what is found out before it can be made, for the record.
    make: the filter at any threshold, from that; `None` for one that is no score of a single
      candidate, but a distance that two samples keep.
    fit: its record: threshold, how it was chosen, and what passes of real images and samples.
  """
  prepare: Callable[[Material], Record]
  make: Callable[[Material, Mapping[str, Any]], Filter | None]
  fit: Callable[[Material, Any, Record], Record]


def fit_share(material: Material, made: Filter, prepared: Record) -> Record:
  """At the threshold that `keep` of the held-out images pass."""
  return _record(material, filters.fit(made, material.held_out, material.selection.keep),
                 prepared)


def make_near_real(kind: Callable[..., Filter]) -> Callable[[Material, Any], Filter]:
  """A filter of where candidates lie among training images."""
  return lambda material, _: kind(material.real.features, material.reference,
                                  to_model=material.model.kind.to_model)


def prepare_discriminator(material: Material) -> Record:
  """What turns logits into log density ratios."""
  held_out, samples = (_logits(material, x) for x in (material.held_out, material.samples))
  return {'calibration': filters.calibrate(held_out, samples)._asdict()}


def make_discriminator(material: Material, record: Mapping[str, Any]) -> Filter:
  """Rejection sampling by the model's own discriminator."""
  return filters.discriminator(material.logits, material.state,
                               Calibration(**record['calibration']), material.model.kind.to_model)


def fit_discriminator(material: Material, made: Filter, prepared: Record) -> Record:
  """As `fit_share`, or at a percentile of the samples' scores."""
  gamma = material.selection.gamma
  if gamma is None:
    return fit_share(material, made, prepared)
  threshold = filters.gamma(_logits(material, material.samples),
                            Calibration(**prepared['calibration']), gamma)
  return _record(material, made._replace(threshold=threshold),
                 {**prepared, 'keep': None, 'percentile': gamma})


def fit_classifier(material: Material, made: Filter, prepared: Record) -> Record:
  """As `fit_share`, but labels agree at least."""
  held_out, notes = material.held_out, dict(prepared)
  if held_out.labels is not None:
    notes['accuracy_on_validation'] = float(filters.kept(made, held_out).mean())
  fitted = filters.fit(made, held_out, material.selection.keep)
  return _record(material, fitted._replace(threshold=max(fitted.threshold, made.threshold)),
                 notes)


def fit_copies(material: Material, made: Filter, prepared: Record) -> Record:
  """No nearer to training images than any held-out one comes."""
  return _record(material, filters.fit_copies(made, material.held_out),
                 {**prepared, 'keep': 1., 'unit': _unit(material)})


def fit_duplicates(material: Material, made: None, prepared: Record) -> Record:
  """No nearer to each other than training images come."""
  return {'threshold': filters.duplicate_threshold(
      material.reference, to_model=material.model.kind.to_model), 'unit': _unit(material),
          'scope': 'within a shard'}


KINDS: dict[str, Kind] = {
    'discriminator': Kind(prepare_discriminator, make_discriminator, fit_discriminator),
    'classifier': Kind(
        lambda material: {'sha256': material.labeller.digest},
        lambda material, _: filters.classifier(material.labeller.logits,
                                               material.labeller.weights,
                                               material.model.kind.to_model), fit_classifier),
    'realism': Kind(lambda material: {}, make_near_real(filters.realism), fit_share),
    'density': Kind(lambda material: {}, make_near_real(filters.density), fit_share),
    'copies': Kind(
        lambda material: {},
        lambda material, _: filters.copies(material.real.train.take(
            np.arange(material.real.train.size))[material.model.kind.name],
            material.model.kind.to_model), fit_copies),
    'duplicates': Kind(lambda material: {}, lambda material, _: None, fit_duplicates)}


def _logits(material: Material, candidates: Candidates) -> np.ndarray:
  """The discriminator's logits `[n]`."""
  logits = material.logits
  return filters.scores(Filter('logits', material.state, lambda state, x: logits(
      state, material.model.kind.to_model(x.images), x.labels).reshape(-1)), candidates)


def _unit(material: Material) -> str:
  """What distances of copies are in."""
  return DISTANCE.replace('pixels', material.model.kind.words.get('pixels', 'pixels'))


def _record(material: Material, fitted: Filter, notes: Record) -> Record:
  """What is written of a fitted filter."""
  return {'validation': material.real.held_out.name, 'keep': material.selection.keep, **notes,
          'threshold': fitted.threshold,
          'kept_of_validation': float(filters.kept(fitted, material.held_out).mean()),
          'kept_of_samples': float(filters.kept(fitted, material.samples).mean())}

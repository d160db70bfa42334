"""Whether the synthetic set gives training images back."""
from typing import Any

import numpy as np

from evaluate_sets import Sets, shared
from extractors import extract
from jaxsynth.data.analysis.pooling import pooled
from jaxsynth.metrics import duplicates, features, memorisation as tests, neighbours
from jaxsynth.metrics.protocol import Protocol, Scored
from sets import order

SIDE = 32  # images no larger are compared pixel by pixel, larger ones averaged down
Copies = tuple[np.ndarray, np.ndarray, np.ndarray]


def memorisation(sets: Sets, fake: np.ndarray, real: np.ndarray, net: features.Features,
                 seed: int) -> tuple[dict[str, Scored], dict[str, Any], Copies]:
  """Scores, details, and fakes with their nearest training images.

  The reference stands as the holdout. For the floor, held-out images stand where the
  fakes do; where there are none, half of the reference is held out for it.

  Args:
    sets: with a training set.
    fake: features of the fakes.
    real: features of the reference.
    net: that they are of.
    seed: of the halves.
  """
  assert sets.train is not None
  train = extract(net, sets.train.images)
  if sets.held is not None:
    stand, stand_images, name = (extract(net, sets.held.images), sets.held.images,
                                 sets.held.name)
    holdout, holdout_images = real, sets.real.images
  else:
    halves = np.array_split(order(len(real), seed), 2)
    holdout, stand = (real[at] for at in halves)
    holdout_images, stand_images = (sets.real.images[at] for at in halves)
    name = f'half of {sets.real.name}'
  pixels = features.pixels()

  def scored(score: str, value: float, floor: float, error: float, by: Any) -> Scored:
    card = Protocol.of(
        features.score_name(score, by), by, n_real=len(train), n_fake=len(fake),
        split=sets.train.name, settings={  # type: ignore[union-attr]
            'holdout': sets.real.name, 'n_holdout': len(holdout), 'floor': name,
            'n_floor': len(stand)})
    return Scored(float(value), float(floor), error, card)

  scores = {}
  near, floor = (tests.nearer_to_train(x, train, holdout) for x in (fake, stand))
  scores['nearer_to_train'] = scored('nearer_to_train', near.share.value, floor.share.value,
                                     error(near.share), net)
  z, z_floor = (tests.data_copying(x, train, holdout) for x in (fake, stand))
  scores['data_copying'] = scored('data_copying', z, z_floor, 1., net)
  own, floors = (tests.authenticity(x, train) for x in (fake, stand))
  scores['authenticity'] = scored('authenticity', own.value, floors.value, error(own), net)
  rows = [pooled(x, SIDE) for x in (
      sets.fake.images, sets.train.images, holdout_images, stand_images)]
  copies = duplicates.near_copies(*rows[:3])
  scores['near_copies'] = scored('near_copies', copies.share.value, duplicates.near_copies(
      rows[3], *rows[1:3]).share.value, error(copies.share), pixels)
  distance, at = (x[:, 0] for x in neighbours.nearest(rows[0], rows[1]))
  details = {
      'expected_share': near.expected, 'z': near.z, 'p_value': near.p_value, 'ties': near.ties,
      'floor_z': floor.z, 'near_copies': copies.share._asdict(),
      'exact_copies': shared(sets.fake, sets.train)}
  return scores, details, (np.arange(len(distance)), at, distance)


def error(share: Any) -> float:
  """The standard error of a share."""
  return float(np.sqrt(share.value * (1 - share.value) / share.total))

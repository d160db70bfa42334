"""Whether a synthetic set gives training images back."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.kinds.pooling import pooled
from jaxsynth.data.examples import count_shared, shuffled
from jaxsynth.evaluation.cards import share_error
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.embedded import Embedded
from jaxsynth.metrics import duplicates, features, memorisation, neighbours
from jaxsynth.metrics.protocol import Protocol, Scored

SIDE = 32  # images no larger are compared pixel by pixel, larger ones averaged down


class NearestTrain(NamedTuple):
  """The training image that is nearest to each synthetic one, by its pixels.

  Attributes:
    positions: `[N]` in the training set.
    distances: `[N]`.
  """
  positions: np.ndarray
  distances: np.ndarray


class HeldOut(NamedTuple):
  """What a set of real examples brings to the tests: features `[n, D]` and values, by a name."""
  name: str
  features: np.ndarray
  values: np.ndarray


def copy_scores(comparison: Comparison, embedded: Embedded
                ) -> tuple[dict[str, Scored], dict[str, Any], NearestTrain]:
  """Tests of memorisation, each beside what real images get that nothing learned from.

  The reference stands as the holdout. For the floor, held-out images stand where the
  synthetic ones do; where there are none, half of the reference is held out for it.

  Args:
    comparison: with a training set.
    embedded: features of its sets.

  Returns:
    The scores, details of them, and the nearest training images.
  """
  net, synthetic = embedded.net, embedded.synthetic
  assert comparison.train is not None
  train = features.extract_all(net, comparison.train.values, comparison.kind.to_model)
  holdout, fresh = _held_out(comparison, embedded)
  settings = {'holdout': comparison.real.name, 'n_holdout': len(holdout.features),
              'floor': fresh.name, 'n_floor': len(fresh.features)}
  card = lambda name, by: Protocol.of(
      features.score_name(name, by), by, n_real=len(train), n_fake=len(synthetic),
      split=comparison.train.name, settings=settings)
  both = lambda test: (test(synthetic), test(fresh.features))
  near, near_floor = both(lambda x: memorisation.nearer_to_train(x, train, holdout.features))
  z, z_floor = both(lambda x: memorisation.data_copying(x, train, holdout.features))
  authentic, authentic_floor = both(lambda x: memorisation.authenticity(x, train))
  rows, train_rows, holdout_rows, fresh_rows = (pooled(comparison.kind.plain(x), SIDE) for x in (
      comparison.synthetic.values, comparison.train.values, holdout.values, fresh.values))
  copies, copies_floor = (duplicates.near_copies(x, train_rows, holdout_rows)
                          for x in (rows, fresh_rows))
  scores = {
      'nearer_to_train': Scored(near.share.value, near_floor.share.value,
                                share_error(near.share), card('nearer_to_train', net)),
      'data_copying': Scored(float(z), float(z_floor), 1., card('data_copying', net)),
      'authenticity': Scored(authentic.value, authentic_floor.value, share_error(authentic),
                             card('authenticity', net)),
      'near_copies': Scored(copies.share.value, copies_floor.share.value,
                            share_error(copies.share), card('near_copies', features.pixels()))}
  details = {
      'expected_share': near.expected, 'z': near.z, 'p_value': near.p_value, 'ties': near.ties,
      'floor_z': near_floor.z, 'near_copies': copies.share._asdict(),
      'exact_copies': count_shared(comparison.synthetic, comparison.train)}
  distances, positions = (x[:, 0] for x in neighbours.nearest(rows, train_rows))
  return scores, details, NearestTrain(positions, distances)


def _held_out(comparison: Comparison, embedded: Embedded) -> tuple[HeldOut, HeldOut]:
  """The holdout of the tests, and fresh images for their floor."""
  real, held_out = comparison.real, comparison.held_out
  if held_out is not None:
    return (HeldOut(real.name, embedded.real, real.values),
            HeldOut(held_out.name, features.extract_all(embedded.net, held_out.values,
                                                        comparison.kind.to_model),
                    held_out.values))
  first, second = np.array_split(shuffled(len(real.values), comparison.seed), 2)
  return (HeldOut(real.name, embedded.real[first], real.values[first]),
          HeldOut(f'half of {real.name}', embedded.real[second], real.values[second]))

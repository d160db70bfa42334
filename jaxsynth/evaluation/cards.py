"""How each score of an evaluation was measured, beside its value and its floor."""
import math
from typing import Any, NamedTuple

from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.metrics import features
from jaxsynth.metrics.protocol import Protocol, Scored
from jaxsynth.metrics.score import Share


class GivenLabels(NamedTuple):
  """Stands for features where a score is of the labels that came with the images."""
  name: str = 'labels'
  sha256: str = ''
  resizer: str = 'none'


class Cards(NamedTuple):
  """Puts the protocol of a comparison beside its scores.

  Attributes:
    comparison: the sets.
    net: features that scores stand on, where nothing else is said.
  """
  comparison: Comparison
  net: features.Features

  def scored(self, name: str, value: float, floor: float, standard_error: float | None = None,
             *, net: Any = None, seed: int | None = None, **settings: Any) -> Scored:
    """A score of the synthetic set with its card.

    Args:
      name: of the score.
      value: of the synthetic examples.
      floor: of the other real ones in their place.
      standard_error: of the value, if it was estimated.
      net: what the score stands on, if not on `self.net`.
      seed: of what the score draws.
      **settings: the score's own arguments.
    """
    net = net or self.net
    synthetic, real, other = self.comparison[:3]
    card = Protocol.of(
        features.score_name(name, net), net, n_real=len(real.values),
        n_fake=len(synthetic.values), split=real.name, seed=seed,
        settings={'floor': other.name, 'n_floor': len(other.values), **settings})
    return Scored(float(value), float(floor), standard_error, card)


def share_error(share: Share) -> float:
  """The standard error of a share.

  >>> from jaxsynth.metrics.score import wilson
  >>> share_error(wilson(50, 100))
  0.05
  """
  return math.sqrt(share.value * (1 - share.value) / share.total)

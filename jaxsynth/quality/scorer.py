"""What images score against held-out real ones."""
from typing import Any

import numpy as np

from jaxsynth.data.examples import random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.metrics import distances, duplicates, features
from jaxsynth.metrics.protocol import Protocol
from jaxsynth.quality.real import RealData
from jaxsynth.synthesis.filters.train_copies import all_small

NAMES = ('frechet', 'kernel', 'copies', *(n for n in distances.NAMES if n not in distances.LOWER))
SEED = 0  # of which images are scored
Scores = dict[str, float | None]


class Scorer:
  """Scores images against held-out real ones, as many of both.

  Args:
    real: the data.
    num: images of each, at most.

  Attributes:
    num: held-out images that are scored against.
  """

  def __init__(self, real: RealData, num: int):
    self.num = min(num, len(real.held_out.values))
    self._real = real
    self._kind = kind_of(real.train)
    held_out = real.held_out.values[random_positions(len(real.held_out.values), self.num, SEED)]
    self._reference = distances.Reference(self._features(held_out))
    self._train: np.ndarray | None = None

  def scores(self, images: np.ndarray, *, of_training: bool = False) -> Scores:
    """Every score, by name.

    Args:
      images: uint8 `[N, H, W, C]`, or examples of another kind as on disk.
      of_training: whether they are training images, which are copies of themselves: `copies`
        is then what fresh real images would have.

    Returns:
      The distances of `metrics.distances`, `frechet` being `None` where there are no more
      images than features; and `copies`, the share of images nearer to a training image than
      any held-out one comes.
    """
    fake = self._features(images)
    names = [name for name in distances.NAMES
             if name != 'frechet' or not self._reference.too_few(len(fake))]
    measured = self._reference.measure(fake, names)
    scores: Scores = {name: measured[name].value if name in measured else None
                      for name in distances.NAMES}
    if of_training:
      return scores | {'copies': 1 / (len(self._real.held_out.values) + 1)}
    if self._train is None:
      train = self._real.train
      self._train = self._small(train.take(np.arange(train.size))[self._kind.name])
    copies = duplicates.near_copies(self._small(images), self._train,
                                    self._small(self._real.held_out.values))
    return scores | {'copies': copies.share.value}

  def _features(self, values: np.ndarray) -> np.ndarray:
    return features.extract_all(self._real.features, values, self._kind.to_model)

  def _small(self, values: np.ndarray) -> np.ndarray:
    return all_small(values, self._kind.to_model)

  def floor(self) -> Scores:
    """Training images in the place of samples: what a perfect generator scores."""
    train = self._real.train
    positions = random_positions(train.size, self.num, SEED)
    return self.scores(train.take(positions)[self._kind.name], of_training=True)

  def protocols(self, n_fake: int) -> dict[str, Any]:
    """How each score was measured, of JSON's types.

    Args:
      n_fake: images scored.
    """
    cards = {}
    for name in NAMES:
      net = features.pixels() if name == 'copies' else self._real.features
      settings = ({'pixels': 'at most 32 x 32'} if name == 'copies' else
                  distances.settings(name, self.num, n_fake))
      cards[name] = Protocol.of(
          features.score_name(name, net), net, n_real=self.num, n_fake=n_fake,
          split=self._real.held_out.name, seed=distances.SEED if name == 'kernel' else SEED,
          settings=settings)._asdict()
    return cards

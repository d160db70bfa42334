"""What a family of models says of itself: all that the runner and the programs know of it."""
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import optax

from jaxsynth import data, keys, train_step as ts
from jaxsynth.accumulate import accumulate
from jaxsynth.ema import EMA
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.privacy.plan import Plan
from jaxsynth.runs.collapse import Signal, SIGNALS
from jaxsynth.types import Algorithm, Objective, PerPlayer, Player


class Decoder(NamedTuple):
  """The part of a model that turns one latent into one example, without drawing any.

  Attributes:
    latent_dim: size of the latent.
    apply: `(params, variables, z [B, latent_dim], *labels [B]) -> [B, H, W, C]`.
  """
  latent_dim: int
  apply: Callable[..., jax.Array]


class Density(NamedTuple):
  """How likely a model with latents holds an image to be.

  Attributes:
    log_weights: `(params, variables, batch, keys [B], count) -> [count, B]`, nats: logarithms of
      numbers whose mean is `p(x)` of each example, as `metrics.likelihood` takes them.
    misfit: `images uint8 [n, H, W, C] -> why it is of none such`, empty where it is.
  """
  log_weights: Callable[..., jax.Array]
  misfit: Callable[[Any], str]


class Release(NamedTuple):
  """What a model takes of the whole data, once, so that its steps need no example.

  Attributes:
    take: `(source, key, variables) -> variables`, before the first step of a new run, and by none
      that goes on: its checkpoint has them. A function of its arguments alone, so that a run which
      was killed before its first checkpoint takes the very same again.
    promise: `size of the data -> Guarantee` of what was taken; `None` where it is not private.
  """
  take: Callable[[data.Source, jax.Array, PerPlayer], PerPlayer]
  promise: Callable[[int], Guarantee] | None = None


class Run(NamedTuple):
  """A model with what trains it. Only the first two are asked of every family.

  Attributes:
    objective: what is learned.
    optimizers: one optax transformation a player.
    schedule: the phases of a step, see `train_step.train_step`; `None` is one of all players.
    grad_fn: as `train_step.joint_grad`.
    ema: which players are averaged; samples, scores and exports are of the averages.
    num_classes: of the labels that samples are drawn for; `None` for an unconditional model.
    logits: `(state, images [n, H, W, C] in [-1, 1], *labels [n]) -> [n / packing]`, a
      discriminator's in evaluation; `None` where there is none.
    packing: images that `logits` judges together.
    decoder: for exports of the network alone; `None` where a sample is no function of a latent.
    density: for likelihoods of images; `None` where there are none.
    misfit: `images uint8 [n, H, W, C] -> why it cannot learn from them`, empty where it can;
      asked before any work.
    guide_step: of the checkpoint of the same run by which samples are guided: then their
      `variables` have it as `'guide'`, `{'params': ..., 'variables': ...}`. `None` for none.
    privacy: how some players learn privately, whose `grad_fn` is then the one above; `None` where
      nothing is private.
    signals: by which a training that has collapsed is known.
    release: what is taken of the whole data before the first step; `None` for nothing.
    summary: what it is, as the subject of a sentence: `'A DCGAN (widths 64 and 64)'`.
  """
  objective: Objective
  optimizers: Mapping[Player, optax.GradientTransformation]
  schedule: ts.Schedule | None = None
  grad_fn: Callable = ts.joint_grad
  ema: EMA | None = None
  num_classes: int | None = None
  logits: Callable[..., jax.Array] | None = None
  packing: int = 1
  decoder: Decoder | None = None
  density: Density | None = None
  misfit: Callable[[Any], str] = lambda images: ''
  guide_step: int | None = None
  privacy: Plan | None = None
  signals: Sequence[Signal] = SIGNALS
  release: Release | None = None
  summary: str = 'A model'

  @property
  def private(self) -> bool:
    """Whether it learns privately, in its steps or by its release."""
    return self.privacy is not None or (
        self.release is not None and self.release.promise is not None)

  @property
  def phases(self) -> int:
    """Of a step; batches have them first if there is more than one."""
    return 1 if self.schedule is None else len(self.schedule)

  def algorithm(self, axis_name: str | None = None, parts: int = 1, backoff: float = 1.
                ) -> Algorithm:
    """The update rule of this model.

    Args:
      axis_name: of a mapped step, see `parallel.axis_name`.
      parts: that a batch's gradient is accumulated over, see `accumulate.accumulate`.
      backoff: of rates, an attempt, see `train_step.train_step`.

    Raises:
      ValueError: more than one part, and the loss of a batch is not the mean of its parts', or
        it is a private one, in which each part would have noise.
    """
    if parts > 1 and self.privacy is not None:
      raise ValueError(f'a private batch in {parts} parts would have noise in each; take '
                       'microbatches instead')
    grad_fn = accumulate(self.objective, parts, self.grad_fn) if parts > 1 else self.grad_fn
    return ts.build(self.objective, self.optimizers, schedule=self.schedule, grad_fn=grad_fn,
                    ema=self.ema, axis_name=axis_name, backoff=backoff)

  def sample(self, params: PerPlayer, variables: PerPlayer, keys: Any, cond: Any) -> jax.Array:
    """The objective's samples."""
    return self.objective.sample(params, variables, keys, cond)


class Keys(NamedTuple):
  """The keys of a run, all of its seed.

  Attributes:
    train: the base key of every step.
    init: of the first parameters.
    samples: of the pictures, and of synthetic.npz.
    scores: of the samples that are scored as training goes.
    release: of the noise on what a release, and of nothing else.
  """
  train: jax.Array
  init: jax.Array
  samples: jax.Array
  scores: jax.Array
  release: jax.Array


def keys_of(seed: int) -> Keys:
  """The keys of a seed in [0, 2^63): three that it is split into, and those that were added."""
  key = keys.of_seed(seed)
  train, init, samples = jax.random.split(key, 3)
  return Keys(train, init, samples, jax.random.fold_in(key, 3), jax.random.fold_in(key, 4))

"""Augmentations that the discriminator sees through, on real and generated images alike."""
from collections.abc import Callable, Mapping
import math
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth import keys as keys_
from jaxsynth.types import Context

P = 'augment_p'  # in the shared variables
View = Callable[[Array], Array]  # of images `[B, H, W, C]`


class DiscriminatorAugmentation(NamedTuple):
  """What is done to images on their way to the discriminator, and how often.

  With a fixed `p` this is after DiffAugment (Zhao et al. 2020,
  https://arxiv.org/abs/2006.10738); with a `target` it is adaptive, ADA (Karras et al. 2020,
  https://arxiv.org/abs/2006.06676): `p` rises while the discriminator is surer of real images
  than `target`, and falls else. That is for losses whose boundary is a logit of 0.

  Attributes:
    augment: `(keys [B], images [B, H, W, C], p []) -> [B, H, W, C]`, with a gradient by
      the images; each of its parts is applied with probability `p`.
    p: in [0, 1], at the start.
    target: of the mean sign of the real logits, in (-1, 1), 0.6 in the paper; `None` for a
      `p` that stays.
    images: how many real ones take `p` from 0 to 1 at the fastest; 500,000 in the paper.
  """
  augment: Callable[[Array, Array, Array | float], Array]
  p: float = 1.
  target: float | None = None
  images: float = 500e3


def checked(augmentation: DiscriminatorAugmentation | None) -> None:
  """Refuses an augmentation whose numbers are out of range, or without anything to apply.

  Raises:
    ValueError: it is one.

  >>> checked(DiscriminatorAugmentation(None, target=.6))
  Traceback (most recent call last):
  ValueError: augmentation: augment=None, expected a function of keys, images and p; an adaptive \
probability needs augmentations
  """
  if augmentation is None:
    return
  if not callable(augmentation.augment):
    raise ValueError(f'augmentation: augment={augmentation.augment}, expected a function of keys, '
                     'images and p; an adaptive probability needs augmentations')
  if not 0 <= augmentation.p <= 1:
    raise ValueError(f'augmentation: p={augmentation.p}, expected a probability')
  if augmentation.target is not None and not -1 < augmentation.target < 1:
    raise ValueError(f'augmentation: target={augmentation.target}, expected a mean sign in '
                     '(-1, 1), as 0.6, or None')
  if not 0 < augmentation.images < math.inf:
    raise ValueError(f'augmentation: images={augmentation.images}, expected a number above 0')


def shared(augmentation: DiscriminatorAugmentation | None) -> dict[str, Array]:
  """The shared variables at the start: `p`, if it is adaptive."""
  if augmentation is None or augmentation.target is None:
    return {}
  return {P: jnp.asarray(augmentation.p, jnp.float32)}


def followed(augmentation: DiscriminatorAugmentation, p: Array, real_logits: Array, n: int,
             axis_name: str | None) -> tuple[Array, Array]:
  """The next `p`, and the mean sign that moved it.

  `p <- clip(p + sign(E[sign(D(real))] - target) B / images, 0, 1)`

  Args:
    augmentation: with a target.
    p: `[]`.
    real_logits: of the images here.
    n: how many images there are here.
    axis_name: the mapped axis that shares the batch, over which the sign is averaged.

  >>> import jax.numpy as jnp
  >>> ada = DiscriminatorAugmentation(lambda keys, images, p: images, 0., .6, 400.)
  >>> followed(ada, jnp.zeros(()), jnp.ones(4), 4, None)[0].item()
  0.009999999776482582
  """
  assert augmentation.target is not None
  devices = 1 if axis_name is None else lax.psum(1, axis_name)
  sign = jnp.mean(jnp.sign(lax.stop_gradient(real_logits)))
  sign = sign if axis_name is None else lax.pmean(sign, axis_name)
  change = jnp.sign(sign - augmentation.target) * devices * n / augmentation.images
  return jnp.clip(p + change, 0, 1), sign


def updated(augmentation: DiscriminatorAugmentation | None, shared: Mapping[str, Array],
            real_logits: Array, n: int, axis_name: str | None
            ) -> tuple[Mapping[str, Array], dict[str, Array]]:
  """The shared variables after a step, and metrics; both as they were if nothing is adaptive."""
  if augmentation is None or P not in shared:
    return shared, {}
  p, sign = followed(augmentation, shared[P], real_logits, n, axis_name)
  return {**shared, P: p}, {'augment/p': shared[P], 'augment/sign': sign}


def views(augmentation: DiscriminatorAugmentation | None, shared: Mapping[str, Array], key: Array,
          n: int, ctx: Context) -> tuple[View, View]:
  """How the discriminator sees real and generated images: as they are in evaluation.

  Args:
    augmentation: `None` for images as they are in training too.
    shared: the shared variables.
    key: of all examples.
    n: how many examples there are here.
    ctx: where they are in the batch, and whether this is training.
  """
  if augmentation is None or not ctx.train:
    return (lambda image: image), (lambda image: image)
  p = shared.get(P, augmentation.p)
  real, fake = jnp.moveaxis(jax.vmap(jax.random.split)(keys_.per_example(key, n, ctx)), 1, 0)
  return (lambda image: augmentation.augment(real, image, p),
          lambda image: augmentation.augment(fake, image, p))

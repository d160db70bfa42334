"""Waves like those of an electrocardiogram, with every beat and wave known."""
import dataclasses

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.rules import spec as spec_
from jaxsynth.rules.distributions import Uniform
from jaxsynth.rules.rule import Rule

CLASSES = ('normal', 'fast', 'slow', 'early beats')
EVENTS = ('none', 'beat', 'early beat')
# height in mV, place after the R wave and width in seconds, of the waves P, Q, R, S and T
WAVES = np.array([(.15, -.18, .025), (-.12, -.035, .010), (1.1, 0., .012), (-.25, .035, .012),
                  (.3, .28, .05)], np.float32)
# of a beat that begins in a ventricle: no P wave, and a wide R wave
EARLY = np.array([(0., -.18, .025), (-.1, -.06, .02), (1.4, 0., .035), (-.35, .09, .03),
                  (-.35, .32, .06)], np.float32)


@dataclasses.dataclass(frozen=True)
class Heart:
  """How long, how fast, and how disturbed.

  Raises:
    ValueError: a field out of its bounds.
  """
  length: int = spec_.field(512, 'of a series', 'steps', 16, 1 << 16)
  rate: float = spec_.field(128., 'of the steps', 'a second', 20, 1000)
  normal: Uniform = spec_.field(Uniform(60., 95.), 'of a normal heart', 'beats a minute', 20, 250)
  fast: Uniform = spec_.field(Uniform(120., 170.), 'of a fast one', 'beats a minute', 20, 250)
  slow: Uniform = spec_.field(Uniform(35., 50.), 'of a slow one', 'beats a minute', 20, 250)
  early: Uniform = spec_.field(Uniform(.15, .35), 'of beats that are early, among early beats',
                               'share', .01, 1)
  irregular: Uniform = spec_.field(Uniform(.01, .05), 'standard deviation of the time between '
                                   'beats', 'share', 0, .1)
  amplitude: Uniform = spec_.field(Uniform(.8, 1.2), 'of all waves', '', .1, 10)
  wander: Uniform = spec_.field(Uniform(0., .15), 'of the base line', 'mV', 0, 1)
  noise: Uniform = spec_.field(Uniform(.01, .05), 'standard deviation', 'mV', 0, 1)

  def __post_init__(self) -> None:
    spec_.check(self)

  @property
  def beats(self) -> int:
    """More than there are in any series."""
    fastest = max(self.normal.high, self.fast.high, self.slow.high)
    return int(self.length / self.rate * fastest / 60 * 1.5) + 4


def heart(spec: Heart = Heart()) -> Rule:
  """The rule that draws them; the label is the rhythm.

  An example, with `T` the length:

      series  [T, 1] float32, mV
      events  [T] int32, positions in `EVENTS`, at the step nearest to an R wave's top
      label   [] int32: normal, fast, slow, or normal with early beats

  Each beat is a sum of five bells (McSharry et al. 2003). An early beat comes after .6 of the time
  between two others, is wide and has no P wave, and the next comes later by as much.

  Args:
    spec: what is drawn.

  >>> example = heart().draw(jax.random.key(0), jnp.int32(3))
  >>> example['series'].shape, bool((example['events'] > 0).any())
  ((512, 1), True)
  """
  return Rule(spec, lambda key, label: _draw(spec, key, label), CLASSES, (1 / 4,) * 4)


def _draw(spec: Heart, key: Array, label: Array) -> dict[str, Array]:
  keys = iter(jax.random.split(key, 10))
  n = spec.beats
  pace = jnp.stack([x.draw(k) for x, k in zip(
      (spec.normal, spec.fast, spec.slow, spec.normal), keys)])[label]
  between = 60 / pace * (1 + spec.irregular.draw(next(keys)) * jnp.clip(
      jax.random.normal(next(keys), (n,)), -3, 3))
  key_share, key_which = jax.random.split(next(keys))
  many = jax.random.uniform(key_which, (n,)) < spec.early.draw(key_share)
  many = many.at[2].set(True)  # one at least is within all but the shortest series
  early = (label == CLASSES.index('early beats')) & many & ~jnp.roll(many, 1).at[0].set(False)
  moved = jnp.where(early, -.4 * between, 0)  # the next beat is where it would have been
  key_first, key_amplitude, key_wander, key_noise = jax.random.split(next(keys), 4)
  first = jax.random.uniform(key_first) * between[0]
  regular = first + jnp.concatenate([jnp.zeros(1), jnp.cumsum(between[1:])]) - between[0]
  tops = regular + moved

  time = jnp.arange(spec.length) / spec.rate
  waves = jnp.where(early[:, None, None], jnp.asarray(EARLY)[None], jnp.asarray(WAVES)[None])
  # the T wave is nearer where the heart is faster, by the root of the time between beats (Bazett)
  place = waves[..., 1] * jnp.sqrt(jnp.clip(60 / pace, .3, 1.5))
  away = time[None, None] - (tops[:, None] + place)[..., None]
  clean = jnp.sum(waves[..., 0, None] * jnp.exp(-.5 * (away / waves[..., 2, None]) ** 2), (0, 1))
  key_phase, key_size, key_slow = jax.random.split(key_wander, 3)
  wander = spec.wander.draw(key_size) * jnp.sin(2 * jnp.pi * (
      jax.random.uniform(key_slow, minval=.1, maxval=.4) * time + jax.random.uniform(key_phase)))
  size, noise = jax.random.split(key_noise)
  series = spec.amplitude.draw(key_amplitude) * clean + wander + (
      spec.noise.draw(size) * jax.random.normal(noise, time.shape))
  at = jnp.round(tops * spec.rate).astype(jnp.int32)
  here = at[:, None] == jnp.arange(spec.length)[None]
  events = jnp.max(jnp.where(here, jnp.where(early, 2, 1)[:, None], 0), 0)
  return {'series': series[:, None], 'events': events, 'label': jnp.int32(label)}

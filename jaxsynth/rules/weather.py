"""Light and weather of a scene, and what they do to its picture."""
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.rules import views
from jaxsynth.rules.street import Light
from jaxsynth.rules.views import Colour, FAR, Seen, View

NAMES = ('clear', 'overcast', 'fog', 'rain', 'dusk')
# light of the sun and in the shade; colours of the sky at the horizon and above; how far one
# sees, at least and at most, m; share of streaks of rain
_TABLE = np.array([
    (1., .55, .8, .88, .97, .3, .5, .85, 2000., 4000., 0.),
    (.78, .68, .86, .87, .89, .62, .65, .7, 1000., 2000., 0.),
    (.72, .66, .8, .81, .83, .76, .77, .8, 25., 80., 0.),
    (.55, .48, .6, .62, .65, .42, .44, .48, 150., 400., .03),
    (.3, .22, .62, .42, .32, .12, .13, .26, 600., 2000., 0.)], np.float32)


class Weather(NamedTuple):
  """What there is of it: `[]` each.

  Attributes:
    light: of the scene.
    sight: after how many metres of air only 1 / e of the light is left.
    rain: share of samples with a streak.
  """
  light: Light
  sight: Array
  rain: Array


def drawn(key: Array, which: Array) -> Weather:
  """Weather at random, of a position in `NAMES`."""
  key_side, key_bright, key_sight = jax.random.split(key, 3)
  row = jnp.asarray(_TABLE)[which]
  bright = jax.random.uniform(key_bright, minval=.8, maxval=1.1)
  sky, zenith = (views.shaded(views.colour(x), bright) for x in (row[2:5], row[5:8]))
  light = Light(row[0] * bright, row[1] * bright, jax.random.bernoulli(key_side), sky, zenith)
  return Weather(light, jax.random.uniform(key_sight, minval=row[8], maxval=row[9]), row[10])


def through(weather: Weather, view: View, scene: Seen, moment: Array) -> Colour:
  """The colours of a scene after the air and the rain in it; `moment` counts its frames."""
  sky = weather.light.sky
  thick = 1 - jnp.exp(-jnp.minimum(scene.depth, FAR) / weather.sight)
  foggy = weather.sight < 100
  hidden = jnp.where((scene.depth >= FAR) & ~foggy, 0, thick)
  colour = views.mixed(scene.colour, sky, hidden)
  # streaks: as wide as a sample, some twelve long, slanted
  x, y = view.a / view.pixel, view.b / view.pixel
  drop = views.grain(x + .2 * y, y / 12, moment) < weather.rain
  return views.mixed(colour, sky, .45 * drop)

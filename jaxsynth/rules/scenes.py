"""Streets in perspective: pictures or short videos, with masks, depth and boxes."""
import dataclasses
import functools

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.rules import paint, roadside, street, traffic, views, weather
from jaxsynth.rules import spec as spec_
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.rule import Rule
from jaxsynth.rules.street import PEDESTRIAN, SIGN, TREE, VEHICLE
from jaxsynth.rules.views import FAR, View

AHEAD = 90.  # how far things stand, m
TILES = (6, 4)  # rows and columns that an image is cut into on CPUs, at most


@dataclasses.dataclass(frozen=True)
class Scenes:
  """What is in a scene, and from where it is seen.

  Raises:
    ValueError: a field out of its bounds.
  """
  image_size: tuple[int, int] = spec_.field((120, 160), 'height and width', 'pixels', 16, 1024)
  frames: int = spec_.field(1, 'of a video; 1 for a picture', '', 1, 256)
  frame_rate: float = spec_.field(10., 'of a video', 'a second', .1, 240)
  samples: int = spec_.field(2, 'rows, and columns, of samples in a pixel, which are averaged', '',
                             1, 8)
  weather: Choice = spec_.field(Choice(weather.NAMES), 'which; also the classes',
                                names=weather.NAMES)
  vehicles: Integers = spec_.field(Integers(0, 6), 'how many', '', 0, 16)
  pedestrians: Integers = spec_.field(Integers(0, 6), 'how many', '', 0, 16)
  trees: Integers = spec_.field(Integers(0, 6), 'how many', '', 0, 16)
  signs: Integers = spec_.field(Integers(0, 3), 'how many', '', 0, 16)
  drive: Choice = spec_.field(Choice(('left', 'right')), 'on which side one drives',
                              names=('left', 'right'))
  road: Uniform = spec_.field(Uniform(6., 11.), 'width of the road', 'm', 4, 40)
  buildings: Uniform = spec_.field(Uniform(5., 18.), 'height of buildings', 'm', 2, 100)
  gaps: Uniform = spec_.field(Uniform(0., .5), 'of the rows of buildings', 'share', 0, 1)
  camera: Uniform = spec_.field(Uniform(1.2, 1.9), 'height of the camera', 'm', .5, 10)
  field_of_view: Uniform = spec_.field(Uniform(45., 70.), 'from left to right', 'degrees', 10, 120)
  horizon: Uniform = spec_.field(Uniform(.38, .55), 'from above', 'of the height', 0, 1)
  ahead: Uniform = spec_.field(Uniform(.3, .7), "where the road's end is, from the left",
                               'of the width', 0, 1)
  lane: Uniform = spec_.field(Uniform(.2, .6), 'where the camera is, from the middle of the road '
                              'to the kerb', '', 0, 1)
  speed: Uniform = spec_.field(Uniform(0., 12.), 'of the camera', 'm/s', 0, 40)
  noise: Uniform = spec_.field(Uniform(0., 6.), 'standard deviation', 'grey levels', 0, 128)

  def __post_init__(self) -> None:
    spec_.check(self)
    if not self.things:
      raise ValueError('vehicles=[0, 0]: expected at least one thing in some of the scenes')

  @property
  def things(self) -> tuple[int, ...]:
    """The kind of every thing that there may be, in the order of instances."""
    return sum(((kind,) * most.high for kind, most in (
        (VEHICLE, self.vehicles), (PEDESTRIAN, self.pedestrians), (TREE, self.trees),
        (SIGN, self.signs))), ())


def scenes(spec: Scenes = Scenes()) -> Rule:
  """The rule that draws them; the label is the weather.

  An example, with `H, W` the image's and `N` the most things that there may be:

      image          [H, W, 3] in [-1, 1]
      label          [] int32
      mask           [H, W] int32, positions in `rules.street.KINDS`, of the sample nearest to the
                     middle of each pixel, the lower right one of an even number of them
      instances      [H, W] int32: 0, or 1 + the thing that is seen there
      depth          [H, W] float32, m along the camera's axis, 0 of the sky
      objects/label  [N] int32, positions in `rules.street.KINDS`, -1 of what is not seen
      objects/box    [N, 4] in [0, 1]: top, left, bottom, right of what is seen of each

  With several frames `image`, `mask`, `instances`, `depth` and the boxes are `[T, ...]`; what is
  not seen in any frame has no label, and an empty box where it is not seen.

  Args:
    spec: what is drawn.

  >>> example = scenes(Scenes(image_size=(24, 32))).draw(jax.random.key(0), jnp.int32(0))
  >>> example['image'].shape, example['objects/box'].shape
  ((24, 32, 3), (21, 4))
  """
  return Rule(spec, lambda key, label: _draw(spec, key, label), spec.weather.names,
              spec.weather.shares,
              {'image': 'image', 'mask': 'image', 'instances': 'image', 'depth': 'compressed'},
              large=True)


def _draw(spec: Scenes, key: Array, label: Array) -> dict[str, Array]:
  keys = iter(jax.random.split(key, 8))
  u = iter(jax.random.uniform(next(keys), (15,)))
  which = jnp.array([weather.NAMES.index(name) for name in spec.weather.names])[label]
  air = weather.drawn(next(keys), which)
  half = spec.road.of(next(u)) / 2
  way = street.drawn(next(keys), half, spec.gaps.of(next(u)),
                     (spec.buildings.low, spec.buildings.high), AHEAD)
  on_left = jnp.array([name == 'left' for name in spec.drive.names])[spec.drive.of(next(u))]
  cars = traffic.drawn(next(keys), way, spec.vehicles.of(next(u)), spec.vehicles.high, AHEAD,
                       on_left)
  people, trees, signs = (
      roadside.drawn(next(keys), way, count.of(next(u)), count.high, AHEAD, *rest)
      for count, *rest in ((spec.pedestrians, (1.5, 1.9), (.1, 1.), 1.6),
                           (spec.trees, (4., 11.), (.2, .9)), (spec.signs, (2., 3.4), (.05, .5))))
  height, width = spec.image_size
  focal = 1 / (2 * jnp.tan(jnp.radians(spec.field_of_view.of(next(u))) / 2))  # of the width
  horizon, end, tall = spec.horizon.of(next(u)), spec.ahead.of(next(u)), spec.camera.of(next(u))
  shift = jnp.where(on_left, -1, 1) * half * spec.lane.of(next(u))
  speed, noise, key_noise = spec.speed.of(next(u)), spec.noise.of(next(u)), next(keys)
  n = spec.samples
  size = focal * width * n
  column = lax.iota(jnp.float32, width * n) + .5 - end * width * n
  row = lax.iota(jnp.float32, height * n) + .5 - horizon * height * n
  rays = View((column / size)[None], (row / size)[:, None], tall, 1 / size)

  def looked(a: Array, b: Array, k: Array) -> views.Seen:
    """Some columns and rows of a frame, as they are seen through the air."""
    view, time = rays._replace(a=a, b=b), k / spec.frame_rate
    ahead = speed * time
    below = street.seen(way, view, air.light, shift, ahead)
    for kind, see in ((TREE, functools.partial(roadside.trees_seen, trees)),
                      (SIGN, functools.partial(roadside.signs_seen, signs)),
                      (VEHICLE, functools.partial(traffic.seen, cars)),
                      (PEDESTRIAN, functools.partial(roadside.pedestrians_seen, people))):
      if kind in spec.things:
        first = 1 + spec.things.index(kind)
        below = see(view, air.light, shift, time, ahead, first, below)
    return below._replace(colour=weather.through(air, view, below, k))

  def by_tiles(a: Array, b: Array, k: Array) -> views.Seen:
    """One part after another, each of which stays in a CPU's caches and sees few things."""
    down, across = (max(d for d in range(1, most + 1) if size % d == 0) for size, most in (
        (height, TILES[0]), (width, TILES[1])))
    parts = lax.map(lambda ab: looked(ab[0], ab[1], k), (
        jnp.tile(a.reshape(across, 1, -1), (down, 1, 1)),
        jnp.repeat(b.reshape(down, -1, 1), across, 0)))
    whole = lambda x: x.reshape(down, across, *x.shape[1:]).swapaxes(1, 2).reshape(
        height * n, width * n)
    return jax.tree.map(whole, parts)

  def frame(k: Array) -> dict[str, Array]:
    scene = lax.platform_dependent(rays.a, rays.b, k, cpu=by_tiles, default=looked)
    image = jnp.stack(scene.colour, -1).reshape(height, n, width, n, 3).mean((1, 3))
    if spec.noise.high:
      image = paint.noisy(jax.random.fold_in(key_noise, k), image, noise)
    instances, kind, depth = (x[n // 2::n, n // 2::n] for x in (
        scene.instance, scene.kind, scene.depth))
    return {'image': 2 * jnp.clip(image, 0, 1) - 1, 'mask': kind, 'instances': instances,
            'depth': jnp.where(depth < FAR, depth, 0),
            'objects/box': boxes(instances, len(spec.things))}

  if spec.frames == 1:
    example = frame(jnp.int32(0))
    seen = (example['objects/box'] > 0).any(-1)
  else:
    example = lax.map(frame, jnp.arange(spec.frames))
    seen = (example['objects/box'] > 0).any((0, -1))
  return {**example, 'label': jnp.int32(label),
          'objects/label': jnp.where(seen, jnp.array(spec.things), -1)}


def boxes(instances: Array, most: int) -> Array:
  """Boxes `[most, 4]` in [0, 1] around the pixels of each instance; 0 of those without any.

  >>> boxes(jnp.array([[0, 0, 0, 0], [0, 0, 1, 1]]), 2).tolist()
  [[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
  """
  height, width = instances.shape
  here = instances[None] == jnp.arange(1, most + 1)[:, None, None]
  rows, columns = here.any(2), here.any(1)
  first = lambda x: jnp.argmax(x, 1) / x.shape[1]
  last = lambda x: 1 - jnp.argmax(x[:, ::-1], 1) / x.shape[1]
  box = jnp.stack([first(rows), first(columns), last(rows), last(columns)], 1)
  return jnp.where(rows.any(1)[:, None], box, 0.)

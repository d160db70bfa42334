"""Pictures like those of the rules, drawn by Pillow as one would who writes them down by hand.

The same things with the same labels: shapes with masks and boxes, streets with masks, instances,
depth and boxes. Edges are smooth as Pillow's own are not, so all is drawn larger and made smaller.
"""
import math
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from jaxsynth.rules.outlines import OUTLINES
from jaxsynth.rules.scenes import Scenes
from jaxsynth.rules.shapes import Shapes
from jaxsynth.rules.street import BUILDING, GRASS, PAVEMENT, PEDESTRIAN, ROAD, SIGN, TREE, VEHICLE

FINER = 4  # times, of shapes


def shape(spec: Shapes, rng: np.random.Generator) -> dict[str, Any]:
  """Grey shapes without textures."""
  height, width = spec.image_size
  uniform = lambda x: rng.uniform(*x)
  background = uniform(spec.background)
  large = Image.new('L', (FINER * width, FINER * height), int(255 * background))
  mask, instances = (Image.new('L', (width, height)) for _ in range(2))
  boxes: list[list[float]] = []
  labels: list[int] = []
  for i in range(rng.integers(spec.count.low, spec.count.high + 1)):
    label = int(rng.integers(len(spec.shape.names)))
    outline = OUTLINES[spec.shape.names[label]]
    radius = uniform(spec.radius) * min(height, width)
    x = radius + uniform(spec.across) * (width - 2 * radius)
    y = radius + uniform(spec.down) * (height - 2 * radius)
    angle = math.radians(uniform(spec.rotation))
    cos, sin = math.cos(angle), math.sin(angle)
    if outline.curved:
      line = np.linspace(0, 2 * np.pi, 40, endpoint=False)
      corners = np.stack([np.cos(line), np.sin(line)], 1)
    else:
      corners = np.array(outline.corners)
    corners = radius * corners @ np.array([[cos, sin], [-sin, cos]]) + [x, y]
    grey = int(255 * uniform(spec.brightness))
    for canvas, scale, value, behind in ((large, FINER, grey, int(255 * background)),
                                         (mask, 1, label + 1, 0), (instances, 1, i + 1, 0)):
      draw = ImageDraw.Draw(canvas)
      draw.polygon([tuple(p) for p in scale * corners], fill=value)
      if outline.hole:
        middle = np.array([x, y])
        draw.polygon([tuple(p) for p in scale * (middle + outline.hole * (corners - middle))],
                     fill=behind)
    boxes.append([*corners.min(0), *corners.max(0)])
    labels.append(label)
  image: Any = np.asarray(large.resize((width, height), Image.Resampling.BOX), np.float32)
  if spec.noise.high:
    image = image + rng.normal(0, uniform(spec.noise), image.shape)
  return {'image': np.clip(image, 0, 255).astype(np.uint8), 'mask': np.asarray(mask),
          'instances': np.asarray(instances), 'box': np.array(boxes), 'label': np.array(labels)}


class _Street:
  """A picture, a mask, instances and a depth, on which things are drawn from far to near."""

  def __init__(self, spec: Scenes, rng: np.random.Generator):
    self.rng, self.n = rng, spec.samples
    self.height, self.width = spec.image_size
    uniform = lambda x: rng.uniform(*x)
    self.camera, self.horizon = uniform(spec.camera), uniform(spec.horizon) * self.height
    self.focal = self.width / (2 * math.tan(math.radians(uniform(spec.field_of_view)) / 2))
    self.middle = uniform(spec.ahead) * self.width
    size = (self.width * self.n, self.height * self.n)
    self.colour = Image.new('RGB', size)
    self.mask, self.instances = (Image.new('L', (self.width, self.height)) for _ in range(2))
    self.depth = Image.new('F', (self.width, self.height))
    self.things = 0

  def at(self, x: float, y: float, z: float) -> tuple[float, float]:
    """A place, m, in pixels."""
    return self.middle + self.focal * x / z, self.horizon + self.focal * (self.camera - y) / z

  def polygon(self, places: list[tuple[float, float, float]], colour: tuple[int, ...], kind: int,
              instance: int = 0) -> None:
    """Fills the polygon through places in all of the pictures."""
    points = [self.at(*place) for place in places]
    far = float(np.mean([z for _, _, z in places]))
    ImageDraw.Draw(self.colour).polygon([(self.n * x, self.n * y) for x, y in points], fill=colour)
    ImageDraw.Draw(self.mask).polygon(points, fill=kind)
    ImageDraw.Draw(self.instances).polygon(points, fill=instance)
    ImageDraw.Draw(self.depth).polygon(points, fill=far)

  def upright(self, x: float, z: float, outline: np.ndarray, colour: tuple[int, ...], kind: int,
              instance: int) -> None:
    """Fills an outline `[n, 2]`, m, that stands at a place."""
    self.polygon([(x + u, v, z) for u, v in outline], colour, kind, instance)

  def random_colour(self) -> tuple[int, ...]:
    """Any."""
    return tuple(self.rng.integers(20, 220, 3).tolist())


def scene(spec: Scenes, rng: np.random.Generator) -> dict[str, Any]:
  """A street in clear weather."""
  s = _Street(spec, rng)
  half, pavement = rng.uniform(*spec.road) / 2, rng.uniform(1.5, 4)
  rows = np.linspace(0, 1, s.height * s.n)[:, None, None]
  sky = (1 - rows) * np.array([90, 140, 210]) + rows * np.array([205, 225, 245])
  s.colour.paste(Image.fromarray(np.broadcast_to(sky, (s.height * s.n, s.width * s.n, 3)).astype(
      np.uint8)))
  ground = lambda a, b, colour, kind: s.polygon(
      [(a, 0, 1), (b, 0, 1), (b, 0, 500), (a, 0, 500)], colour, kind)
  ground(-500, 500, (70, 100, 40), GRASS)
  ground(-half - pavement, half + pavement, (150, 148, 140), PAVEMENT)
  ground(-half, half, (95, 95, 98), ROAD)
  for z in np.arange(90, 1, -6.):
    s.polygon([(-.08, 0, z), (.08, 0, z), (.08, 0, z + 3), (-.08, 0, z + 3)], (235,) * 3, ROAD)
  for side in (-half + .35, half - .35):
    s.polygon([(side - .08, 0, 1), (side + .08, 0, 1), (side + .08, 0, 200), (side - .08, 0, 200)],
              (235,) * 3, ROAD)
  z = np.maximum((np.arange(s.height) + .5 - s.horizon) / s.focal, 1e-3)[:, None]
  s.depth = Image.fromarray(np.broadcast_to(np.where(z > 1e-3, s.camera / z, 0), (
      s.height, s.width)).astype(np.float32))
  for side in (-1, 1):
    front, end = side * (half + pavement), 110.
    while end > 2:
      begin = max(end - rng.uniform(9, 29), 1.)
      if rng.random() > .25:
        _building(s, front, begin, end, rng.uniform(*spec.buildings))
      end = begin
  things = sorted((rng.uniform(6, 90), kind) for kind, count in (
      (VEHICLE, spec.vehicles), (PEDESTRIAN, spec.pedestrians), (TREE, spec.trees),
      (SIGN, spec.signs)) for _ in range(rng.integers(count.low, count.high + 1)))
  for far, kind in reversed(things):
    s.things += 1
    side = rng.choice([-1, 1])
    _THINGS[kind](s, side * half / 2 if kind == VEHICLE else
                  side * (half + pavement * rng.uniform(.2, 1)), far)
  image: Any = np.asarray(s.colour.resize((s.width, s.height), Image.Resampling.BOX), np.float32)
  image = image + rng.normal(0, rng.uniform(*spec.noise), image.shape)
  instances = np.asarray(s.instances)
  boxes = [Image.fromarray((instances == k + 1).astype(np.uint8)).getbbox()
           for k in range(s.things)]
  return {'image': np.clip(image, 0, 255).astype(np.uint8), 'mask': np.asarray(s.mask),
          'instances': instances, 'depth': np.asarray(s.depth), 'boxes': boxes}


def _building(s: _Street, front: float, begin: float, end: float, tall: float) -> None:
  colour = s.random_colour()
  back = front + math.copysign(12, front)
  s.polygon([(front, 0, begin), (back, 0, begin), (back, tall, begin), (front, tall, begin)],
            colour, BUILDING)
  s.polygon([(front, 0, begin), (front, 0, end), (front, tall, end), (front, tall, begin)],
            colour, BUILDING)
  for y in np.arange(.5, tall - 2.5, 3.2):
    for z in np.arange(begin + .6, end - 1.4, 2.4):
      s.polygon([(front, y, z), (front, y, z + 1.3), (front, y + 1.7, z + 1.3),
                 (front, y + 1.7, z)], (60, 65, 72), BUILDING)


def _box(width: float, low: float, high: float) -> np.ndarray:
  return np.array([(-width / 2, low), (width / 2, low), (width / 2, high), (-width / 2, high)])


def _round(x: float, y: float, a: float, b: float) -> np.ndarray:
  line = np.linspace(0, 2 * np.pi, 16, endpoint=False)
  return np.stack([x + a * np.cos(line), y + b * np.sin(line)], 1)


def _vehicle(s: _Street, x: float, z: float) -> None:
  colour, number = s.random_colour(), s.things
  for width, low, high, paint, far in (
      (1.6, .85, 1.5, colour, z + .6), (1.4, .95, 1.4, (40, 50, 60), z + .6),
      (1.8, .1, .85, colour, z), (1.8, .1, .3, (15, 15, 16), z)):
    s.upright(x, far, _box(width, low, high), paint, VEHICLE, number)
  side = -.9 if x > 0 else .9
  s.polygon([(x + side, .1, z), (x + side, .1, z + 4.3), (x + side, .85, z + 4.3),
             (x + side, .85, z)], colour, VEHICLE, number)
  for u in (-.7, .7):
    s.upright(x + u, z, _box(.28, .57, .77), (190, 12, 12), VEHICLE, number)
  s.upright(x, z, _box(.45, .39, .51), (217, 204, 102), VEHICLE, number)


def _pedestrian(s: _Street, x: float, z: float) -> None:
  coat, trousers = s.random_colour(), s.random_colour()
  for outline, paint in ((_box(.12, 0, .85) - [.12, 0], trousers),
                         (_box(.12, 0, .85) + [.12, 0], trousers), (_box(.4, .8, 1.45), coat),
                         (_round(0, 1.6, .12, .14), (200, 160, 130))):
    s.upright(x, z, outline, paint, PEDESTRIAN, s.things)


def _tree(s: _Street, x: float, z: float) -> None:
  tall = s.rng.uniform(4, 11)
  s.upright(x, z, _box(.06 * tall, 0, .7 * tall), (75, 58, 40), TREE, s.things)
  for _ in range(12):
    u, v = s.rng.normal(0, .1 * tall), s.rng.normal(.65 * tall, .1 * tall)
    green = int(s.rng.integers(60, 120))
    s.upright(x, z, _round(u, v, .15 * tall, .15 * tall), (green // 2, green, 25), TREE,
              s.things)


def _sign(s: _Street, x: float, z: float) -> None:
  s.upright(x, z, _box(.1, 0, 2.4), (115, 117, 122), SIGN, s.things)
  s.upright(x, z, _round(0, 2.7, .4, .4), (190, 20, 25), SIGN, s.things)
  s.upright(x, z, _round(0, 2.7, .3, .3), (235, 235, 235), SIGN, s.things)


_THINGS = {VEHICLE: _vehicle, PEDESTRIAN: _pedestrian, TREE: _tree, SIGN: _sign}

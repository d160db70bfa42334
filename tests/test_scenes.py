"""Streets: masks, depth and boxes hold together, and a video moves as it says."""
import functools

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import synthesis
from jaxsynth.rules import rule, scenes as scenes_, spec, views
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.scenes import Scenes, scenes
from jaxsynth.rules.street import BUILDING, GRASS, KINDS, PAVEMENT, ROAD, SKY, TREE

STILL = Scenes(image_size=(36, 48), noise=Uniform(0, 0))
# nothing moves but the camera, 2 m a frame
DRIVE = Scenes(image_size=(36, 48), samples=1, frames=3, frame_rate=5., speed=Uniform(10, 10),
               vehicles=Integers(0, 0), pedestrians=Integers(0, 0), trees=Integers(3, 3),
               signs=Integers(0, 0), noise=Uniform(0, 0), weather=Choice(('overcast', 'clear')))
GROUND = (ROAD, PAVEMENT, GRASS)


@functools.cache
def drawn(of, n=40):
  keys, labels = jax.random.split(jax.random.key(0), n), jnp.arange(n) % len(of.weather.names)
  return jax.device_get(jax.jit(lambda k: rule.examples(scenes(of), k, labels))(keys))


def test_masks_instances_and_boxes_agree():
  x = drawn(STILL)
  names = np.array([*KINDS])
  assert {'sky', 'building', 'road', 'pavement', 'tree', 'vehicle', 'pedestrian'} <= set(
      names[np.unique(x['mask'])])
  np.testing.assert_array_equal(x['instances'] > 0, x['mask'] >= TREE)
  for k in range(len(x['mask'])):
    for i, (label, box) in enumerate(zip(x['objects/label'][k], x['objects/box'][k])):
      rows, columns = np.nonzero(x['instances'][k] == i + 1)
      assert (label >= 0) == (len(rows) > 0)
      if label < 0:
        assert (box == 0).all()
        continue
      assert label == STILL.things[i] and (x['mask'][k][rows, columns] == label).all()
      np.testing.assert_allclose(box * [36, 48, 36, 48], [
          rows.min(), columns.min(), rows.max() + 1, columns.max() + 1], atol=1e-4)


def test_depth_is_that_of_a_plane_seen_from_above_it():
  """Below the horizon, h rows down, the ground is at a distance proportional to 1 / h."""
  x = drawn(STILL)
  assert (x['depth'][x['mask'] == SKY] == 0).all() and (x['depth'][x['mask'] != SKY] > 0).all()
  for mask, depth in zip(x['mask'], x['depth']):
    flat = np.isin(mask, GROUND)
    rows = np.flatnonzero(flat.any(1))
    first = np.array([depth[r][flat[r]][0] for r in rows])
    for r, z in zip(rows, first):
      np.testing.assert_allclose(depth[r][flat[r]], z, rtol=1e-6)
    near = first < 60
    steps = np.diff(1 / first[near]) / np.diff(rows[near])
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)
    # what stands on the ground hides what is behind: it is nearer than the ground of its row
    standing = (mask > SKY) & ~flat
    for r, z in zip(rows, first):
      assert (depth[r][standing[r]] <= z * 1.001).all()


def test_skies_are_above_and_roads_below():
  x = drawn(STILL)
  height = lambda kind: np.mean([np.nonzero(m == kind)[0].mean() for m in x['mask']
                                 if (m == kind).any()])
  assert height(SKY) < height(BUILDING) < height(ROAD)
  light = x['image'].mean((1, 2, 3))
  of = {name: light[x['label'] == k].mean() for k, name in enumerate(STILL.weather.names)}
  assert of['dusk'] < of['rain'] < of['fog'] and of['dusk'] < of['clear']
  far = lambda k: np.mean([image[depth > 40].std() for image, depth in zip(
      x['image'][x['label'] == k], x['depth'][x['label'] == k]) if (depth > 40).any()])
  assert far(2) < .6 * far(0)  # fog hides what is far
  assert np.abs(x['image']).max() <= 1 and x['image'].std() > .2


def test_a_video_moves_as_far_as_the_camera_drives():
  x = drawn(DRIVE, 12)
  assert x['image'].shape == (12, 3, 36, 48, 3) and x['objects/box'].shape == (12, 3, 3, 4)
  moved = 0
  for k in range(12):
    for i in range(3):
      z = [x['depth'][k, t][x['instances'][k, t] == i + 1] for t in range(3)]
      assert all(np.ptp(of_frame) < 1e-4 for of_frame in z if len(of_frame))  # an upright plane
      if all(map(len, z)):
        np.testing.assert_allclose(np.diff([of_frame[0] for of_frame in z]), -2, atol=1e-3)
        moved += 1
    # the camera keeps its height and its lane, so the ground has the same depth
    both = np.isin(x['mask'][k, 0], GROUND) & np.isin(x['mask'][k, 2], GROUND)
    np.testing.assert_allclose(x['depth'][k, 0][both], x['depth'][k, 2][both], rtol=1e-5)
  assert moved > 10 and (x['image'][:, 0] != x['image'][:, 1]).any()


@pytest.mark.long
def test_tiles_of_cpus_do_not_change_pictures(monkeypatch):
  """What may not be met in a tile is not looked for; nor are things that are not there."""
  x = drawn(STILL)
  monkeypatch.setattr(scenes_, 'TILES', (1, 1))
  drawn.cache_clear()
  whole = drawn(STILL)
  for name in ('mask', 'instances', 'objects/label'):
    assert (x[name] != whole[name]).mean() < 1e-4, name  # edges may round another way
  assert np.quantile(np.abs(x['image'] - whole['image']), .999) < 1e-4


def test_boxes_by_hand():
  """A box 2 m wide, 1 to 2 m ahead, from a height of 1.5 m: its face, its top, and beyond."""
  a, b = jnp.array([[0., .9, 3.]]), jnp.array([[.2], [.6], [1.2], [1.6]])
  met = views.box(views.View(a, b, jnp.float32(1.5), jnp.float32(.01)), jnp.float32(-1.),
                  jnp.float32(1.), 0., 1., jnp.float32(1.), jnp.float32(2.))
  # b = .2 passes above, .6 falls to y = 1 at z = .5 / .6 < 1: the face; a = 3 misses to the side
  np.testing.assert_allclose(met.depth[:, 0], [views.FAR, 1, 1, views.FAR])
  assert (met.depth[:, 2] == views.FAR).all()
  np.testing.assert_allclose(met.y[1:3, 0], [.9, .3], rtol=1e-6)
  assert met.across[1, 0] and not met.above[1, 0]
  top = views.box(views.View(a, jnp.array([[.4]]), jnp.float32(1.5), jnp.float32(.01)),
                  jnp.float32(-1.), jnp.float32(1.), 0., 1., jnp.float32(1.), jnp.float32(2.))
  np.testing.assert_allclose(top.depth[0, 0], 1.25)
  assert top.above[0, 0]


@pytest.mark.long
def test_bits_do_not_depend_on_who_is_drawn_along():
  stream = synthesis.streamer(rule.sampler(scenes(STILL)), {}, {}, 3, 5, block=4,
                              to_disk=rule.kind_of(scenes(STILL)).to_disk)
  whole = np.concatenate([piece.images for piece in stream(0, 8)])
  np.testing.assert_array_equal(whole[2:7], np.concatenate([p.images for p in stream(2, 7)]))
  u = jnp.linspace(-50, 50, 100000)
  noise = np.asarray(views.grain(u * 997, u * 91, 5))
  np.testing.assert_allclose([noise.mean(), noise.var()], [.5, 1 / 12], atol=.004)
  assert noise.min() >= 0 and noise.max() < 1


@pytest.mark.parametrize('platform', ['cuda', 'tpu'])
def test_nothing_is_called_on_the_host(platform):
  keys = jax.random.split(jax.random.key(0), 4)
  text = export.export(jax.jit(lambda k: rule.examples(scenes(STILL), k)),
                       platforms=(platform,))(keys).mlir_module()
  assert 'callback' not in text and 'infeed' not in text


@pytest.mark.parametrize('values, message', [
    ({'vehicles': 20}, r'vehicles=\[20, 20\]: expected numbers in \[0, 16\]'),
    ({'weather': 'snow'}, "'snow' is unknown; expected clear"),
    ({'samples': 0}, r'samples=0: expected a whole number in \[1, 8\]'),
    ({'vehicles': 0, 'pedestrians': 0, 'trees': 0, 'signs': 0}, 'vehicles=.*: expected at least'),
    ({'lanes': 3}, 'lanes: no such field'),
])
def test_bad_scenes_are_refused(values, message):
  with pytest.raises(ValueError, match=message):
    spec.of_json(Scenes, values)
  assert spec.of_json(Scenes, spec.to_json(DRIVE)) == DRIVE

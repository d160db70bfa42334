"""Rules: specs and their JSON, and shapes of which all that is said is true."""
import dataclasses
import json

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageDraw
import pytest
import tiers

from jaxsynth import synthesis
from jaxsynth.rules import distances, distributions, paint, rule, spec
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.outlines import OUTLINES
from jaxsynth.rules.shapes import NAMES, Shapes, shapes

KEYS = jax.random.split(jax.random.key(0), 64)
CROWD = Shapes(image_size=(40, 56), channels=3, count=Integers(1, 5), radius=Uniform(.1, .3),
               aspect=Uniform(.4, 1), saturation=Uniform(.3, 1), texture=Choice(paint.TEXTURES),
               noise=Uniform(0, 20))
ONE = Shapes(image_size=(32, 48), brightness=Uniform(1, 1), background=Uniform(0, 0),
             aspect=Uniform(.5, 1))
FINE = 8  # times finer is what the peer draws


def drawn(of, keys=KEYS, labels=None):
  return jax.device_get(jax.jit(lambda k: rule.examples(shapes(of), k, labels))(keys))


def test_distances_by_hand():
  """A square of side 2: outside its corner (2, 2) is sqrt 2 away; a ring, a star's dent."""
  square = jnp.array([[-1., -1.], [1., -1.], [1., 1.], [-1., 1.]])
  x, y = jnp.array([0., .5, 2., 0.]), jnp.array([0., 0., 2., -3.])
  np.testing.assert_allclose(distances.to_polygon(x, y, square), [-1, -.5, 2 ** .5, 2], rtol=1e-6)
  repeated = jnp.concatenate([square, square[-1:], square[-1:]])
  np.testing.assert_array_equal(distances.to_polygon(x, y, repeated),
                                distances.to_polygon(x, y, square))
  star = jnp.array(OUTLINES['star'].corners)
  assert (distances.to_polygon(jnp.array([0., .6]), jnp.array([-.9, .6]), star) < 0).tolist() == [
      True, False]
  # near an ellipse, and along its axes: 2.1 is .1 away from the end of an axis of 2
  np.testing.assert_allclose(distances.to_ellipse(
      jnp.array([2.1, 0.]), jnp.array([0., .9]), 2., 1.), [.1, -.1], atol=.006)


@tiers.every('name', NAMES, ('star', 'ring'))
def test_pillow_draws_the_same(name):
  """Eight times finer, from the corners alone; a pixel at a sharp corner may differ by more."""
  of = dataclasses.replace(ONE, shape=Choice((name,)))
  example = drawn(of, KEYS[:16])
  (height, width), kind = of.image_size, OUTLINES[name]
  errors = []
  for image, places, box in zip(*(example[key] for key in (
      'image', 'objects/corners', 'objects/box'))):
    fine = Image.new('L', (FINE * width, FINE * height))
    draw = ImageDraw.Draw(fine)
    corners = places[0] * [FINE * width, FINE * height]
    for size, grey in ((1., 255), (kind.hole, 0)):
      if size:
        middle = corners.mean(0)
        outline = middle + size * (around(corners) if kind.curved else corners - middle)
        draw.polygon([tuple(p) for p in outline - .5], fill=grey)
    coarse = np.asarray(fine.resize((width, height), Image.Resampling.BOX), float) / 255
    errors.append(np.abs((image[..., 0] + 1) / 2 - coarse))
    rows, columns = np.nonzero(coarse > .1)
    top, left, bottom, right = box[0] * [height, width, height, width]
    seen = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    np.testing.assert_allclose([top, left, bottom, right], seen, atol=1.3)
  assert np.mean(errors) < .004 and np.max(errors) < .5
  assert np.quantile(np.max(errors, 0), .9) < .2


def around(ends):
  """The ellipse through the ends of its axes, about its middle: conjugate half axes."""
  middle = ends.mean(0)
  p, q = ends[1] - middle, ends[0] - middle
  angle = np.linspace(0, 2 * np.pi, 400)[:, None]
  return np.cos(angle) * p + np.sin(angle) * q


def test_what_is_said_of_a_crowd_agrees_with_itself():
  x = drawn(CROWD)
  n = x['count']
  assert set(n.tolist()) == {1, 2, 3, 4, 5}
  np.testing.assert_array_equal((x['objects/label'] >= 0).sum(1), n)
  np.testing.assert_array_equal(x['objects/label'][:, 0], x['label'])
  np.testing.assert_array_equal(x['mask'] > 0, x['instances'] > 0)
  for k in range(len(n)):
    for i in range(5):
      pixels = x['instances'][k] == i + 1
      if i >= n[k]:
        assert not pixels.any() and x['objects/visible'][k, i] == 0
        assert (x['objects/corners'][k, i] == -1).all() and (x['objects/box'][k, i] == 0).all()
        continue
      assert (x['mask'][k][pixels] == x['objects/label'][k, i] + 1).all()
      top, left, bottom, right = x['objects/box'][k, i] * [40, 56, 40, 56]
      rows, columns = np.nonzero(pixels)
      assert not len(rows) or (top <= rows.min() + .5 and rows.max() + .5 <= bottom and
                               left <= columns.min() + .5 and columns.max() + .5 <= right)
  assert (x['objects/visible'][:, 0] == 1).all()  # the foremost
  assert x['image'].min() >= -1 and x['image'].max() <= 1


def test_objects_that_are_apart_hide_nothing():
  x = drawn(dataclasses.replace(CROWD, apart=True, radius=Uniform(.1, 1 / 6)))
  there = x['objects/label'] >= 0
  assert (x['objects/visible'][there] == 1).all()
  hidden = drawn(CROWD)
  assert (hidden['objects/visible'][hidden['objects/label'] >= 0] < 1).mean() > .1


def test_labels_are_those_asked_for_or_follow_the_weights():
  labels = jnp.arange(64) % 8
  np.testing.assert_array_equal(drawn(CROWD, labels=labels)['label'], labels)
  of = Shapes(image_size=(8, 8), shape=Choice(('circle', 'star'), (3, 1)), count=Integers(2, 2))
  x = drawn(of, jax.random.split(jax.random.key(1), 4000))
  # shares of .25 of 4,000 have a standard deviation of .007
  np.testing.assert_allclose(x['objects/label'].mean(0), [.25, .25], atol=.03)


def test_bits_do_not_depend_on_who_is_drawn_along():
  stream = synthesis.streamer(rule.sampler(shapes(CROWD)), {}, {}, 3, 8, block=8,
                              to_disk=rule.kind_of(shapes(CROWD)).to_disk)
  whole = np.concatenate([piece.images for piece in stream(0, 40)])
  parts = np.concatenate([piece.images for start in (0, 7, 21) for piece in stream(
      start, {0: 7, 7: 21, 21: 40}[start])])
  np.testing.assert_array_equal(whole, parts)
  assert whole.std() > 10


@pytest.mark.parametrize('platform', ['cuda', 'tpu'])
def test_nothing_is_called_on_the_host(platform):
  text = export.export(jax.jit(lambda k: rule.examples(shapes(CROWD), k)),
                       platforms=(platform,))(KEYS).mlir_module()
  assert 'callback' not in text and 'infeed' not in text


def test_json_gives_the_same_spec(tmp_path):
  text = json.dumps(spec.to_json(CROWD))
  assert spec.of_json(Shapes, json.loads(text)) == CROWD == spec.read(Shapes, text)
  (tmp_path / 'crowd.json').write_text(text)
  assert spec.read(Shapes, tmp_path / 'crowd.json') == CROWD
  assert spec.read(Shapes, '{}') == Shapes()
  short = spec.read(Shapes, '{"shape": "star", "radius": 0.2, "image_size": [9, 8]}')
  assert short == Shapes(shape=Choice(('star',)), radius=Uniform(.2, .2), image_size=(9, 8))
  weighed = Shapes(shape=Choice(('star', 'ring'), (2, 3)))
  assert spec.of_json(Shapes, spec.to_json(weighed)) == weighed


@pytest.mark.parametrize('values, message', [
    ({'radus': 1}, 'radus: no such field; expected image_size'),
    ({'radius': [.4, .2]}, r'radius=\[0.4, 0.2\]: an empty range'),
    ({'radius': [.4, .9]}, r'radius=\[0.4, 0.9\]: expected numbers in \[0.01, 0.5\]'),
    ({'radius': 'wide'}, "radius='wide': expected a number, or a list"),
    ({'radius': [float('nan'), .4]}, 'radius=.*: expected finite numbers'),
    ({'count': [1.5, 2]}, 'count=.*: expected whole numbers'),
    ({'count': [0, 2]}, r'count=\[0, 2\]: expected numbers in \[1, 32\]'),
    ({'shape': ['star', 'sun']}, "shape=.*: 'sun' is unknown; expected circle"),
    ({'shape': ['star', 'star']}, 'shape=.*: expected at least one name, and each once'),
    ({'shape': {'star': 0}}, 'shape=.*: expected a weight above 0'),
    ({'shape': 3}, 'shape=3: expected a name'),
    ({'image_size': 28}, 'image_size=28: expected a list of two'),
    ({'image_size': [28, 0]}, r'image_size=.*: expected two whole numbers in \[8, 1024\]'),
    ({'channels': 2}, 'channels=2: expected 1 or 3'),
    ({'channels': True}, 'channels=True: expected a whole number'),
    ({'contrast': 2}, r'contrast=2: expected a number in \[0, 1\]'),
    ({'apart': 1}, 'apart=1: expected true or false'),
    ({'saturation': .5}, 'saturation=.*: grey images have none'),
    ({'background': [0, .6]}, 'background=.*: expected numbers below brightness'),
    ({'apart': True, 'count': 5}, r'count=\[5, 5\]: as many objects .* a radius of at most 0.167'),
    (3, '3: expected a dictionary of image_size'),
])
def test_what_cannot_be_drawn_is_refused_by_its_name(values, message):
  with pytest.raises(ValueError, match=message):
    spec.of_json(Shapes, values)
  if isinstance(values, dict):
    with pytest.raises(ValueError, match=message):
      spec.read(Shapes, json.dumps(values))


def test_text_that_is_no_json_and_files_that_are_not_there(tmp_path):
  with pytest.raises(ValueError, match='not JSON'):
    spec.read(Shapes, '{radius: 3}')
  with pytest.raises(OSError, match='none.json'):
    spec.read(Shapes, tmp_path / 'none.json')
  with pytest.raises(ValueError, match='radius=3: expected Uniform'):
    Shapes(radius=3)
  with pytest.raises(ValueError, match='labels: this rule has no classes'):
    rule.examples(shapes()._replace(class_names=()), KEYS, jnp.zeros(64, int))


@tiers.every('of', [CROWD, Shapes(apart=True, count=Integers(4, 4), radius=Uniform(.1, .2)),
                    Shapes(shape=Choice(('circle', 'line'), (.5, .5)), aspect=Uniform(.4, 1.)),
                    Shapes(image_size=(9, 60), radius=Uniform(.4, .5))], [CROWD])
def test_one_alone_is_drawn_as_one_of_a_batch(of):
  """Around each object only, and only its own corners; what GPUs and TPUs draw is all of it."""
  drawn = shapes(of)
  whole = jax.jit(jax.vmap(lambda key: drawn.draw(*rule.drawn_label(drawn, key))))(KEYS)
  for name, x in jax.jit(lambda keys: rule.examples(drawn, keys))(KEYS).items():
    if name == 'image':
      np.testing.assert_allclose(x, whole[name], atol=2e-5)
    else:
      np.testing.assert_allclose(x, whole[name], atol=1e-6, err_msg=name)


def test_noise_has_its_deviation():
  grey = jnp.full((200, 200, 3), .5)
  noise = 255 * np.asarray(paint.noisy(KEYS[0], grey, jnp.float32(9.)) - grey)
  np.testing.assert_allclose([noise.mean(), noise.std()], [0, 9], atol=.1)
  # of a sum of four uniform numbers, 3 - 6 / 20
  np.testing.assert_allclose(((noise / noise.std()) ** 4).mean(), 2.7, atol=.05)
  other = 255 * np.asarray(paint.noisy(KEYS[1], grey, jnp.float32(9.)) - grey)
  flat = (noise / noise.std()).ravel()
  beside = [(flat[:-d] * flat[d:]).mean() for d in (1, 2, 3, 600)]
  np.testing.assert_allclose([*beside, (noise * other).mean() / 81], 0, atol=.012)


def test_colours_by_hand():
  """Red, yellow, green, blue, and grey of any hue."""
  hue, value = jnp.array([0., 60., 120., 240., 77.]), jnp.ones(5)
  rgb = paint.hsv_to_rgb(hue, jnp.array([1., 1., 1., 1., 0.]), .5 * value)
  np.testing.assert_allclose(rgb, [[.5, 0, 0], [.5, .5, 0], [0, .5, 0], [0, 0, .5], [.5, .5, .5]],
                             atol=1e-6)
  assert distributions.Choice(('a', 'b'), (1, 3)).shares == (.25, .75)

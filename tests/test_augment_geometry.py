"""What moves pixels: against SciPy, Pillow and NumPy; one resampling; boxes, masks."""
import math

import jax
import jax.numpy as jnp
from jax.test_util import check_grads
import numpy as np
from PIL import Image
import pytest
from scipy import ndimage

from jaxsynth.data import augment
from jaxsynth.data.augment import blur, boxes, geometric, moves, resample
from jaxsynth.data.augment.moves import Move

SCIPY = {'constant': 'grid-constant', 'edge': 'nearest', 'reflect': 'mirror'}
IMAGE = np.random.default_rng(0).uniform(-1, 1, (9, 12, 2)).astype(np.float32)
TURN = moves.product(moves.rotation(0.5), moves.scaling(0.8, 1.3), moves.translation(1.7, -2.4))


def moved(image, matrix, **kwargs):
  g = geometric.Geometric(lambda key, size: Move(matrix), **kwargs)
  return jax.jit(g)(jax.random.key(0), {'image': image})['image']


def scipy_moved(image, matrix, mode, order=1, cval=-1.):
  centre = (np.array(image.shape[:2]) - 1) / 2
  m = np.asarray(matrix, np.float64)
  offset = centre + m[:2, 2] - m[:2, :2] @ centre
  return np.stack([ndimage.affine_transform(x, m[:2, :2], offset, order=order, cval=cval,
                                            mode=SCIPY[mode])
                   for x in np.moveaxis(image.astype(np.float64), -1, 0)], -1)


@pytest.mark.parametrize('mode', SCIPY)
def test_affine_equals_scipy(mode):
  want = scipy_moved(IMAGE, TURN, mode)
  np.testing.assert_allclose(moved(IMAGE, TURN, mode=mode), want, atol=2e-6)


def test_affine_equals_pillow():
  """8 bits, so to one level, away from the border where Pillow does not blend."""
  size, m = 32, np.asarray(moves.product(moves.rotation(0.3), moves.scaling(1.1, 1.1)))
  image = ndimage.gaussian_filter(np.random.default_rng(1).uniform(0, 255, (size, size)), 1)
  image = image.astype(np.uint8)
  centre = size / 2
  (a, b, _), (c, d, _) = m[0], m[1]  # Pillow's positions are (x, y) from the corner
  coefficients = (d, c, centre - (c + d) * centre, b, a, centre - (a + b) * centre)
  want = Image.fromarray(image).transform((size, size), Image.Transform.AFFINE, coefficients,
                                          Image.Resampling.BILINEAR)
  ours = (moved(image[..., None] / 127.5 - 1, jnp.asarray(m)) + 1) * 127.5
  inner = (slice(8, -8),) * 2
  assert np.abs(np.asarray(want, float)[inner] - np.asarray(ours)[..., 0][inner]).max() <= 1


def test_random_affine_is_torchvisions_matrix():
  """`_get_inverse_affine_matrix` of its documentation: M = T C R Sy Sx scale C^-1."""
  angle, (tx, ty), scale, (sx, sy) = 20., (0.1, -0.2), 0.8, (10., -5.)
  g = augment.random_affine((angle,) * 2, ((tx,) * 2, (ty,) * 2), (scale,) * 2,
                            ((sx,) * 2, (sy,) * 2))
  got = g.move(jax.random.key(0), (10, 20)).matrix
  r, x, y = map(math.radians, (angle, sx, sy))
  rss = scale * np.array([
      [math.cos(r - y) / math.cos(y),
       -math.cos(r - y) * math.tan(x) / math.cos(y) - math.sin(r), tx * 20 / scale],
      [math.sin(r - y) / math.cos(y),
       -math.sin(r - y) * math.tan(x) / math.cos(y) + math.cos(r), ty * 10 / scale],
      [0, 0, 1 / scale]])
  swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
  np.testing.assert_allclose(got, swap @ np.linalg.inv(rss) @ swap, atol=1e-5)


@pytest.mark.parametrize('order', [0, 1])
@pytest.mark.parametrize('mode', SCIPY)
def test_products_equal_gathers(mode, order):
  """The forms that TPUs take give what the others give."""
  y, x = moves.positions(Move(TURN), (7, 8), IMAGE.shape[:2])
  rows, columns = jnp.linspace(-3., 11., 7)[:, None], jnp.linspace(14., -2.6, 8)[None]
  fill = jnp.array([0.5, -0.5])
  inside = lambda a, b: (resample._inside(c, n, mode) for c, n in zip((a, b), IMAGE.shape))
  for form, at in ((resample._product, inside(y, x)), (resample._separable, inside(rows, columns))):
    at = list(at)
    got, want = (f(jnp.asarray(IMAGE), *at, fill, order) for f in (form, resample._gathered))
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_tpus_multiply_and_others_gather():
  def f(m, image):
    return geometric.Geometric(lambda key, size: Move(m))(m, {'image': image})
  f = jax.jit(jax.vmap(f))
  args = jnp.stack([TURN] * 3), jnp.zeros((3, 28, 28, 1))
  for platform, gathers in (('cpu', 4), ('cuda', 4), ('tpu', 0)):
    text = f.trace(*args).lower(lowering_platforms=(platform,)).as_text()
    assert text.count('"stablehlo.gather"') == gathers
    assert ('dot_general' in text) == (platform == 'tpu')


def test_flips_are_permutations_and_so_are_their_gradients():
  key, image = jax.random.key(0), jnp.asarray(IMAGE)
  weight = jnp.arange(float(IMAGE.size)).reshape(IMAGE.shape)
  for flip, axis in ((augment.random_horizontal_flip(1.), 1),
                     (augment.random_vertical_flip(1.), 0)):
    f = lambda x, flip=flip: flip(key, {'image': x})['image']
    np.testing.assert_array_equal(f(image), np.flip(IMAGE, axis))
    np.testing.assert_array_equal(jax.grad(lambda x: jnp.sum(f(x) * weight))(image),
                                  np.flip(weight, axis))


def test_warp_is_linear_in_the_image_and_differentiable_in_the_matrix():
  image, other = jnp.asarray(IMAGE), jnp.asarray(IMAGE[::-1])
  f = lambda x: moved(x, TURN, fill=0.)
  np.testing.assert_allclose(f(2 * image - 3 * other), 2 * f(image) - 3 * f(other), atol=1e-5)
  check_grads(lambda x: jnp.sum(jnp.sin(f(x))), (image,), 1, ['rev'], eps=1e-2, rtol=1e-2)
  turned = lambda angle: jnp.sum(jnp.sin(3 * moved(image, moves.rotation(angle))))
  check_grads(turned, (0.3,), 1, ['rev'], eps=1e-4, rtol=2e-2)


def test_gradient_of_the_gradient_exists():
  """What a gradient penalty on augmented images takes."""
  f = lambda x: jnp.sum(moved(x, TURN) ** 3)
  penalty = jax.grad(lambda x: jnp.sum(jax.grad(f)(x) ** 2))(jnp.asarray(IMAGE))
  assert jnp.isfinite(penalty).all() and jnp.abs(penalty).max() > 0


def test_neighbours_are_one_resampling():
  """There and back is where it was, to rounding; two resamplings would blur by 0.3."""
  example, key = {'image': jnp.asarray(IMAGE)}, jax.random.key(0)
  turn, back = (augment.random_rotation((a, a)) for a in (25., -25.))
  np.testing.assert_allclose(augment.compose(turn, back)(key, example)['image'], IMAGE,
                             atol=1e-5)
  twice = back(key, turn(key, example))['image']
  assert np.abs(twice - IMAGE)[3:-3, 3:-3].max() > 0.1
  policy = augment.compose(augment.random_horizontal_flip(), augment.random_crop(padding=2),
                           turn, augment.maybe(.5, back))
  text = jax.jit(policy).lower(key, example).as_text()
  assert text.count('"stablehlo.gather"') == 4


def test_flip_and_crop_equal_numpys_with_the_keys_they_would_have_alone():
  flip, crop = augment.random_horizontal_flip(), augment.random_crop((7, 8), padding=3)
  both, example = jax.jit(augment.compose(flip, crop)), {'image': jnp.asarray(IMAGE)}
  seen = set()
  for i in range(20):
    key = jax.random.key(i)
    keys = jax.random.split(key)
    y, x = np.asarray(crop.move(keys[1], (9, 12)).matrix)[:2, 2] + (9 - 7 + 6, 12 - 8 + 6) / (
        np.array(2.))
    flips = np.asarray(flip.move(keys[0], (9, 12)).matrix)[1, 1] < 0
    image = IMAGE[:, ::-1] if flips else IMAGE
    padded = np.pad(image, ((3, 3), (3, 3), (0, 0)), constant_values=-1)
    want = padded[int(y):int(y) + 7, int(x):int(x) + 8]
    np.testing.assert_array_equal(both(key, example)['image'], want)
    seen.add(bool(flips))
  assert seen == {True, False}


@pytest.mark.parametrize('mode', ['edge', 'reflect'])
def test_padding_modes_are_numpys(mode):
  """All windows of a padded image are windows of numpy.pad's."""
  padded = np.pad(IMAGE, ((4, 4), (4, 4), (0, 0)), mode)
  windows = {padded[i:i + 9, j:j + 12].tobytes() for i in range(9) for j in range(9)}
  crop = jax.jit(jax.vmap(augment.random_crop(padding=4, mode=mode), (0, None)))
  got = np.asarray(crop(jax.random.split(jax.random.key(0), 400), {'image': IMAGE})['image'])
  found = {x.tobytes() for x in got}
  assert found <= windows and len(found) > 70


def test_windows_are_uniform():
  """25 places, 5,000 draws: chi-squared with 24 degrees of freedom."""
  crop = augment.random_crop(padding=2)
  t = jax.vmap(lambda key: crop.move(key, (28, 28)).matrix[:2, 2])(
      jax.random.split(jax.random.key(0), 5000))
  at = np.rint(np.asarray(t)).astype(int) + 2
  count = np.bincount(at[:, 0] * 5 + at[:, 1], minlength=25)
  assert count.size == 25 and ((count - 200) ** 2 / 200).sum() < 51  # p = 0.001


def test_resized_crop():
  whole = augment.random_resized_crop((9, 12), (1., 1.), (12 / 9, 12 / 9))
  np.testing.assert_allclose(whole(jax.random.key(0), {'image': IMAGE})['image'], IMAGE,
                             atol=1e-5)
  crop = augment.random_resized_crop((6, 5), (0.3, 0.6))
  m = jax.vmap(lambda key: crop.move(key, (40, 40)).matrix)(
      jax.random.split(jax.random.key(1), 500))
  area = np.asarray(m[:, 0, 0] * 6 * m[:, 1, 1] * 5) / 1600
  assert area.min() >= 0.299 and area.max() <= 0.601 and abs(area.mean() - 0.45) < 0.02
  reach = np.abs(np.asarray(m[:, :2, 2])) + np.asarray(m[:, [0, 1], [0, 1]]) * (3, 2.5)
  assert (reach <= 20 + 1e-3).all(), 'the window stays inside'


def test_elastic_field_is_scipys_and_the_image_moves_by_it():
  key, alpha, sigma = jax.random.key(3), 30., 3.
  g = augment.elastic_transform(alpha, sigma)
  field = np.asarray(g.move(key, (9, 12)).displacement)
  noise = np.asarray(jax.random.uniform(key, (9, 12, 2), minval=-1., maxval=1.))
  want = alpha * ndimage.gaussian_filter(noise, (sigma, sigma, 0), mode='constant')
  np.testing.assert_allclose(field, want, atol=1e-5)
  at = np.moveaxis(want, -1, 0) + np.mgrid[:9, :12]
  for c in range(2):
    np.testing.assert_allclose(
        g(key, {'image': IMAGE})['image'][..., c],
        ndimage.map_coordinates(IMAGE[..., c], at, order=1, mode='grid-constant', cval=-1),
        atol=1e-5)
  assert field.std() < alpha * 0.163 / sigma < 40 * field.std()


def test_elastic_composes_with_matrices_on_either_side():
  """Positions of each order against the definition, point by point."""
  rng, size = np.random.default_rng(0), (20, 24)
  field = ndimage.gaussian_filter(rng.uniform(-1, 1, (*size, 2)), (4, 4, 0)) * 30
  bend, turn = Move(jnp.eye(3), jnp.asarray(field, jnp.float32)), Move(TURN)
  centre = (np.array(size) - 1)[:, None, None] / 2
  grid = np.mgrid[:20, :24] - centre
  m = np.asarray(TURN, np.float64)

  def turned(p):
    return np.tensordot(m[:2, :2], p, 1) + m[:2, 2][:, None, None]

  def bent(p):
    return p + np.stack([ndimage.map_coordinates(field[..., i], p + centre, order=1,
                                                 mode='nearest') for i in (0, 1)])
  for first, second, want in ((turn, bend, turned(bent(grid))), (bend, turn, bent(turned(grid))),
                              (bend, bend, bent(bent(grid)))):
    got = moves.positions(moves.then(first, second, size, size), size, size)
    np.testing.assert_allclose(np.stack(got), want + centre, atol=1e-4)


@pytest.mark.parametrize('reflect, mode', [(True, 'mirror'), (False, 'constant')])
def test_filter_is_scipys(reflect, mode):
  for sigma in (0.3, 1., 2.):
    got = blur.filtered(jnp.asarray(IMAGE), jnp.asarray(sigma), reflect=reflect)
    np.testing.assert_allclose(got, ndimage.gaussian_filter(IMAGE, (sigma, sigma, 0), mode=mode),
                               atol=2e-6)


def move_boxes(matrix, these, of=(10, 20)):
  return np.asarray(boxes.move(jnp.asarray(these, jnp.float32), Move(matrix), of, of))


def test_boxes_by_hand():
  box = [[1, 2, 4, 8], [0, 0, 0, 0]]
  flipped = moves.scaling(1., -1.)
  np.testing.assert_allclose(move_boxes(flipped, box), [[1, 12, 4, 18], [0] * 4])
  down = moves.translation(3., -5.)  # columns -3 to 3 are cut at 0
  np.testing.assert_allclose(move_boxes(down, box), [[4, 0, 7, 3], [0] * 4])
  gone = moves.translation(0., -7.5)  # half a pixel is left: not valid
  np.testing.assert_allclose(move_boxes(gone, box), [[0] * 4] * 2)
  quarter = moves.rotation(np.pi / 2)  # clockwise: what is up goes right
  np.testing.assert_allclose(move_boxes(quarter, [[1, 2, 4, 8]], (10, 10)), [[2, 6, 8, 9]],
                             atol=1e-5)
  eighth = moves.rotation(np.pi / 4)  # the square of side 2 becomes one of diagonal 2 sqrt(2)
  r = math.sqrt(2)
  np.testing.assert_allclose(move_boxes(eighth, [[4, 4, 6, 6]], (10, 10)),
                             [[5 - r, 5 - r, 5 + r, 5 + r]], atol=1e-5)


def test_boxes_and_masks_follow_an_elastic_image():
  """The box around the moved mask of a box is the moved box."""
  policy = jax.jit(augment.compose(augment.elastic_transform(40., 3.),
                                   augment.random_affine(20., (.1, .1), (.9, 1.1))))
  mask = np.zeros((28, 28), np.int32)
  mask[6:15, 8:20] = 3
  example = {'image': mask[..., None] * 2 / 3 - 1, 'mask': mask, 'label': np.int32(7),
             'boxes': np.array([[6, 8, 15, 20], [0] * 4], np.float32), 'name': np.int32(5)}
  example['image'] = example['image'].astype(np.float32)
  for i in range(5):
    out = policy(jax.random.key(i), example)
    hit = np.asarray(out['mask'])
    assert set(np.unique(hit)) == {0, 3} and out['mask'].dtype == np.int32
    rows, columns = np.nonzero(hit.any(1))[0], np.nonzero(hit.any(0))[0]
    np.testing.assert_allclose(out['boxes'], [
        [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1], [0] * 4])
    assert out['label'] == 7 and out['name'] == 5
    assert ((out['image'][..., 0] > 0) == (hit == 3)).mean() > 0.97


@pytest.mark.parametrize('build, message', [
    (lambda: augment.random_crop(padding=-1), 'padding=-1: expected at least 0'),
    (lambda: augment.random_crop(mode='wrap'), "mode='wrap': expected one of constant"),
    (lambda: augment.random_affine(degrees=(3., 2.)), 'degrees=.3.0, 2.0.: expected low <= high'),
    (lambda: augment.random_rotation(float('nan')), 'degrees=nan: expected a finite number'),
    (lambda: augment.random_horizontal_flip(1.5), r'p=1.5: expected \[0, 1\]'),
    (lambda: augment.random_crop((30, 8))(jax.random.key(0), {'image': IMAGE}), 'at most the im'),
    (lambda: augment.random_vertical_flip()(jax.random.key(0), {'image': np.zeros(
        (4, 4, 1), np.uint8)}), r'uint8\[4, 4, 1\], expected floating'),
    (lambda: augment.random_vertical_flip()(jax.random.key(0), {
        'image': IMAGE, 'boxes': np.zeros((1, 4), int)}), 'expected floating .n, 4.')])
def test_bad_arguments_say_what_was_expected(build, message):
  with pytest.raises(ValueError, match=message):
    build()

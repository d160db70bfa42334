"""Colours, levels, noise, blur and RandAugment against Pillow, colorsys and formulas."""
import colorsys

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
import pytest
from scipy import ndimage

from jaxsynth import data
from jaxsynth.data import augment
from jaxsynth.data.augment import levels, randaugment

PIXELS = np.random.default_rng(0).integers(20, 230, (16, 18, 3)).astype(np.uint8)
IMAGE = np.asarray(data.to_float({'image': PIXELS})['image'])
GRAY = PIXELS[..., :1]
OP = jax.jit(lambda x, op, m, sign: randaugment.operation({'image': x}, op, m, sign)['image'])


def pillow(x):
  return Image.fromarray(x[..., 0] if x.shape[2] == 1 else x)


def close(ours, theirs, levels=1.001):
  ours = (np.asarray(ours, float) + 1) * 127.5
  theirs = np.asarray(theirs, float).reshape(ours.shape)
  assert np.abs(ours - theirs).max() <= levels


@pytest.mark.parametrize('ours, theirs', [
    (augment.adjust_brightness, ImageEnhance.Brightness),
    (augment.adjust_contrast, ImageEnhance.Contrast),
    (augment.adjust_saturation, ImageEnhance.Color)], ids=['brightness', 'contrast', 'saturation'])
def test_adjustments_are_pillows(ours, theirs):
  """To the levels that Pillow rounds to: its contrast rounds the mean as well."""
  for factor in (0., 0.4, 1., 1.7):
    close(np.clip(ours(jnp.asarray(IMAGE), factor), -1, 1),
          theirs(pillow(PIXELS)).enhance(factor), 1.51)


@pytest.mark.parametrize('shift', [-0.5, -0.13, 0., 0.3])
def test_hue_is_colorsys(shift):
  def turned(rgb):
    h, s, v = colorsys.rgb_to_hsv(*(rgb + 1) / 2)
    return colorsys.hsv_to_rgb((h + shift) % 1, s, v)
  want = np.apply_along_axis(turned, 2, IMAGE.astype(float)) * 2 - 1
  np.testing.assert_allclose(augment.adjust_hue(jnp.asarray(IMAGE), shift), want, atol=2e-6)


def test_hue_of_gray_and_its_gradient():
  gray = jnp.full((2, 2, 3), 0.3)
  f = lambda x: augment.adjust_hue(x, 0.2)
  np.testing.assert_array_equal(f(gray), gray)
  assert jnp.isfinite(jax.grad(lambda x: jnp.sum(f(x) ** 2))(gray)).all()


def test_jitter_by_its_formulas_and_its_gradient_without_clipping():
  """contrast(brightness(x)) is linear: a (x - mean) b + ..., so its gradient is known."""
  key, x = jax.random.key(1), jnp.asarray(IMAGE[..., :1])
  f = augment.color_jitter(0.4, 0.5, 0.6, 0.1, clip=False)
  u = np.asarray(jax.random.uniform(key, (4,)), float)
  b, c = 0.6 + 0.8 * u[0], 0.5 + u[1]
  bright = (np.asarray(x, float) + 1) * b - 1
  want = bright.mean() + c * (bright - bright.mean())
  np.testing.assert_allclose(f(key, {'image': x})['image'], want, atol=1e-5)
  weight = np.random.default_rng(0).normal(size=x.shape)
  gradient = jax.grad(lambda x: jnp.sum(f(key, {'image': x})['image'] * weight))(x)
  np.testing.assert_allclose(gradient, b * (c * weight + (1 - c) * weight.mean()), atol=1e-5)


def test_jitter_factors_are_uniform_and_clip():
  f = jax.jit(jax.vmap(augment.color_jitter(brightness=0.5), (0, None)))
  keys = jax.random.split(jax.random.key(0), 2000)
  factors = np.asarray(f(keys, {'image': jnp.full((1, 1, 1), -0.5)})['image']).ravel() * 2 + 2
  assert 0.5 <= factors.min() < 0.51 and 1.49 < factors.max() <= 1.5
  assert abs(factors.mean() - 1) < 0.02 and abs(factors.var() - 1 / 12) < 0.005
  assert f(keys, {'image': jnp.ones((1, 1, 1))})['image'].max() == 1


@pytest.mark.parametrize('image', [PIXELS, GRAY, np.full((9, 9, 1), 77, np.uint8),
                                   (np.arange(900) % 13).astype(np.uint8).reshape(30, 30, 1)],
                         ids=['color', 'gray', 'flat', 'few levels'])
def test_levels_are_pillows(image):
  x, theirs = data.to_float({'image': image})['image'], pillow(image)
  close(augment.equalize(x), ImageOps.equalize(theirs), 1e-3)
  close(augment.autocontrast(x), ImageOps.autocontrast(theirs))
  close(augment.posterize(x, 3), ImageOps.posterize(theirs, 3), 1e-3)
  close(augment.solarize(x, 100 / 127.5 - 1), ImageOps.solarize(theirs, 100), 1e-3)
  if image is not PIXELS:
    close(levels.smooth_plane(x[..., 0]), theirs.filter(ImageFilter.SMOOTH), 0.51)


def test_histogram_of_tpus_is_the_same():
  x = jax.random.randint(jax.random.key(0), (500,), 0, 256)
  want = np.bincount(np.asarray(x), minlength=256)
  np.testing.assert_array_equal(levels.histogram(x), want)
  np.testing.assert_array_equal(levels._digits(x), want)
  text = jax.jit(levels.histogram).trace(x).lower(lowering_platforms=('tpu',)).as_text()
  assert 'scatter' not in text and 'dot_general' in text


@pytest.mark.parametrize('name, theirs', [
    ('identity', lambda x, m: x),
    ('brightness', lambda x, m: ImageEnhance.Brightness(x).enhance(1 + .9 * m)),
    ('color', lambda x, m: ImageEnhance.Color(x).enhance(1 + .9 * m)),
    ('contrast', lambda x, m: ImageEnhance.Contrast(x).enhance(1 + .9 * m)),
    ('sharpness', lambda x, m: ImageEnhance.Sharpness(x).enhance(1 + .9 * m)),
    ('posterize', lambda x, m: ImageOps.posterize(x, int(8 - round(4 * m)))),
    ('solarize', lambda x, m: ImageOps.solarize(x, 255 * (1 - m))),
    ('autocontrast', lambda x, m: ImageOps.autocontrast(x)),
    ('equalize', lambda x, m: ImageOps.equalize(x))])
def test_operations_of_randaugment_are_pillows(name, theirs):
  """Where Pillow rounds what it blends with (mean, luma, neighbours), to that rounding."""
  for m, sign in ((0.3, 1.), (0.8, 1.)):
    got = OP(IMAGE, randaugment.AT[name], m, sign)
    close(got, theirs(pillow(PIXELS), m * sign), 1.51)


@pytest.mark.parametrize('name', ['shear_x', 'shear_y', 'translate_x', 'translate_y', 'rotate'])
def test_moves_of_randaugment_are_pillows(name):
  """A smooth image, nearest in Pillow: only away from the border, to half a pixel's change."""
  n, m = 40, 0.4
  smooth = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 255, (n, n)), 4)
  smooth = (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
  level, t = .3 * m, 150 / 331 * m * n
  matrix = {'shear_x': (1, level, 0, 0, 1, 0), 'shear_y': (1, 0, 0, level, 1, 0),
            'translate_x': (1, 0, -t, 0, 1, 0), 'translate_y': (1, 0, 0, 0, 1, -t)}
  theirs = (Image.fromarray(smooth).rotate(-30 * m, Image.Resampling.BILINEAR)
            if name == 'rotate' else Image.fromarray(smooth).transform(
                (n, n), Image.Transform.AFFINE, matrix[name], Image.Resampling.BILINEAR))
  got = OP(data.to_float({'image': smooth[..., None]})['image'], randaugment.AT[name], m, 1.)
  got = (np.asarray(got)[..., 0] + 1) * 127.5
  inner = (slice(9, -9),) * 2
  assert np.abs(got[inner] - np.asarray(theirs, float)[inner]).max() <= 1.01


def test_randaugment_draws_every_operation_and_strength_is_traced():
  traces = []

  @jax.jit
  def f(keys, magnitude):
    traces.append(1)
    return jax.vmap(lambda key: augment.rand_augment(1, magnitude)(key, {
        'image': jnp.asarray(IMAGE)})['image'])(keys)
  keys = jax.random.split(jax.random.key(0), 1400)
  weak, strong = (np.asarray(f(keys, jnp.asarray(m))) for m in (6., 27.))
  assert len(traces) == 1 and np.abs(strong).max() <= 1
  assert len(np.unique(weak.reshape(1400, -1), axis=0)) == 23  # 9 with a sign, 5 without
  same = (np.abs(weak - IMAGE).max((1, 2, 3)) < 1e-6).mean()
  assert abs(same - 1 / 14) < 0.03
  assert np.abs(strong - IMAGE).mean() > 1.5 * np.abs(weak - IMAGE).mean()


def test_noise():
  key, x = jax.random.key(0), jnp.zeros((64, 64, 1))
  f = augment.gaussian_noise(0.2)
  noise = np.asarray(f(key, {'image': x})['image'])
  assert abs(noise.std() - 0.2) < 0.01 and abs(noise.mean()) < 0.01
  assert f(key, {'image': x + 1})['image'].max() == 1
  free = lambda x: jnp.sum(augment.gaussian_noise(0.2, clip=False)(key, {'image': x})['image'])
  np.testing.assert_array_equal(jax.grad(free)(x), jnp.ones_like(x))


def test_blur_is_scipys_and_within_range():
  out = augment.gaussian_blur((1.5, 1.5))(jax.random.key(0), {'image': jnp.asarray(IMAGE)})
  want = ndimage.gaussian_filter(IMAGE, (1.5, 1.5, 0), mode='mirror')
  np.testing.assert_allclose(out['image'], want, atol=2e-6)


@pytest.mark.parametrize('build, message', [
    (lambda: augment.color_jitter(brightness=-1), 'brightness=-1: expected at least 0'),
    (lambda: augment.color_jitter(hue=0.6), r'hue=0.6: expected \[0, 0.5\]'),
    (lambda: augment.rand_augment(magnitude=31), r'magnitude=31: expected \[0, 30\]'),
    (lambda: augment.gaussian_blur((2., 1.)), 'expected low <= high'),
    (lambda: augment.gaussian_noise('a'), "sigma='a': expected a finite number"),
    (lambda: augment.adjust_hue(jnp.zeros((4, 4, 1)), 0.1), '1 channels, expected 3')])
def test_bad_arguments_say_what_was_expected(build, message):
  with pytest.raises(ValueError, match=message):
    build()

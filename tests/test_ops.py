"""Convolutions against `lax`'s own: values, gradients, gradients of gradients."""
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import ops
from jaxsynth.ops import cpu, geometry, native

IMAGES = ('NHWC', 'HWIO', 'NHWC')
KERNELS, STRIDES = (1, 2, 3, 4, 5, 6, 7), (1, 2, 3)


def lax_conv(x, w, strides, padding):
  return lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=IMAGES)


def images(seed, *shape, dtype=jnp.float32):
  return jax.random.normal(jax.random.key(seed), shape).astype(dtype)


def value_and_gradients(f, x, w, strides, padding):
  def both(x, w):
    y, pullback = jax.vjp(lambda x, w: f(x, w, strides, padding), x, w)
    return y, *pullback(jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))
  return jax.jit(both)(x, w)


def assert_same(ours, theirs, tolerance):
  for a, b in zip(ours, theirs, strict=True):
    assert a.shape == b.shape and a.dtype == b.dtype
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (1 + np.abs(b).max()))


BOTH = pytest.mark.parametrize(
    'ours, theirs', [(ops.conv_transpose, lax.conv_transpose), (ops.conv, lax_conv)],
    ids=['conv_transpose', 'conv'])


@BOTH
@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
@pytest.mark.parametrize('k', KERNELS)
def test_equals_lax(ours, theirs, padding, k):
  """Every kernel 1-7 and stride 1-3; one axis of the image even, the other odd."""
  def all_strides(f, x, w):
    return [value_and_gradients(f, x, w, (s, s), padding) for s in STRIDES]
  x, w = images(k, 2, 8, 7, 5), images(8, k, k, 5, 6)
  ours, theirs = (jax.jit(all_strides, static_argnums=0)(f, x, w) for f in (ours, theirs))
  assert_same(sum(ours, ()), sum(theirs, ()), 1e-5)


@BOTH
@pytest.mark.parametrize('channels', [(7, 1), (1, 7), (3, 3)])
@pytest.mark.parametrize('k, s, padding', [(7, 1, 'SAME'), (4, 1, 'VALID'), (5, 2, 'SAME')])
def test_equals_lax_on_pixels(ours, theirs, channels, k, s, padding):
  """Images of few channels take other ways."""
  x, w = images(k, 2, 8, 7, channels[0]), images(s, k, k, *channels)
  assert_same(value_and_gradients(ours, x, w, (s, s), padding),
              value_and_gradients(theirs, x, w, (s, s), padding), 1e-5)


@pytest.mark.parametrize('k', [1, 4, 7])
def test_equals_lax_in_bfloat16(k):
  """The same, every padding and stride: to the rounding of bfloat16; it is computed in float32."""
  def everything(f, x, w):
    return [value_and_gradients(f, x, w, (s, s), padding)
            for s in STRIDES for padding in ('SAME', 'VALID')]
  x = images(k, 2, 8, 7, 5, dtype=jnp.bfloat16)
  w = images(8, k, k, 5, 6, dtype=jnp.bfloat16)
  for ours, theirs in ((ops.conv_transpose, lax.conv_transpose), (ops.conv, lax_conv)):
    got, want = (jax.jit(everything, static_argnums=0)(f, x, w) for f in (ours, theirs))
    assert_same(sum(got, ()), sum(want, ()), 2 ** -6)


@pytest.mark.parametrize('strides, kernel, padding', [
    ((1, 2), (3, 4), 'SAME'), ((3, 1), (2, 5), 'VALID'),
    ((2, 2), (5, 3), ((1, 2), (0, 3))), ((2, 2), (4, 4), 1)])
def test_uneven_strides_kernels_and_explicit_padding(strides, kernel, padding):
  x, w = images(0, 2, 9, 6, 5), images(1, *kernel, 5, 6)
  pads = ((padding,) * 2,) * 2 if isinstance(padding, int) else padding
  for ours, theirs in ((ops.conv_transpose, lax.conv_transpose), (ops.conv, lax_conv)):
    assert_same(value_and_gradients(lambda *a: ours(*a[:3], padding), x, w, strides, pads),
                value_and_gradients(theirs, x, w, strides, pads), 1e-5)


@BOTH
@pytest.mark.parametrize('k, s, channels', [(5, 2, (3, 6)), (7, 1, (6, 1)), (4, 2, (1, 6))])
def test_gradient_of_a_gradient(ours, theirs, k, s, channels):
  """The gradient penalty `|d f(x) / dx|^2`, differentiated in `x` and in `w`."""
  x, w = images(0, 2, 7, 8, channels[0]), images(1, k, k, *channels)

  def penalty(f, x, w):
    return jnp.sum(jax.grad(lambda x: jnp.sum(jnp.sin(f(x, w, (s, s), 'SAME'))))(x) ** 2)

  got, want = (jax.jit(jax.value_and_grad(lambda x, w, f=f: penalty(f, x, w), (0, 1)))(x, w)
               for f in (ours, theirs))
  assert_same(jax.tree.leaves(got), jax.tree.leaves(want), 1e-4)


def test_gradient_of_every_form_in_every_argument():
  """The three forms close over one another: third derivatives included."""
  x, w = images(0, 2, 4, 5, 3), images(1, 3, 3, 3, 6)

  def deep(f, x, w):
    first = lambda w: jax.grad(lambda x: jnp.sum(f(x, w, (2, 2), 'SAME') ** 3))(x)
    return jnp.sum(jax.grad(lambda w: jnp.sum(first(w) ** 2))(w) ** 2)

  got, want = (jax.jit(jax.grad(lambda x, w, f=f: deep(f, x, w), (0, 1)))(x, w)
               for f in (ops.conv_transpose, lax.conv_transpose))
  for a, b in zip(got, want):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max())


def test_per_example_gradients_by_vmap():
  x, w = images(0, 4, 1, 6, 6, 5), images(1, 5, 5, 5, 8)
  loss = lambda f: lambda w, x: jnp.sum(f(x, w, (2, 2), 'SAME') ** 2)
  got, want = (jax.jit(jax.vmap(jax.grad(loss(f)), (None, 0)))(w, x)
               for f in (ops.conv_transpose, lax.conv_transpose))
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


def lowered(platform):
  f = jax.jit(lambda x, w: jax.vjp(lambda *a: ops.conv_transpose(*a, 2), x, w)[1](
      jnp.ones((2, 8, 8, 6))))
  args = images(0, 2, 4, 4, 5), images(1, 5, 5, 5, 6)
  fwd = jax.jit(lambda x, w: ops.conv_transpose(x, w, 2)).trace(*args)
  return (fwd.lower(lowering_platforms=(platform,)).as_text(),
          f.trace(*args).lower(lowering_platforms=(platform,)).as_text())


def test_the_platform_is_chosen_when_lowering():
  """Four phases on CPU; one dilated convolution on GPU and TPU; never both."""
  for platform, convolutions in (('cpu', 4), ('cuda', 1), ('tpu', 1)):
    forward, backward = lowered(platform)
    assert forward.count('stablehlo.convolution') == convolutions, platform
    assert backward.count('stablehlo.convolution') == 2, platform


def test_cpu_forms_equal_native_forms_where_padding_is_negative():
  g = geometry.Geometry((1, 1), (-1, 2), (9, 8), (6, 7), (3, 5))
  y, x, v = images(0, 2, 9, 8, 6), images(1, 2, 6, 7, 1), images(2, 3, 5, 6, 1)
  for form, a, b in (('gather', y, v), ('scatter', x, v), ('correlate', y, x)):
    assert_same([getattr(cpu, form)(a, b, g)], [getattr(native, form)(a, b, g)], 1e-5)


@pytest.mark.parametrize('kwargs, message', [
    (dict(strides=0), 'strides: expected a positive integer'),
    (dict(padding='same'), "expected 'SAME', 'VALID'"),
    (dict(padding=((1, 1),)), 'two .low, high. pairs')])
def test_bad_arguments_say_what_was_expected(kwargs, message):
  for f in (ops.conv, ops.conv_transpose):
    with pytest.raises(ValueError, match=message):
      f(jnp.ones((1, 4, 4, 3)), jnp.ones((3, 3, 3, 2)), **kwargs)


def test_shapes_that_do_not_fit_are_refused():
  with pytest.raises(ValueError, match='x has 3 channels, the kernel takes 2'):
    ops.conv(jnp.ones((1, 4, 4, 3)), jnp.ones((3, 3, 2, 2)))
  with pytest.raises(ValueError, match='does not fit'):
    ops.conv(jnp.ones((1, 4, 4, 3)), jnp.ones((5, 5, 3, 2)), padding='VALID')

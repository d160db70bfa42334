"""What holds of every augmentation: independence, range, gradients, probabilities."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiers

from jaxsynth.data import augment
from jaxsynth.data.augment import layout

EVERY = {
    'resized_crop': augment.random_resized_crop((12, 12)),
    'affine': augment.random_affine(20., (.1, .1), (.8, 1.2), (5., 5.)),
    'elastic': augment.elastic_transform(20., 3.),
    'color': augment.color_jitter(.4, .4, .4, .1),
    'noise': augment.gaussian_noise(.1),
    'blur': augment.gaussian_blur(),
    'cutout': augment.cutout(4),
    'rand_augment': augment.rand_augment(),
    'policy': augment.compose(
        augment.random_horizontal_flip(), augment.random_crop(padding=2),
        augment.random_affine(10.), augment.maybe(.5, augment.color_jitter(.3)),
        augment.cutout(4)),
}
N = 8


def batch_of(n=N, channels=3):
  rng = np.random.default_rng(0)
  return {'image': jnp.asarray(rng.uniform(-1, 1, (n, 12, 12, channels)), jnp.float32),
          'label': jnp.arange(n) % 3, 'mask': jnp.asarray(rng.integers(0, 3, (n, 12, 12))),
          'boxes': jnp.asarray([[[2., 3., 9., 11.], [0., 0., 0., 0.]]] * n),
          'extra': jnp.arange(2. * n).reshape(n, 2)}


@tiers.every('name', EVERY, set(EVERY) - {'rand_augment', 'policy'})
def test_laws(name):
  """Alone, among others and shared by devices the same; shapes, range, the rest kept."""
  batch, keys = batch_of(), jax.random.split(jax.random.key(5), N)
  augmented = jax.jit(augment.batched(EVERY[name]))
  whole = augmented(keys, batch)
  assert jax.tree.map(lambda x: (x.shape, x.dtype), whole) == jax.tree.map(
      lambda x: (x.shape, x.dtype), batch)
  assert jnp.abs(whole['image']).max() <= 1 + 1e-6
  assert jnp.abs(whole['image'] - batch['image']).max() > 0
  np.testing.assert_array_equal(whole['extra'], batch['extra'])
  np.testing.assert_array_equal(whole['label'], batch['label'])
  one = augmented(keys[3:4], jax.tree.map(lambda x: x[3:4], batch))
  mesh = jax.sharding.Mesh(jax.devices(), ('batch',))
  assert mesh.size == 4
  share = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec('batch'))
  shared = augmented(*jax.device_put((keys, batch), share))
  for key, x in whole.items():
    np.testing.assert_allclose(one[key][0], x[3], atol=1e-5)
    np.testing.assert_allclose(shared[key], x, atol=1e-5)


@pytest.mark.parametrize('name', [name for name in EVERY if name != 'rand_augment'])
def test_gradients_reach_the_image(name):
  keys, x = jax.random.split(jax.random.key(0), 4), batch_of(4)['image']
  f = augment.batched(EVERY[name])
  weight = jnp.cos(jnp.arange(float(x.size))).reshape(x.shape)
  gradient = jax.jit(jax.grad(lambda x: jnp.sum(f(keys, {'image': x})['image'] * weight)))(x)
  assert jnp.isfinite(gradient).all() and (jnp.abs(gradient).max((1, 2, 3)) > 1e-3).all()


def test_fused_equals_one_program_after_another():
  """Recomputing a pixel elsewhere must not change what is decided by it, as a hue."""
  parts = (EVERY['affine'], augment.color_jitter(.4, .4, .4, .3), EVERY['cutout'])
  keys, batch = jax.random.split(jax.random.key(2), 64), {'image': batch_of(64)['image']}
  want, split = batch, jax.vmap(lambda key: jax.random.split(key, 3))(keys)
  for i, part in enumerate(parts):
    want = jax.jit(augment.batched(part))(split[:, i], want)
  got = jax.jit(augment.batched(augment.compose(*parts)))(keys, batch)
  np.testing.assert_allclose(got['image'], want['image'], atol=2e-5)


def test_kept_is_the_identity_and_so_is_its_derivative():
  x = batch_of(2)['image']
  f = jax.vmap(layout.kept)
  np.testing.assert_array_equal(jax.jit(f)(x), x)
  np.testing.assert_array_equal(jax.grad(lambda y: jnp.sum(f(y) * x))(x), x)
  np.testing.assert_array_equal(jax.jvp(f, (x,), (2 * x,))[1], 2 * x)
  for platform, convolutions in (('cpu', 1), ('cuda', 0), ('tpu', 0)):
    text = jax.jit(f).trace(x).lower(lowering_platforms=(platform,)).as_text()
    assert text.count('stablehlo.convolution') == convolutions


def test_bfloat16_stays():
  for name in ('policy', 'elastic', 'blur', 'noise', 'rand_augment', 'color'):
    x = {'image': batch_of(1)['image'][0].astype(jnp.bfloat16)}
    out = jax.eval_shape(EVERY[name], jax.random.key(0), x)
    assert out['image'].dtype == jnp.bfloat16, name


def test_probability_and_strength_are_traced():
  """As ADA does: one compilation for every p; flips come p of the time."""
  traces = []

  @jax.jit
  def f(p, strength, keys, batch):
    traces.append(1)
    return augment.batched(augment.compose(
        augment.maybe(p, augment.random_horizontal_flip(1.)),
        augment.maybe(p, augment.color_jitter(brightness=strength))))(keys, batch)
  n = 2000
  image = jnp.broadcast_to(jnp.array([[[-0.5], [-0.2]]]), (n, 1, 2, 1))
  keys = jax.random.split(jax.random.key(0), n)
  for p in (0., 0.3, 1.):
    out = f(jnp.asarray(p), jnp.asarray(0.4), keys, {'image': image})['image']
    flipped = np.asarray(out[:, 0, 0, 0] > out[:, 0, 1, 0])
    jittered = ~np.isclose(np.sort(np.asarray(out).reshape(n, 2)), [-.5, -.2]).all(1)
    for share in (flipped.mean(), jittered.mean()):
      assert abs(share - p) < 4 * (p * (1 - p) / n) ** .5 + 2e-3
    assert abs((flipped & jittered).mean() - p * p) < 0.05, 'drawn independently'
  assert len(traces) == 1


def test_mixup_by_hand():
  """x = l x_i + (1 - l) x_next, the label likewise, l of Beta(alpha, alpha)."""
  n = 3000
  batch = {'image': jnp.zeros((n, 1, 1, 1)).at[::2].set(1.), 'label': jnp.arange(n) % 2}
  keys = jax.random.split(jax.random.key(0), n)
  out = jax.jit(augment.batched(augment.mixup(0.5, 2)))(keys, batch)
  share = np.where(np.arange(n) % 2, 1 - out['image'].ravel(), out['image'].ravel())
  np.testing.assert_allclose(out['label'][:, 0], out['image'].ravel(), atol=1e-6)
  np.testing.assert_allclose(out['label'].sum(1), 1, atol=1e-6)
  assert abs(share.mean() - .5) < .02 and abs(share.var() - 1 / 8) < .01  # 1 / 4 (2 a + 1)


def test_cutmix_by_hand():
  """Pasted pixels are the next example's, in a rectangle; the label is its area."""
  n = 64
  images = jnp.broadcast_to(jnp.arange(float(n))[:, None, None, None] / n, (n, 12, 12, 1))
  batch = {'image': images, 'label': jax.nn.one_hot(jnp.arange(n), n),
           'mask': jnp.broadcast_to(jnp.arange(n)[:, None, None], (n, 12, 12))}
  out = jax.jit(augment.batched(augment.cutmix()))(jax.random.split(jax.random.key(0), n), batch)
  sizes = []
  for i in range(n):
    mask, after = np.asarray(out['mask'][i]), (i + 1) % n
    assert set(np.unique(mask)) <= {i, after}
    np.testing.assert_allclose(out['image'][i, ..., 0] * n, mask, atol=1e-4)
    pasted = mask == after
    rows, columns = pasted.any(1), pasted.any(0)
    assert (pasted == rows[:, None] & columns[None]).all()
    np.testing.assert_allclose(out['label'][i, [i, after]], [1 - pasted.mean(), pasted.mean()],
                               atol=1e-6)
    sizes.append(pasted.mean())
  assert 0.15 < np.mean(sizes) < 0.5 and np.ptp(sizes) > 0.5


def test_mixing_composes_and_may_be_left_out():
  """Examples are augmented before they are mixed; p of them are mixed."""
  n = 400
  batch = {'image': jnp.full((n, 4, 4, 1), -.5).at[::2].set(.5), 'label': jnp.arange(n) % 2}
  invert = lambda key, x: {**x, 'image': -x['image']}
  policy = augment.compose(invert, augment.one_hot(2), augment.maybe(0.3, augment.mixup(1.)))
  out = jax.jit(augment.batched(policy))(jax.random.split(jax.random.key(0), n), batch)
  alone = np.isclose(np.abs(out['image'][:, 0, 0, 0]), .5)
  assert abs(alone.mean() - 0.7) < 0.08
  np.testing.assert_allclose(out['image'][:, 0, 0, 0], out['label'][:, 1] - .5, atol=1e-6)


def test_cutout_hides_a_square_with_its_mask():
  f = jax.jit(jax.vmap(augment.cutout(5, fill=1., mask_fill=9), (0, None)))
  n = 500
  out = f(jax.random.split(jax.random.key(0), n), {
      'image': jnp.zeros((12, 14, 2)), 'mask': jnp.zeros((12, 14), jnp.int32)})
  hidden = np.asarray(out['mask'] == 9)
  np.testing.assert_array_equal(np.asarray(out['image'] == 1), np.stack([hidden] * 2, -1))
  rows, columns = hidden.any(2).sum(1), hidden.any(1).sum(1)
  np.testing.assert_array_equal(hidden.sum((1, 2)), rows * columns)
  assert rows.min() == columns.min() == 3 and rows.max() == columns.max() == 5
  assert abs((rows == 5).mean() - 8 / 12) < 0.08, 'centres are uniform'
  assert np.abs(hidden.mean(0)[4:-4, 4:-4] - 25 / (12 * 14)).max() < 0.06


@pytest.mark.long
def test_strengths_may_be_traced(optimized):
  f = jax.jit(lambda key, x, s: augment.compose(
      augment.random_affine(s, (s, s), (1 - s, 1 + s)), augment.gaussian_noise(s),
      augment.cutout(10 * s), augment.gaussian_blur((s, 2 * s)))(key, {'image': x})['image'])
  x = batch_of(1)['image'][0]
  assert f(jax.random.key(0), x, 0.1).shape == x.shape
  slope = jax.grad(lambda s: jnp.sum(f(jax.random.key(0), x, s) ** 2))(0.1)
  assert jnp.isfinite(slope) and slope != 0


KEYS = jax.random.split(jax.random.key(0), N)


@pytest.mark.parametrize('call, message', [
    (lambda b: augment.batched(EVERY['policy'])(jax.random.key(0), b), 'expected typed keys .B.'),
    (lambda b: augment.batched(EVERY['policy'])(KEYS[:3], b), 'with 3 keys, expected .B, ...'),
    (lambda b: augment.batched(EVERY['policy'])(KEYS, {'label': b['label']}), "needs 'image'"),
    (lambda b: augment.batched(augment.mixup())(KEYS, {
        'image': b['image'], 'label': b['label']}), 'give num_classes'),
    (lambda b: augment.batched(augment.mixup(.2, 3))(KEYS, b), "'boxes' of two examples"),
    (lambda b: augment.batched(augment.maybe(.5, augment.random_crop((4, 4))))(KEYS, b),
     'all examples have one size'),
    (lambda b: augment.batched(augment.maybe(.5, augment.one_hot(3)))(KEYS, b), 'keeps shape'),
    (lambda b: augment.maybe(2., EVERY['color']), r'p=2.0: expected \[0, 1\]'),
    (lambda b: augment.mixup(0.), 'alpha=0: expected above 0')])
def test_bad_input_says_what_was_expected(call, message):
  with pytest.raises(ValueError, match=message):
    call(batch_of())

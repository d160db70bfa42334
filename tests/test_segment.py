"""Segmenters: their loss by hand, a network of any size, counts of pixels, and learning a rule."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.data import ruled
from jaxsynth.metrics import segmentation
from jaxsynth.models.segmenter import Segmenter
from jaxsynth.objectives.segment import segment
from jaxsynth.pixels import scaled
from jaxsynth.types import Context

KEY = jax.random.key(0)
CONTEXT = Context(jnp.int32(0), KEY, train=False)


class Given:
  """A network without parameters whose logits are the image's channels."""

  def init(self, keys, image, *, train):
    return {}

  def apply(self, variables, image, *, train, rngs=None, mutable=False):
    return (image, {}) if mutable is not False else image


def test_the_loss_by_hand():
  """Two images of two pixels; the second has one pixel of no class. log(1 + e^-2) = .126928."""
  logits = jnp.array([[[[2., 0.], [0., 0.]]], [[[0., 2.], [9., 0.]]]])
  mask = jnp.array([[[0, 1]], [[0, 255]]])
  losses, (_, metrics) = segment(Given()).loss(
      {'segmenter': {}}, {'segmenter': {}, 'shared': {}}, {'image': logits, 'mask': mask}, CONTEXT)
  first, second = (.126928 + .693147) / 2, 2.126928
  np.testing.assert_allclose(losses['segmenter'], (first + second) / 2, rtol=1e-5)
  np.testing.assert_allclose(metrics['accuracy'], (.5 + 0) / 2)
  nothing = segment(Given()).loss({'segmenter': {}}, {'segmenter': {}, 'shared': {}}, {
      'image': logits, 'mask': jnp.full((2, 1, 2, 1), 255)}, CONTEXT)[0]
  assert nothing['segmenter'] == 0


@pytest.mark.parametrize('shape', [(1, 16, 16, 3), (2, 7, 5, 1), (1, 30, 41, 3)])
def test_images_of_any_size(shape):
  net = Segmenter(4, widths=(4, 6, 8))
  variables = net.init(KEY, jnp.zeros(shape), train=False)
  logits = net.apply(variables, jnp.ones(shape), train=False)
  assert logits.shape == (*shape[:3], 4) and logits.dtype == jnp.float32


def test_parameters_are_as_said():
  shapes = jax.eval_shape(lambda: Segmenter(9).init(KEY, jnp.zeros((1, 120, 160, 3)), train=False))
  assert round(sum(x.size for x in jax.tree.leaves(shapes)) / 1e6, 2) == .64


def test_counts_of_pixels_by_hand():
  """Class 0: 2 of 2 + 1; class 1: 1 of 1 + 1 + 1; class 2 is nowhere."""
  true = np.array([[0, 0, 1], [1, 255, 255]])
  predicted = np.array([[0, 0, 1], [0, 1, 2]])
  counts = segmentation.confusion(true, predicted, 3)
  np.testing.assert_array_equal(counts, [[2, 0, 0], [1, 1, 0], [0, 0, 0]])
  scores = segmentation.scores(counts)
  np.testing.assert_allclose(scores.iou, [2 / 3, 1 / 2, np.nan])
  np.testing.assert_allclose([scores.mean_iou, scores.accuracy], [7 / 12, 3 / 4])
  halves = sum(segmentation.confusion(t, p, 3) for t, p in zip(true, predicted))
  np.testing.assert_array_equal(halves, counts)


@pytest.mark.parametrize('arguments, message', [
    (([0, 1], [0], 2), 'expected the same'), (([0, 2], [0, 1], 2), r'true classes in \[0, 2\]'),
    (([0, 1], [0, 255], 2), r'predicted classes in \[0, 255\]')])
def test_masks_that_do_not_fit_are_refused(arguments, message):
  with pytest.raises(ValueError, match=message):
    segmentation.confusion(*arguments)
  with pytest.raises(ValueError, match='no pixel has a class'):
    segmentation.scores(np.zeros((2, 2), int))


def test_batches_without_masks_are_refused():
  objective = segment(Given())
  image = jnp.zeros((2, 4, 4, 3))
  with pytest.raises(ValueError, match="no 'mask' among"):
    objective.init(KEY, {'image': image})
  for mask in (jnp.zeros((2, 4, 3), int), jnp.zeros((2, 4, 4))):
    with pytest.raises(ValueError, match='expected integers'):
      objective.init(KEY, {'image': image, 'mask': mask})
  with pytest.raises(ValueError, match='expected images'):
    objective.sample({'segmenter': {}}, {'segmenter': {}}, jax.random.split(KEY, 2), None)


@pytest.mark.long
def test_shapes_are_told_from_their_background():
  """After 60 steps on endless examples, drawn as they are asked for."""
  dataset = 'rule:shapes{"image_size": [16, 16], "shape": ["circle", "star"]}'
  source = ruled.rule_source(dataset, 'endless', ('image', 'mask'))
  algorithm = ts.build(segment(Segmenter(2, widths=(8, 16))), {'segmenter': optax.adam(5e-3)})
  step = ts.jit(algorithm.step)

  def batch(start, of=source):
    x = of.take(np.arange(start, start + 32))
    return {'image': scaled(x['image']), 'mask': (x['mask'] > 0).astype(np.int32)}
  state = algorithm.init(KEY, batch(0))
  for k in range(60):
    state, _ = step(state, batch(32 * k), KEY)
  test = batch(0, ruled.rule_source(dataset, 'test', ('image', 'mask')))
  masks = algorithm.sample(*ts.averaged(state), jax.random.split(KEY, 32), test['image'])
  scores = segmentation.scores(segmentation.confusion(test['mask'][..., 0], masks, 2))
  assert scores.mean_iou > .9

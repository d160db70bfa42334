"""The objective of flows: its loss by hand, labels, guidance, samples by address, refusals."""
from common import experiments
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import pytest
import training

from jaxsynth import runs, synthesis
from jaxsynth.conditions import one_hot
from jaxsynth.losses import flow, paths
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.models.unet import UNet
from jaxsynth.objectives import flow_matching, solvers
from jaxsynth.synthesis import exported
from jaxsynth.types import Context

NET = TimeMLP(8, 1)
LABELS = jnp.array([0, 1, 2, 0, 1])


def tiny(num_classes=3, **options):
  return objectives.tiny_flow(num_classes=num_classes, **options)


@pytest.fixture(scope='module')
def started():
  """Parameters of which none is zero, so that labels and times count."""
  return begun(tiny())


def begun(objective):
  params, variables = objective.init(jax.random.key(0), objectives.batch())
  leaves, tree = jax.tree.flatten(params)
  keys = jax.random.split(jax.random.key(1), len(leaves))
  return jax.tree.unflatten(tree, [
      x + .3 * jax.random.normal(k, x.shape) for k, x in zip(keys, leaves)]), variables


def context(seed=0, **options):
  return Context(jnp.int32(0), jax.random.key(seed), **options)


def test_the_loss_is_the_error_at_the_draws_that_its_key_gives(started):
  """By the network itself; here data are predicted and the error of the noise is measured."""
  batch, ctx = objectives.batch(), context(5)
  key, _ = jax.random.split(ctx.key)
  total = 0.
  for i, image in enumerate(batch['image']):
    key_noise, key_time, key_label = jax.random.split(jax.random.fold_in(key, i), 3)
    noise = jax.random.normal(key_noise, image.shape)
    t = jax.nn.sigmoid(jax.random.normal(key_time))
    shown = float(jax.random.uniform(key_label) >= .5)
    x = t * image + (1 - t) * noise
    data = NET.apply({'params': started[0]['flow']}, x[None], t[None],
                     shown * one_hot(batch['label'][i:i + 1], 3), train=True)[0]
    total += jnp.mean(((x - t * data) / (1 - t) - noise) ** 2)
  losses, _ = tiny(label_dropout=.5, prediction=flow.DATA, measured=flow.NOISE).loss(
      *started, batch, ctx)
  np.testing.assert_allclose(losses['flow'], total / 8, rtol=1e-3)


def test_flags_say_what_is_predicted_and_which_error_counts(monkeypatch):
  program, asked = experiments.program('mnist_flow'), {}
  monkeypatch.setattr(program, 'flow_matching', lambda *args, **options: asked.update(
      options, prediction=args[3]) or args)
  for given, prediction, measured in (
      ((), flow.VELOCITY, None),
      (('--prediction=data', '--measured=velocity'), flow.DATA, flow.VELOCITY)):
    program.build(training.config_of(*given, name='mnist_flow'), runs.About((28, 28, 1), 10))
    assert (asked['prediction'], asked['measured']) == (prediction, measured)


def test_an_example_draws_the_same_in_any_batch(started):
  batch, whole = objectives.batch(), tiny()
  both = [whole.loss(*started, jax.tree.map(lambda x, k=k: x[4 * k:4 * k + 4], batch),
                     context(part=(k, 2)))[0]['flow'] for k in (0, 1)]
  np.testing.assert_allclose(np.mean(both), whole.loss(*started, batch, context())[0]['flow'],
                             rtol=1e-5)


def test_labels_are_hidden_at_their_rate_and_never_in_evaluation(started):
  """A network that gives the sum of its condition, of targets that are 0."""
  class Shown:
    def init(self, rngs, *args, train):
      return {}

    def apply(self, variables, x, t, cond, *, train, **_):
      y = jnp.broadcast_to(cond.sum(-1)[:, None, None, None], x.shape)
      return (y, {}) if train else y
  nothing = flow.Prediction(lambda path, t: (jnp.zeros_like(t), jnp.zeros_like(t)))
  objective = flow_matching.flow_matching(Shown(), (1, 1, 1), prediction=nothing, num_classes=3,
                                          label_dropout=.3)
  batch = {'image': jnp.zeros((4000, 1, 1, 1)), 'label': jnp.arange(4000) % 3}
  loss = lambda train: objective.loss({'flow': {}}, {'flow': {}}, batch, context(train=train))
  np.testing.assert_allclose(loss(True)[0]['flow'], .7, atol=.03)
  assert loss(False)[0]['flow'] == 1


def drawn(started, **options):
  keys = jax.random.split(jax.random.key(2), 5)
  cond = options.pop('cond', LABELS)
  return tiny(**options).sample(*started, keys, cond)


def test_guidance_of_one_is_the_conditional_model_and_of_zero_the_other(started):
  path, keys = paths.rectified(), jax.random.split(jax.random.key(2), 5)
  first = jax.vmap(jax.random.split)(keys)
  noise = jax.vmap(lambda k: jax.random.normal(k, objectives.SHAPE))(first[:, 0])

  def solved(cond):
    velocity = lambda x, t: NET.apply({'params': started[0]['flow']}, x, jnp.full(5, t), cond,
                                      train=False)
    x = noise
    for t in (0., .5):
      x = x + .5 * velocity(x, t)
    return jnp.clip(x, -1, 1)
  both = solved(one_hot(LABELS, 3)), solved(jnp.zeros((5, 3)))
  for guidance, expected in zip((1., 0.), both):
    np.testing.assert_allclose(drawn(started, guidance=guidance, solver=solvers.euler), expected,
                               atol=1e-5)
  assert jnp.any(jnp.abs(both[0] - both[1]) > .01)
  assert path.times(2).tolist() == [0., .5, 1.]
  assert jnp.any(jnp.abs(drawn(started, guidance=3.) - drawn(started)) > .01)


def test_guidance_holds_in_its_interval_and_not_outside(started):
  euler = lambda **options: drawn(started, solver=solvers.euler, **options)
  plain, guided = euler(), euler(guidance=3.)
  np.testing.assert_array_equal(euler(guidance=3., guidance_interval=(.6, 1.)), plain)  # 0 and .5
  np.testing.assert_allclose(euler(guidance=3., guidance_interval=(0., .9)), guided, atol=1e-6)
  first, second = (euler(guidance=3., guidance_interval=x) for x in ((0., .4), (.4, 1.)))
  for x, y in ((first, plain), (first, guided), (second, plain), (second, guided)):
    assert np.abs(x - y).max() > 1e-3


@pytest.mark.parametrize('num_classes', [3, None])
def test_a_worse_model_guides_as_by_hand(num_classes, started):
  """Away from it, with labels and without; of 1 it makes no difference, of 0 it alone draws."""
  params, variables = begun(tiny(num_classes))
  worse = jax.tree.map(lambda x: .9 * x, params)
  guide = {'guide': {'params': worse, 'variables': variables}}
  keys, labels = jax.random.split(jax.random.key(2), 5), None if num_classes is None else LABELS
  # one step: noise plus the network, where that is not cropped
  draw = lambda params, **options: np.asarray(tiny(
      num_classes, solver=solvers.euler, solver_steps=1, **options).sample(
          params, {**variables, **guide}, keys, labels))
  good, bad = draw(params), draw(worse)
  expected = bad + 2 * (good - bad)
  inside = np.max(np.abs([good, bad, expected]), 0) < 1
  assert inside.sum() > 5 and np.abs(good - bad)[inside].max() > 1e-3
  for guidance, by_hand in ((1., good), (0., bad), (2., expected)):
    guided = draw(params, guidance=guidance, guide=True)
    np.testing.assert_allclose(guided[inside], by_hand[inside], atol=1e-5)
  with pytest.raises(ValueError, match="variables: expected 'guide', a worse model"):
    drawn(started, guidance=2., guide=True)


@pytest.mark.parametrize('path', [paths.rectified(), paths.variance_preserving(), paths.edm()])
@pytest.mark.parametrize('prediction', [flow.VELOCITY, flow.NOISE, flow.DATA,
                                        flow.preconditioned()])
def test_every_path_and_prediction_gives_finite_images(started, path, prediction):
  for solver in (solvers.heun, solvers.euler, solvers.ancestral()):
    x = drawn(started, path=path, prediction=prediction, solver=solver, solver_steps=3)
    assert jnp.isfinite(x).all() and jnp.abs(x).max() <= 1


@pytest.mark.parametrize('solver', [solvers.heun, solvers.ancestral()], ids=['heun', 'ancestral'])
def test_samples_of_an_address_are_the_same_bits(started, solver):
  draw = synthesis.drawer(tiny(solver=solver).sample, 3, block=4)
  few, many = (draw(*started, jax.random.key(4), *span) for span in ((3, 5), (0, 9)))
  np.testing.assert_array_equal(few, many[3:5])
  assert np.any(few[0] != few[1])


@pytest.mark.long
def test_an_exported_sampler_holds_the_solver(started, tmp_path):
  pytest.importorskip('flatbuffers')
  sample = tiny(solver=solvers.ancestral(), guidance=2.).sample
  files = exported.exported(sample, *started, batch_size=4, conditional=True)
  for name, raw in files.items():
    (tmp_path / name).write_bytes(raw)
  images = exported.load(tmp_path)(7, np.arange(4), np.arange(4) % 3)
  (piece,) = synthesis.streamer(sample, *started, 7, 3, block=4)(0, 4)
  assert np.abs(piece.images.astype(int) - np.asarray(images)).max() <= 1


def test_a_number_that_is_none_is_seen(started):
  """In a pixel, in a label out of range: the loss is NaN, which stops a run, or the image is."""
  batch = objectives.batch()
  broken = {**batch, 'image': batch['image'].at[3, 0, 0].set(jnp.nan)}
  loss = jax.jit(lambda batch: tiny(label_dropout=.9).loss(*started, batch, context())[0]['flow'])
  assert jnp.isnan(loss(broken)) and jnp.isfinite(loss(batch))
  other = {**batch, 'label': batch['label'].at[2].set(3)}
  assert jnp.isnan(loss(other))
  images = jax.jit(tiny().sample)(*started, jax.random.split(jax.random.key(0), 2),
                                  jnp.array([1, 3]))
  assert jnp.isfinite(images[0]).all() and jnp.isnan(images[1]).all()


@pytest.mark.parametrize('make, message', [
    (lambda: tiny(solver_steps=0), 'solver_steps=0: expected at least 1'),
    (lambda: tiny(None, guidance=2.), 'a model without labels has nothing to be guided by'),
    (lambda: tiny(guidance=2., label_dropout=0.), 'never learned without labels'),
    (lambda: tiny(guidance=-1.), 'guidance=-1.0: expected at least 0'),
    (lambda: tiny(guidance=np.nan), 'guidance=nan'),
    (lambda: tiny(guidance=2., guidance_interval=(.5, .2)), r'guidance_interval=\(0.5, 0.2\)'),
    (lambda: tiny(guidance=2., guidance_interval=(0., 1.5)), 'expected two times in'),
    (lambda: tiny(label_dropout=1.), 'label_dropout=1.0: expected a share'),
    (lambda: tiny().init(jax.random.key(0), {'image': jnp.zeros((1, *objectives.SHAPE))}),
     "needs 'label'"),
    (lambda: tiny(None).init(jax.random.key(0), {'image': jnp.zeros((1, 8, 8, 1))}),
     r"the data's images are \(8, 8, 1\), expected"),
    (lambda: tiny(None).sample({}, {}, jax.random.split(jax.random.key(0), 2), jnp.zeros(2)),
     'cond: expected None'),
    (lambda: tiny().sample({}, {}, jax.random.split(jax.random.key(0), 2)),
     'cond: expected labels'),
    (lambda: jax.eval_shape(lambda: UNet((6,), heads=4).init(
        jax.random.key(0), jnp.zeros((1, 4, 4, 1)), jnp.zeros(1), train=False)),
     'heads=4: expected a divisor of the 6')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


@pytest.mark.parametrize('shape, options', [
    ((7, 9, 3), {}), ((28, 28, 1), {'patch': 1, 'heads': 0}), ((5, 5, 2), {'widths': (4, 6, 8)})])
def test_a_unet_takes_any_size(shape, options):
  net = UNet(**{'widths': (4, 8), 'features': 8, **options})
  x, cond = jnp.ones((2, *shape)), jnp.ones((2, 3))
  y, _ = jax.eval_shape(lambda: net.init_with_output(
      jax.random.key(0), x, jnp.zeros(2), cond, train=False))
  assert y.shape == x.shape and y.dtype == jnp.float32


@pytest.mark.long
def test_a_unet_begins_at_zero_and_looks_at_time_label_and_every_pixel():
  net = UNet((4, 8), features=8)
  x, t, cond = jnp.ones((1, 7, 5, 1)), jnp.full(1, .3), jnp.eye(3)[:1]
  y, params = jax.jit(lambda: net.init_with_output(jax.random.key(0), x, t, cond, train=False))()
  assert not y.any()
  leaves, tree = jax.tree.flatten(params)
  rng = np.random.default_rng(0)
  params = jax.tree.unflatten(
      tree, [p + .2 * rng.normal(size=p.shape).astype(np.float32) for p in leaves])
  out = lambda *args: net.apply(params, *args, train=False)[0, 0, 0, 0]
  by_pixel, by_time, by_cond = jax.jit(jax.grad(out, (0, 1, 2)))(x, t, cond)
  assert (by_pixel != 0).all() and by_time != 0 and (by_cond != 0).all()


def test_a_further_error_is_of_the_data_that_are_expected(started):
  """With the velocity v predicted, `x + (1 - t) v`, whose error is `(1 - t)` times that of v."""
  batch, ctx = objectives.batch(), context(5)
  asked = []

  def extra(expected, data):
    asked.append((expected, data))
    return 2. + jnp.arange(8)
  plain, more = (tiny(**options).loss(*started, batch, ctx)[0]['flow']
                 for options in ({}, {'extra': extra}))
  np.testing.assert_allclose(more - plain, 5.5, rtol=1e-5)  # the mean of 2 to 9
  (expected, data), = asked
  np.testing.assert_array_equal(data, batch['image'])
  key, _ = jax.random.split(ctx.key)
  times = [jax.nn.sigmoid(jax.random.normal(jax.random.split(jax.random.fold_in(key, i), 3)[1]))
           for i in range(8)]
  errors = jnp.mean((expected - data).reshape(8, -1) ** 2, -1) / (1 - jnp.stack(times)) ** 2
  np.testing.assert_allclose(jnp.mean(errors), plain, rtol=1e-4)


def test_samples_may_lie_farther_out(started):
  keys = jax.random.split(jax.random.key(2), 50)
  far, near = (tiny(None, crop=crop).sample(
      *jax.tree.map(lambda x: 3 * x, tiny(None).init(jax.random.key(0), objectives.batch())), keys)
      for crop in (2., 1.))
  assert 1 < float(jnp.abs(far).max()) <= 2
  np.testing.assert_array_equal(jnp.clip(far, -1, 1), near)

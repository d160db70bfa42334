"""Codes: the codebook, the prior, and that neither player moves the other."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.losses import likelihoods
from jaxsynth.models import vq_networks
from jaxsynth.models.causal_transformer import CausalTransformer
from jaxsynth.objectives import codebook
from jaxsynth.objectives.codebook import Codebook
from jaxsynth.objectives.vq_vae import vq_vae
from jaxsynth.types import Context

pytestmark = pytest.mark.long

BOOK = Codebook(4, 2, decay=.9, revived_below=.1)


def rounded(z, vectors):
  distance = ((z[:, :, None] - vectors) ** 2).sum(-1)
  return distance.argmin(-1), distance


def case(seed=0, n=6, places=3):
  rng = np.random.default_rng(seed)
  state = {'count': jnp.array([.4, .3, .02, .28]), 'share': jnp.array([.4, .3, .1, .2]),
           'total': jnp.array(rng.normal(size=(4, 2)), jnp.float32)}
  return state, rng.normal(size=(n, places, 2)).astype(np.float32)


def moved(state, z, book=BOOK, seed=1):
  codes = codebook.nearest(codebook.vectors(state), jnp.array(z))
  return codes, codebook.moved(book, state, jnp.array(z), codes,
                               jax.random.split(jax.random.key(seed), len(z)))


def test_the_nearest_vector_is_the_nearest():
  state, z = case()
  codes, distance = rounded(z, np.asarray(codebook.vectors(state)))
  assert (np.sort(distance)[..., 1] - np.sort(distance)[..., 0] > 1e-4).all()
  np.testing.assert_array_equal(moved(state, z)[0], codes)


def test_vectors_are_running_means_of_what_was_rounded_to_them():
  """Sums and counts by loops; the third code is dead and becomes an output of the encoder."""
  state, z = case()
  codes, after = moved(state, z)
  count, total = .9 * np.asarray(state['count']), .9 * np.asarray(state['total'])
  for vector, code in zip(z.reshape(-1, 2), np.asarray(codes).reshape(-1)):
    count[code] += .1 / 18
    total[code] += .1 * vector / 18
  alive = [0, 1, 3]
  np.testing.assert_allclose(after['count'][np.array(alive)], count[alive], rtol=1e-5)
  np.testing.assert_allclose(after['total'][np.array(alive)], total[alive], rtol=1e-4, atol=1e-6)
  assert float(after['count'][2]) == .25
  np.testing.assert_allclose(after['share'], .9 * np.asarray(state['share']) + .1 * np.bincount(
      np.asarray(codes).reshape(-1), minlength=4) / 18, rtol=1e-5)
  revived = np.asarray(codebook.vectors(after))[2]
  assert np.isclose(z.reshape(-1, 2), revived, atol=1e-6).all(-1).any()


def test_no_code_is_revived_where_none_is_to_be():
  state, z = case()
  _, after = moved(state, z, BOOK._replace(revived_below=0))
  assert float(after['count'][2]) < .1


def test_outputs_that_revive_are_drawn_evenly():
  state, z = case(n=3, places=2)
  state = {**state, 'count': jnp.zeros(4)}
  drawn = jax.vmap(lambda key: codebook.moved(
      BOOK, state, jnp.array(z), jnp.zeros((3, 2), int), jax.random.split(key, 3))['total'] * 4)(
          jax.random.split(jax.random.key(0), 1500))
  which, _ = rounded(np.asarray(drawn), z.reshape(-1, 2))
  share = np.bincount(which.reshape(-1), minlength=6) / which.size
  np.testing.assert_allclose(share, 1 / 6, atol=.02)  # six of 6,000: a deviation of .005


def test_the_state_of_shares_of_a_batch_is_that_of_the_whole():
  state, z = case(n=8)
  codes, whole = moved(state, z)
  keys = jax.random.split(jax.random.key(1), 8)
  parts = lambda x: x.reshape(2, 4, *x.shape[1:])
  each = jax.vmap(lambda z, codes, keys: codebook.moved(BOOK, state, z, codes, keys, 'devices'),
                  axis_name='devices')(parts(jnp.array(z)), parts(codes), parts(keys))
  chex.assert_trees_all_close(jax.tree.map(lambda x: x.mean(0), each), whole, rtol=1e-5, atol=1e-6)


def test_gradients_pass_straight_to_the_encoder():
  z, vectors = jnp.array([[1.], [5.]]), jnp.array([[2.], [4.]])
  np.testing.assert_array_equal(codebook.passed(z, vectors), vectors)
  slope = jax.grad(lambda z: jnp.sum(codebook.passed(z, vectors) ** 2))(z)
  np.testing.assert_array_equal(slope, 2 * vectors)


def test_a_code_that_is_never_used_keeps_its_vector():
  state, z = case()
  state = {**state, 'total': state['total'].at[2].set(20 * jnp.ones(2))}  # far from all
  before, book = codebook.vectors(state)[2], Codebook(4, 2, decay=.01, revived_below=0.)
  for seed in range(30):
    codes, state = moved(state, z, book, seed)
    assert (codes != 2).all()
  np.testing.assert_allclose(codebook.vectors(state)[2], before, rtol=1e-3)


def test_usage_counts_no_code_that_was_only_brought_back_to_life():
  """All outputs go to one code for 600 steps: it alone is used, whatever is revived."""
  state = codebook.init(BOOK, jax.random.key(0))
  usage = codebook.usage(BOOK, state)
  assert float(usage['used']) == 1 and np.isclose(usage['perplexity'], 4)
  z, codes = jnp.ones((2, 3, 2)), jnp.zeros((2, 3), int)
  step = jax.jit(lambda state, key: codebook.moved(BOOK, state, z, codes, jax.random.split(key, 2)))
  for k in range(600):
    state = step(state, jax.random.key(k))
  usage = codebook.usage(BOOK, state)
  assert float(usage['used']) == .25 and np.isclose(usage['perplexity'], 1, atol=1e-3)
  assert (state['count'][1:] > .1 * .25 * .9).all()  # they were


def started(objective, batch=None):
  return jax.jit(objective.init)(jax.random.key(0), batch or objectives.batch())


@pytest.fixture(scope='module')
def conditional():
  objective = objectives.tiny_codes(3)
  return objective, *started(objective)


def test_no_player_moves_the_other(conditional):
  """The prior's loss has no slope in the networks, the networks' none in the prior."""
  objective, params, variables = conditional
  loss = lambda params, player: objective.loss(
      params, variables, objectives.batch(), Context(jnp.int32(0), jax.random.key(3)))[0][player]
  for player, other in (('prior', 'vqvae'), ('vqvae', 'prior')):
    slopes = jax.jit(jax.grad(loss), static_argnums=1)(params, player)
    assert all(not x.any() for x in jax.tree.leaves(slopes[other]))
    assert any(x.any() for x in jax.tree.leaves(slopes[player]))


def test_the_loss_is_made_of_its_parts(conditional):
  objective, params, variables = conditional
  batch = objectives.batch()
  losses, (after, metrics) = objective.loss(
      params, variables, batch, Context(jnp.int32(0), jax.random.key(3)))
  z = objectives.TinyGrid(3).apply(
      {'params': params['vqvae']['encoder']}, batch['image'], train=True).reshape(8, 4, 3)
  vectors = codebook.vectors(variables['vqvae']['codebook'])
  codes = codebook.nearest(vectors, z)
  rounding = jnp.mean(jnp.sum((z - vectors[codes]) ** 2, (1, 2)))
  output = objectives.TinyGrid(1, True).apply(
      {'params': params['vqvae']['decoder']}, vectors[codes].reshape(8, 2, 2, 3), train=True)
  reconstruction = jnp.mean(likelihoods.bernoulli().negative_log(output, batch['image']))
  np.testing.assert_allclose(losses['vqvae'], reconstruction + .25 * rounding, rtol=1e-5)
  logits = CausalTransformer(5, 4, 8, 1, 2, 3).apply(
      {'params': params['prior']}, codes, batch['label'], train=True)
  nats = optax.softmax_cross_entropy_with_integer_labels(logits, codes).sum(1).mean()
  np.testing.assert_allclose(losses['prior'], nats, rtol=1e-5)
  np.testing.assert_allclose(metrics['elbo'], -reconstruction - nats, rtol=1e-5)
  assert not np.array_equal(after['vqvae']['codebook']['count'],
                            variables['vqvae']['codebook']['count'])


def test_evaluation_moves_no_codebook(conditional):
  objective, params, variables = conditional
  _, (after, _) = objective.loss(params, variables, objectives.batch(), Context(
      jnp.int32(0), jax.random.key(3), train=False))
  chex.assert_trees_all_equal(after, variables)


def test_it_learns_which_images_there_are():
  """Two images a class: once trained, samples are those of their label, alike often."""
  rng = np.random.default_rng(0)
  patterns = jnp.array(rng.choice([-1., 1.], (3, 2, *objectives.SHAPE)), jnp.float32)
  objective = objectives.tiny_codes(3, Codebook(12, 3))
  algorithm = ts.build(objective, {'vqvae': optax.adam(1e-2), 'prior': optax.adam(1e-2)})
  label, which = jnp.arange(48) % 3, jnp.arange(48) // 3 % 2
  batch = {'image': patterns[label, which], 'label': label}
  state, step = algorithm.init(jax.random.key(0), batch), ts.jit(algorithm.step)
  for _ in range(500):
    state, metrics = step(state, batch, jax.random.key(1))
  assert metrics['reconstruction'] < 1
  assert metrics['codes'] > np.log(2) - .05  # two images, alike often, or more codes than images
  keys = jax.random.split(jax.random.key(5), 300)
  asked = jnp.arange(300) % 3
  images = jax.jit(algorithm.sample)(state.params, state.variables, keys, asked)
  same = jnp.all((images > 0)[:, None] == (patterns > 0)[asked], (2, 3, 4))  # [300, 2]
  assert jnp.mean(jnp.any(same, 1)) > .95
  assert .35 < jnp.mean(same[:, 0]) < .65


@pytest.mark.parametrize('bad, message', [
    (lambda: objectives.tiny_codes(book=Codebook(1, 3)), 'size=1: expected at least 2'),
    (lambda: objectives.tiny_codes(book=Codebook(4, 0)), 'features=0'),
    (lambda: objectives.tiny_codes(book=Codebook(4, 3, decay=0.)), 'decay=0.0'),
    (lambda: objectives.tiny_codes(book=Codebook(4, 3, revived_below=-.1)), 'revived_below=-0.1'),
    (lambda: objectives.tiny_codes(temperature=0.), 'temperature=0.0'),
    (lambda: objectives.tiny_codes(commitment=float('nan')), 'commitment=nan'),
    (lambda: started(objectives.tiny_codes(3), {'image': objectives.batch()['image']}),
     "needs 'label'"),
    (lambda: started(objectives.tiny_codes(book=Codebook(4, 2))),
     r"encoder's output is \[2, 2, 3\]"),
    (lambda: started(objectives.tiny_codes(grid=(2, 1))), r'expected \[2, 1, 3\]'),
    (lambda: started(objectives.tiny_codes(3)._replace(init=vq_vae(
        objectives.TinyGrid(3), objectives.TinyGrid(1, True), CausalTransformer(5, 4, 8, 1, 2),
        likelihoods.bernoulli(), Codebook(5, 3), (2, 2), num_classes=3).init)),
     'num_classes=None: a label is expected if and only if'),
    (lambda: started(vq_vae(
        objectives.TinyGrid(3), vq_networks.Decoder((3, 4, 1), 2, 1),
        CausalTransformer(5, 4, 8, 1, 2), likelihoods.bernoulli(), Codebook(5, 3), (2, 2))),
     "decoder's output is"),
    (lambda: CausalTransformer(5, 1, 5, 1, 2).init(
        jax.random.key(0), jnp.zeros((1, 1), int), train=False), 'expected a divisor'),
])
def test_what_does_not_fit_is_refused(bad, message):
  with pytest.raises(ValueError, match=message):
    bad()


def test_a_number_that_is_none_is_seen(conditional):
  """In what is drawn too, though a token is the index of the largest of some numbers."""
  objective, params, variables = conditional
  keys = jax.random.split(jax.random.key(0), 3)
  sample = jax.jit(lambda params, labels: objective.sample(params, variables, keys, labels))
  known, unknown = jnp.array([0, 1, 2]), jnp.array([0, 7, 2])
  assert jnp.isfinite(sample(params, known)).all()
  drawn = sample(params, unknown)
  assert jnp.isnan(drawn[1]).any() and jnp.isfinite(drawn[np.array([0, 2])]).all()
  broken = {**params, 'prior': jax.tree.map(lambda x: x * jnp.nan, params['prior'])}
  assert jnp.isnan(sample(broken, known)).any((1, 2, 3)).all()
  batch = {**objectives.batch(), 'label': jnp.array([0, 1, 2, 7, 0, 1, 2, 0])}
  loss = jax.jit(lambda batch: objective.loss(
      params, variables, batch, Context(jnp.int32(0), jax.random.key(3)))[0])
  assert jnp.isnan(loss(batch)['prior']) and jnp.isfinite(loss(batch)['vqvae'])


def test_labels_are_wanted_or_not(conditional):
  objective, params, variables = conditional
  keys = jax.random.split(jax.random.key(0), 2)
  with pytest.raises(ValueError, match='expected labels'):
    objective.sample(params, variables, keys, None)
  plain = objectives.tiny_codes()
  with pytest.raises(ValueError, match='expected None'):
    plain.sample(*started(plain), keys, jnp.zeros(2, int))


@pytest.mark.parametrize('likelihood', [likelihoods.learned_gaussian(),
                                        likelihoods.discretised_logistic()])
def test_other_likelihoods_and_drawn_pixels(likelihood):
  objective = objectives.tiny_codes(likelihood=likelihood, draw_pixels=True)
  params, variables = started(objective)
  keys = jax.random.split(jax.random.key(0), 3)
  images = objective.sample(params, variables, keys, None)
  assert images.shape == (3, *objectives.SHAPE) and (abs(images) <= 1).all()
  mean = objectives.tiny_codes(likelihood=likelihood).sample(params, variables, keys, None)
  assert not np.allclose(images, mean)

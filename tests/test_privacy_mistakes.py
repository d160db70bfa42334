"""The seven ways that private training went wrong elsewhere, each with what catches it.

Every check takes the training as an argument, and is also given one with the mistake in it.
"""
from collections.abc import Callable
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import data, privacy, train_step as ts
from jaxsynth.data import poisson_batches
from jaxsynth.losses.adversarial import GANLoss, NON_SATURATING
from jaxsynth.models import dcgan
from jaxsynth.objectives.gan import gan
from jaxsynth.privacy import ledger, private_grad
from jaxsynth.privacy.budget import Budget, charges, rows_for
from jaxsynth.types import Context, Objective

CLIP, NOISE, EXPECTED, ROWS = .5, 3., 4, 6
PLAYERS = ('mean',)

# the gradient of example x is m - x
mean = Objective(
    init=lambda key, batch: ({'mean': jnp.zeros(2)}, {}),
    loss=lambda params, variables, batch, ctx: (
        {'mean': jnp.mean(jnp.sum((batch['x'] - params['mean'][None]) ** 2, 1)) / 2},
        (variables, {})),
    sample=lambda params, variables, keys, cond: params['mean'])


def right(noise, objective=mean, players=PLAYERS, **more):
  return private_grad.private_grad(objective, players, clip_norm=CLIP, noise_multiplier=noise,
                              batch_size=EXPECTED, **more)


def called(grad, x, real, key, step=0):
  """The gradient of a batch whose first `real` rows are examples."""
  batch = {'x': x, 'padding': jnp.arange(len(x)) >= real}
  return grad(mean.loss, PLAYERS, {'mean': jnp.zeros(2)}, {}, batch,
              Context(jnp.int32(step), key))[0]['mean']


def plain(x, real):
  """The sum of the gradients of the examples, not clipped."""
  return -jnp.sum(jnp.where((jnp.arange(len(x)) < real)[:, None], x, 0), 0)


# 1: the discriminator's two passes charged twice

def test_a_phase_is_charged_once_however_often_the_loss_calls_a_network():
  one, five = (('generator', 'discriminator'),), (('discriminator',),) * 5 + (('generator',),)
  assert charges(one, ('discriminator',)) == 1 and charges(five, ('discriminator',)) == 5
  budget = Budget(9., 1e-5, 10, 10, 10, 4., charges(one, ('discriminator',)))
  twice = budget._replace(charges=2 * budget.charges)  # one for each pass
  assert budget.after(8) == twice.after(4) < .8 * twice.after(8)
  assert privacy.Plan(budget, ('discriminator',)).guarantee(8).steps == 8


# 2: noise made for a sum on a mean, or the other way round

def sum_noise_on_a_mean(noise):
  correct = right(0.)
  return lambda loss, players, params, variables, batch, ctx: (
      private_grad.add_noise(correct(loss, players, params, variables, batch, ctx)[0], noise * CLIP,
                      jax.random.fold_in(ctx.key, 1)), {}, (variables, {}))


def mean_noise_on_a_sum(noise):
  correct = right(0.)
  return lambda loss, players, params, variables, batch, ctx: (
      private_grad.add_noise(jax.tree.map(lambda x: x * EXPECTED, correct(
          loss, players, params, variables, batch, ctx)[0]), noise * CLIP / EXPECTED,
                      jax.random.fold_in(ctx.key, 1)), {}, (variables, {}))


def in_units_of_one_example(make: Callable, key) -> float:
  """Standard deviation of the noise, by how far one example more can move the gradient."""
  x = jnp.array([[1., 0.], [0., .1], [50., 0.], [0., 0.], [0., 0.], [0., 0.]])
  moved = [jnp.linalg.norm(called(make(0.), x, n + 1, key) - called(make(0.), x, n, key))
           for n in range(3)]
  draws = jax.jit(jax.vmap(lambda key: called(make(NOISE), x, 0, key)))(jax.random.split(key, 4000))
  return float(draws.std() / max(moved))


@pytest.mark.parametrize('make, correct', [
    (right, True), (sum_noise_on_a_mean, False), (mean_noise_on_a_sum, False)])
def test_noise_is_in_units_of_what_one_example_can_change(make, correct, key):
  ratio = in_units_of_one_example(make, key)
  assert (abs(ratio / NOISE - 1) < .05) == correct, ratio


# 3: shuffled epochs charged as Poisson sampling

def spread_of_an_epoch(batch: Callable, size: int) -> float:
  """Variance of how often an example comes in as many draws as there are examples."""
  times = np.zeros(size)
  for k in range(size // 8):
    values = batch(k)
    positions = values['image'].ravel()[~values.get('padding', np.zeros(8, bool))]
    np.add.at(times, positions, 1)
  return float(times.var())


def test_batches_are_what_they_are_charged_as():
  """In an epoch each comes once if shuffled; the variance is 1 - 8 / 200 if Poisson."""
  size = 200
  source = data.ArraySource.of(np.arange(size, dtype=np.uint8).reshape(-1, 1, 1, 1))
  budget = Budget(1., 1e-5, size, 8, rows_for(8, size), 1.)
  sampled = poisson_batches.batch_at(source, budget.selection(), budget.rows, 0)
  assert abs(spread_of_an_epoch(sampled, size) - .96) < .35
  assert spread_of_an_epoch(data.batch_at(source, 8, 0), size) == 0
  assert privacy.Plan(budget, PLAYERS).guarantee(1).sampling == 'poisson'


# 4: the sign of the real term

def flipped(loss: GANLoss) -> GANLoss:
  return loss._replace(discriminator=lambda real, fake: loss.discriminator(-real, fake))


def lead_that_a_step_wins(loss: GANLoss, key) -> float:
  """By how much a private step moves the logits of real images up, over those of fakes."""
  objective = gan(dcgan.Generator((8, 8, 1), 2, (2,), kernel_size=3, batch_norm=False),
                  dcgan.Discriminator(4, (2,), 0., kernel_size=3), loss, latent_dim=2)
  grad = right(0., objective, ('discriminator',))
  batch = {'image': jnp.ones((ROWS, 8, 8, 1)), 'padding': jnp.arange(ROWS) >= 5}
  params, variables = objective.init(key, batch)
  ctx = Context(jnp.int32(0), key)

  def lead(params):
    metrics = objective.loss(params, variables, batch, ctx)[1][1]
    return metrics['logits/real'] - metrics['logits/fake']
  moved = grad(objective.loss, ('discriminator',), params, variables, batch, ctx)[0]
  after = jax.tree.map(lambda x, g: x - .1 * g, params['discriminator'], moved['discriminator'])
  return float(lead({**params, 'discriminator': after}) - lead(params))


@pytest.mark.long
def test_a_private_step_learns_what_is_real(key):
  assert lead_that_a_step_wins(NON_SATURATING, key) > 0
  assert lead_that_a_step_wins(flipped(NON_SATURATING), key) < 0


# 5: clipping the average

def clipped_after_averaging(noise):
  def grad(loss, players, params, variables, batch, ctx):
    g = plain(batch['x'], jnp.sum(~batch['padding'])) / EXPECTED
    return {'mean': g * jnp.minimum(1, CLIP / jnp.linalg.norm(g))}, {}, (variables, {})
  return grad


def furthest(make: Callable, key) -> float:
  """The furthest that one example more moves the gradient, among some that try to."""
  x = jnp.array([[.1, 0.], [0., .1], [-.1, .1], [-.1, 0.], [0., 0.], [0., 0.]])
  moved = [jnp.linalg.norm(called(make(0.), x.at[4].set(outlier), 5, key) -
                           called(make(0.), x, 4, key))
           for outlier in ([1e3, 0.], [0., -1e6], [jnp.nan, 1.], [jnp.inf, 0.])]
  return float(jnp.max(jnp.nan_to_num(jnp.array(moved), nan=jnp.inf)))


def test_one_example_moves_the_gradient_by_a_clip_of_the_expected_size_at_most(key):
  assert furthest(right, key) <= CLIP / EXPECTED * (1 + 1e-5)
  assert furthest(clipped_after_averaging, key) > CLIP / EXPECTED * (1 + 1e-5)


# 6: noise of a key that is used twice

def noise_of_the_run(noise):
  """Its key is not of the step."""
  correct = right(noise)
  return lambda loss, players, params, variables, batch, ctx: correct(
      loss, players, params, variables, batch, ctx._replace(key=jax.random.key(0)))


def noise_of_the_latents(noise):
  """Its key is one that the loss draws by."""
  correct = right(0.)
  return lambda loss, players, params, variables, batch, ctx: (
      jax.tree.map(lambda x: x + noise * jax.random.normal(ctx.key, x.shape), correct(
          loss, players, params, variables, batch, ctx)[0]), {}, (variables, {}))


def angles(pair) -> float:
  """The direction of a pair of numbers, which tells noise whatever its scale."""
  return round(float(jnp.arctan2(pair[1], pair[0])), 4)


def noises(make: Callable) -> tuple[list[float], list[float]]:
  """The noise of phases, steps and attempts, and what a loss may draw there."""
  noise, drawn = [], []

  def kept(loss, players, params, variables, batch, ctx):
    out = make(1.)(loss, players, params, variables, batch, ctx)
    noise.append(angles(out[0]['mean']))
    for k in (ctx.key, *jax.random.split(ctx.key, 4), *(
        jax.random.fold_in(ctx.key, i) for i in range(4))):
      drawn.append(angles(jax.random.normal(k, (2,))))
    return out
  algorithm = ts.build(mean, {'mean': optax.sgd(.1)}, grad_fn=kept,
                       schedule=(PLAYERS, PLAYERS))
  nobody = {'x': jnp.zeros((2, ROWS, 2)), 'padding': jnp.ones((2, ROWS), bool)}
  state = algorithm.init(jax.random.key(0), {'x': jnp.zeros((ROWS, 2))})
  for step in range(2):
    for attempt in range(2):
      algorithm.step(state._replace(step=jnp.int32(step), attempt=jnp.int32(attempt)), nobody,
                     jax.random.key(7))
  return noise, drawn


@pytest.mark.parametrize('make, correct', [
    (right, True), (noise_of_the_run, False), (noise_of_the_latents, False)])
def test_no_noise_comes_twice(make, correct):
  noise, drawn = noises(make)
  assert len(noise) == 8
  assert (len(set(noise)) == 8 and not set(noise) & set(drawn)) == correct


# 7: epsilon that starts anew at a resume

def test_what_was_spent_stays_spent(tmp_path):
  budget = privacy.calibrated(1., 1e-5, size=20, batch_size=20, steps=8)
  for k in ledger.Ledger(tmp_path, budget, 8, 2).guarded(range(5), 0):
    assert ledger.spent(tmp_path) > k  # on disk before the step is run
  assert ledger.spent(tmp_path) == 6
  again = ledger.Ledger(tmp_path, budget, 8, 2)  # from the checkpoint of step 2
  list(again.guarded(range(2, 4), 2))
  assert ledger.spent(tmp_path) == 6 and len(json_lines(tmp_path)) == 3  # replayed, not charged
  list(again.guarded(range(4, 8), 4))
  assert ledger.line(tmp_path)['epsilon'] == budget.after(8) and ledger.spent(tmp_path) == 8
  with pytest.raises(ledger.LedgerError, match='step 9: the budget is of 8 steps'):
    again.reserve(9)
  with pytest.raises(ledger.LedgerError, match='9 steps come to epsilon 1.0.*budget is 1: the run'):
    ledger.Ledger(tmp_path, budget, 9, 2)


def json_lines(folder):
  return [json.loads(line) for line in (folder / ledger.NAME).read_text().splitlines()]


def test_a_secret_is_drawn_once_and_missed_when_it_is_gone(tmp_path):
  budget = Budget(9., 1e-5, 20, 20, 20, 4.)
  first = ledger.secret(tmp_path)
  assert ledger.secret(tmp_path) == first < 2 ** 63
  assert (tmp_path / ledger.SECRET).stat().st_mode & 0o077 == 0
  ledger.Ledger(tmp_path, budget, 4, 2).reserve(1)
  (tmp_path / ledger.SECRET).unlink()
  with pytest.raises(ledger.LedgerError, match='2 steps were run by it.*bring it back'):
    ledger.secret(tmp_path)

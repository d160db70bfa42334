"""The alarm: what raises it, and going back to before a collapse."""
import json

from common import gan_flags, train as train_program
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import training

from jaxsynth import runs
from jaxsynth.runs import collapse
from jaxsynth.runs.collapse import Collapsed, Signal, Watch
from jaxsynth.types import Objective

LOW = Signal('the number is low', lambda row: row.get('x'), least=1., lines=3)


EACH = runs.Settings(checkpoint_every=2)


def rows(*values, start=0):
  return [{'step': start + k, 'x': x} for k, x in enumerate(values)]


def shown(watch, lines):
  for row in lines:
    watch(row['step'], row)


def test_so_many_lines_in_a_row_raise_it_and_it_says_which_and_since_when(tmp_path):
  watch = Watch([LOW], 'stop', tmp_path)
  shown(watch, rows(0, 0, 2, 0, 2, 0, 0))
  with pytest.raises(Collapsed, match=r'step 7: the number is low \(0.5\); .* well at step 4') as e:
    watch(7, {'x': .5})
  assert (e.value.step, e.value.good, e.value.signal) == (7, 4, LOW.name)


def test_a_line_without_the_metric_says_nothing(tmp_path):
  watch = Watch([LOW], 'stop', tmp_path)
  shown(watch, rows(0, 0))
  watch(5, {'y': 0.})
  with pytest.raises(Collapsed, match='step 6'):
    watch(6, {'x': 0.})


def test_a_warning_is_said_once_until_it_is_well_again(tmp_path, caplog):
  watch = Watch([LOW], 'warn', tmp_path)
  shown(watch, rows(2, 0, 0, 0, 0, 0, 2, 0, 0, 0))
  noted = [json.loads(x) for x in (tmp_path / collapse.NAME).read_text().splitlines()]
  assert [(x['step'], x['good'], x['action']) for x in noted] == [(3, 0, 'warn'), (9, 6, 'warn')]
  assert caplog.text.count('COLLAPSE? ') == 2 and not collapse.attempts(tmp_path)


RARE = Signal('the other is low', lambda row: row.get('y'), least=1., lines=2)


def test_a_run_that_goes_on_raises_it_at_the_same_line(tmp_path):
  """Lines of metrics at each step, of scores at each third, after those of metrics."""
  metrics, scores = rows(2, 0, 2, 0, 0, 2, 0, 0, 2, 2, 2, 2, 2), [
      {'step': k, 'y': y} for k, y in ((3, 2.), (6, 0.), (9, 2.), (12, 0.), (15, 0.))]
  lines = sorted([*metrics, *scores], key=lambda row: row['step'])
  for cut in range(len(lines)):
    for name, kind in (('metrics.jsonl', 'x'), ('scores.jsonl', 'y')):
      (tmp_path / name).write_text(''.join(
          json.dumps(row) + '\n' for row in lines[:cut] if kind in row))
    watch = Watch([LOW, RARE], 'stop', tmp_path)
    watch.replay()
    with pytest.raises(Collapsed) as error:
      shown(watch, lines[cut:])
    assert (error.value.step, error.value.signal, error.value.good) == (15, RARE.name, 9)


def test_what_is_kept_is_what_a_collapse_goes_back_to(tmp_path):
  """The last step by which all was well, whichever signal raises the alarm."""
  watch = Watch([LOW, RARE], 'stop', tmp_path)
  assert watch.good == 0
  watch(1, {'x': 2.})
  assert watch.good == 1
  watch(2, {'y': 0.})
  assert watch.good == 0
  watch(3, {'y': 2.})
  watch(5, {'x': 2.})
  assert watch.good == 3
  with pytest.raises(Collapsed) as error:
    shown(watch, rows(0, 0, 0, start=6))
  assert error.value.good == watch.good == 3


@pytest.mark.parametrize('row, signal', [
    ({'generator/grad_norm': 0., 'discriminator/grad_norm': 1.}, 'vanished'),
    ({'generator/grad_norm': 1., 'discriminator/grad_norm': 1e6}, 'exploded'),
    ({'spread/real': 1., 'spread/fake': .05}, 'hardly differ'),
    ({'logits/real': -1., 'logits/fake': 3.}, 'takes fakes for more real'),
    ({'discriminator/loss': 1e-5}, 'never wrong'), ({'class_entropy': .5}, 'one class')])
def test_signals_of_gans(row, signal, tmp_path):
  well = {'generator/grad_norm': 1., 'discriminator/grad_norm': 1., 'spread/real': 1.,
          'spread/fake': .8, 'discriminator/loss': .7, 'class_entropy': 2.2, 'logits/real': .5,
          'logits/fake': -.5}
  watch = Watch(collapse.OF_GANS, 'stop', tmp_path)
  for step in range(20):
    watch(step, well)
  with pytest.raises(Collapsed, match=signal):
    for step in range(20, 35):
      watch(step, {**well, **row})


def test_a_private_gan_is_watched_by_its_own_images(tmp_path):
  """Nothing is said of real ones there."""
  row = {'generator/grad_norm': 1., 'discriminator/grad_norm': 1., 'spread/fake': .3}
  watch = Watch(collapse.OF_GANS, 'stop', tmp_path)
  for step in range(20):
    watch(step, row)
  with pytest.raises(Collapsed, match='all the same'):
    for step in range(20, 30):
      watch(step, {**row, 'spread/fake': 2e-8})


def test_a_generator_that_waits_for_its_critic_has_not_vanished(tmp_path):
  watch = Watch(collapse.OF_GANS, 'stop', tmp_path)
  row = {'generator/grad_norm': 0., 'discriminator/grad_norm': 1.}
  for step in range(20):
    watch(step, {**row, 'critic/steps': 5.})
  with pytest.raises(Collapsed, match='vanished'):
    for step in range(20, 30):
      watch(step, {**row, 'critic/steps': 1.})


def test_latents_that_hold_nothing(tmp_path):
  watch = Watch(collapse.OF_VAES, 'stop', tmp_path)
  with pytest.raises(Collapsed, match='latents hold nothing'):
    for step in range(5):
      watch(step, {'kl': 0., 'vae/grad_norm': 1.})


def test_going_back_removes_what_came_after_and_ends_after_so_often(tmp_path):
  for attempt in range(1, collapse.MOST + 1):
    for step in (2, 4, 6):
      (tmp_path / f'checkpoints/{step}').mkdir(parents=True, exist_ok=True)
    collapse.roll_back(tmp_path, Collapsed(8 + attempt, 'it is low', 5), EACH)
    assert sorted(x.name for x in tmp_path.glob('checkpoints/*')) == ['2', '4']
    assert collapse.attempts(tmp_path) == attempt
  noted = json.loads((tmp_path / collapse.NAME).read_text().splitlines()[0])
  assert noted == {'step': 9, 'signal': 'it is low', 'good': 5, 'action': 'rollback', 'back_to': 4,
                   'attempt': 1}
  with pytest.raises(Collapsed):
    collapse.roll_back(tmp_path, Collapsed(9, 'it is low', 5), EACH)


def test_a_refuge_is_due_at_its_step_and_was_well():
  at = lambda good, **given: collapse.refuge([3, 4, 6, 8], good, runs.Settings(**given))
  assert at(8, checkpoint_every=4) == 8 and at(7, checkpoint_every=4) == 4
  assert at(7, checkpoint_every=4, eval_every=3) == 6 and at(2, checkpoint_every=1) is None


def bowl(broken=lambda w: 0.):
  """Descent of 1.5 w^2 with rate 1 doubles w in each step, and halves it with rate 1 / 2."""
  def build(config, about):
    def loss(params, variables, batch, ctx):
      w = params['model']
      return {'model': 1.5 * w ** 2 + 0 * jnp.mean(batch['image'])}, (variables, {
          'w': w + broken(w), 'drawn': jax.random.uniform(ctx.key)})
    sample = lambda params, variables, keys, cond: jnp.zeros((len(keys), *about.image_shape))
    return runs.Run(Objective(lambda key, batch: ({'model': jnp.ones(())}, {}), loss, sample),
                    {'model': optax.sgd(1.)}, signals=collapse.SIGNALS[1:])
  return build


FLAGS = ('--steps=40', '--log_every=1', '--checkpoint_every=4', '--num_synthetic=0')


def trained(folder, *given, build=None):
  config = training.config_of(*FLAGS, *given)
  train_program.train_in(folder, 'mnist_dcgan', config, build or bowl(), jax.devices()[:1])
  lines = [json.loads(x) for x in (folder / 'metrics.jsonl').read_text().splitlines()]
  digest = (folder / f'checkpoints/{config["steps"]}/digest/metadata').read_text()
  return lines, digest


def test_a_training_goes_back_with_lower_rates_and_other_randomness(tmp_path):
  """Of w = 2^k the gradient 3 w passes 1e5 at step 16, so the fifth line too high is step 20,
  and the newest checkpoint from before is 12 or, if that line is well, 16."""
  lines, _ = trained(tmp_path, '--on_collapse=rollback')
  (noted,) = [json.loads(x) for x in (tmp_path / collapse.NAME).read_text().splitlines()]
  assert noted['signal'] == 'a gradient has exploded' and noted['attempt'] == 1
  assert noted['step'] - noted['good'] == 5 and 0 <= noted['good'] - noted['back_to'] < 4
  assert [x['step'] for x in lines] == list(range(1, 41))
  back = noted['back_to']
  np.testing.assert_allclose([x['w'] for x in lines], [
      (-2.) ** k if k <= back else (-2.) ** back * (-.5) ** (k - back) for k in range(40)])
  assert len({x['drawn'] for x in lines}) == 40


@pytest.mark.long
@pytest.mark.parametrize('cut', [8, 17, 19, 20, 24, 32])
def test_one_that_goes_back_and_is_stopped_ends_with_the_same_bits(cut, tmp_path):
  whole = trained(tmp_path / 'whole', '--on_collapse=rollback')
  trained(tmp_path / 'cut', f'--steps={cut}', '--on_collapse=rollback')
  assert trained(tmp_path / 'cut', '--on_collapse=rollback') == whole
  assert ((tmp_path / 'cut' / collapse.NAME).read_text()
          == (tmp_path / 'whole' / collapse.NAME).read_text())


def test_numbers_that_are_not_finite_are_a_collapse(tmp_path):
  build = bowl(lambda w: jnp.where(jnp.abs(w) > 1000, jnp.nan, 0.))
  with pytest.raises(FloatingPointError, match='w = nan'):
    trained(tmp_path / 'stop', '--on_collapse=stop', build=build)
  lines, _ = trained(tmp_path / 'back', '--on_collapse=rollback', build=build)
  assert abs(lines[-1]['w']) < 1e-3 and collapse.attempts(tmp_path / 'back') == 1


@pytest.mark.parametrize('loss', gan_flags.LOSSES.values(), ids=gan_flags.LOSSES)
def test_no_loss_of_a_gan_that_learns_raises_it(loss, tmp_path):
  """Of logits as they are when both players are about as good."""
  watch = Watch(collapse.OF_GANS, 'stop', tmp_path)
  for step in range(50):
    real, fake = (np.random.default_rng(step).normal(mean, 1, 64) for mean in (.3, -.3))
    watch(step, {'logits/real': real.mean(), 'logits/fake': fake.mean(), 'spread/real': 1.,
                 'spread/fake': .7, 'discriminator/loss': float(jnp.mean(loss.discriminator(
                     jnp.asarray(real), jnp.asarray(fake)))), 'generator/grad_norm': .1})


@pytest.mark.long
def test_a_run_that_went_back_keeps_its_lower_rates_whatever_it_is_told_then(tmp_path):
  trained(tmp_path, '--steps=32', '--on_collapse=rollback')
  lines, _ = trained(tmp_path, '--on_collapse=warn')
  np.testing.assert_allclose([x['w'] / y['w'] for x, y in zip(lines[21:], lines[20:])], -.5)


def test_it_stops_or_warns_if_asked(tmp_path, caplog):
  with pytest.raises(Collapsed, match='a gradient has exploded'):
    trained(tmp_path / 'stop', '--on_collapse=stop')
  lines, _ = trained(tmp_path / 'warn')
  assert lines[-1]['w'] == -2. ** 39 and 'COLLAPSE? step 2' in caplog.text

"""Private runs in a folder: what they say, how they go on, and where they stop."""
import json

from absl import flags as absl_flags
from common import experiments, privacy_flags
import pytest
import tiers
import training

from jaxsynth import data, runs
from jaxsynth.privacy import Guarantee, ledger
from jaxsynth.runs import record as records

NOISE = ('--epsilon=8', '--delta=1e-6', '--noise_multiplier=1', '--microbatch=0')
GAN = ('--conditional', '--generator_norm=group', '--discriminator_steps=2', '--log_every=1',
       '--checkpoint_every=2', *NOISE)


def trained(folder, *given, secret=7, **options):
  """A run in a folder whose secret is known."""
  folder.mkdir(exist_ok=True)
  if secret is not None:
    (folder / ledger.SECRET).write_text(f'{secret}\n')
  return training.trained(folder, *GAN, *given, **options)


def lines(folder, name='metrics.jsonl'):
  return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def digest(folder, step=4):
  return json.loads((folder / f'checkpoints/{step}/digest/metadata').read_text())


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  return trained(tmp_path_factory.mktemp('whole') / 'run', '--steps=4')


def test_it_says_what_it_promises(whole):
  model = experiments.load(whole)
  promise = model.privacy
  assert isinstance(promise, Guarantee) and promise.relation == 'add_or_remove_one'
  assert promise.released == ('discriminator',) and promise.sampling == 'poisson'
  assert promise.steps == 8 and promise.size == model.record['data']['size']  # two phases a step
  assert promise.sampling_probability == 8 / promise.size and promise.noise_multiplier == 1
  assert 'digest' not in model.provenance['data']
  rows = lines(whole)
  spent = [row['privacy/epsilon'] for row in rows]
  assert 0 < spent[0] < spent[-1] == promise.epsilon <= 8 and spent == sorted(spent)


def test_it_tells_nothing_else_of_real_examples(whole):
  names = set().union(*lines(whole))
  assert {'discriminator/grad_norm', 'generator/loss', 'logits/fake'} <= names
  assert not {'discriminator/loss', 'logits/real', 'accuracy/real', 'spread/real'} & names
  assert not (whole / 'samples/real.png').exists()


def test_what_it_spends_is_in_its_ledger(whole):
  spent = lines(whole, ledger.NAME)
  assert [row['step'] for row in spent] == [2, 4]
  assert spent[-1]['epsilon'] == experiments.load(whole).privacy.epsilon


@pytest.mark.long
def test_a_run_in_two_pieces_is_the_same_bits_and_spends_the_same(whole, tmp_path):
  for steps in ('--steps=2', '--steps=4'):
    trained(tmp_path / 'run', steps)
  assert digest(tmp_path / 'run') == digest(whole)
  for name in ('metrics.jsonl', 'synthetic.npz', ledger.NAME):
    assert (tmp_path / 'run' / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.long
def test_another_secret_is_other_noise(whole, tmp_path):
  trained(tmp_path / 'run', '--steps=4', secret=None)
  assert int((tmp_path / 'run' / ledger.SECRET).read_text()) != 7
  assert digest(tmp_path / 'run') != digest(whole)


def copied(whole, folder):
  """What a killed run has left, before its second checkpoint was whole."""
  trained(folder, '--steps=2')
  (folder / ledger.NAME).write_bytes((whole / ledger.NAME).read_bytes())
  return folder


@pytest.mark.long
def test_killing_refunds_nothing(whole, tmp_path):
  folder = copied(whole, tmp_path / 'run')
  assert ledger.spent(folder) == 4
  with pytest.raises(runs.RunError, match='--fresh: the run in .* has spent epsilon .* of its'):
    trained(folder, '--steps=4', fresh=True)
  (folder / ledger.SECRET).unlink()
  with pytest.raises(ValueError, match='privacy.key is gone, and 4 steps were run by it'):
    trained(folder, '--steps=4', secret=None)
  trained(folder, '--steps=4')  # with the same secret: the same steps, at no further charge
  assert digest(folder) == digest(whole) and len(lines(folder, ledger.NAME)) == 2


@pytest.mark.long
def test_it_stops_at_its_budget(tmp_path):
  """The noise is the least for two steps of 2 phases; a third is refused, resumed or not."""
  folder = tmp_path / 'run'
  calibrated = ('--steps=2', '--noise_multiplier=0', '--epsilon=2')
  trained(folder, *calibrated)
  promise = experiments.load(folder).privacy
  assert .95 * 2 < promise.epsilon <= 2
  before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
  with pytest.raises(runs.RunError, match='4 steps come to epsilon .* expected 2 at most'):
    trained(folder, *calibrated, '--steps=4')
  for name in ('config.json', ledger.NAME, 'metrics.jsonl'):
    assert (folder / name).read_bytes() == before[name]


@pytest.mark.long
def test_a_private_run_is_not_gone_on_with_without_privacy(whole):
  with pytest.raises(runs.RunError, match='--epsilon: 8.0 before, None now'):
    training.trained(whole, *GAN[:-len(NOISE)], '--steps=4')


@pytest.mark.long
def test_a_run_that_went_back_is_refused(whole, tmp_path):
  folder = copied(whole, tmp_path / 'run')
  (folder / 'collapses.jsonl').write_text(json.dumps(
      {'step': 2, 'signal': '', 'good': 0, 'action': 'rollback', 'attempt': 1}) + '\n')
  with pytest.raises(runs.RunError, match='a private run does not go back'):
    trained(folder, '--steps=4')


@pytest.mark.parametrize('given, message', [
    (('--epsilon=0',), 'epsilon=0.*expected more than 0, or no --epsilon at all'),
    (('--epsilon=-1',), 'epsilon=-1.*expected more than 0'),
    (('--delta=0',), r'delta=0.*expected a probability in \(0, 1\)'),
    (('--clip_norm=0',), 'clip_norm=0.*expected more than 0'),
    (('--multiplicity=2',), 'need --epsilon'), (('--noise_multiplier=1',), 'need --epsilon'),
    (('--epsilon=1', '--accumulate=2'), 'needs --accumulate=1: each part would have noise'),
    (('--epsilon=1', '--parallel=pmap', '--devices=2'), 'another --parallel than pmap'),
    (('--epsilon=1', '--on_collapse=rollback'), 'another --on_collapse than rollback')])
def test_flags_that_cannot_be_are_refused(given, message):
  with pytest.raises(absl_flags.Error, match=message):
    training.config_of(*given)


def applied(name, *given):
  """The private run that flags mean, without training it."""
  config = training.config_of('--epsilon=8', '--noise_multiplier=2', '--steps=2',
                              *training.data_of(name), *given, name=name)
  source = data.open_dataset(data.DatasetSpec.of(config))
  run = experiments.program(name).build(config, training.about(name))
  return privacy_flags.applied(run, config, runs.Settings.of(config), source)


# of each family: flags by which it can be private, and who then is
PRIVATE = {
    'mnist_dcgan': (('--generator_norm=group',), 'discriminator'),
    'mnist_flow': ((), 'flow'),
    'mnist_gan': (('--loss=non_saturating',), 'discriminator'),
    'mnist_meanflow': ((), 'flow'),
    'mnist_vae': ((), 'vae'),
    'series_flow': (('--nowhiten',), 'flow'),
    'table_flow': ((), 'flow'),
    'table_mixture': ((), 'mixture')}
RELEASED = ('mnist_merf',)  # private by what it takes of the data, not by its gradients
REFUSED = {
    'mnist_dcgan': ((), 'the generator has batch statistics, by which one example'),
    'mnist_vqvae': ((), 'the codebook moves by the whole batch'),
    'series_flow': ((), "changes variables by the examples .*'whitening'")}


@tiers.every('name', list(PRIVATE), ['mnist_dcgan'])
def test_a_family_learns_privately(name):
  given, player = PRIVATE[name]
  run = applied(name, '--conditional', *given)
  assert run.privacy.players == (player,)
  assert run.privacy.budget.charges == 1


@tiers.every('name', list(REFUSED), ['mnist_dcgan'])
def test_a_family_that_cannot_says_why(name):
  with pytest.raises(runs.RunError, match=f'--epsilon=8: .*{REFUSED[name][1]}'):
    applied(name, '--conditional', *REFUSED[name][0])


def test_every_family_is_one_or_the_other():
  assert {*PRIVATE, *REFUSED, *RELEASED} == set(experiments.names())


@pytest.mark.long
@pytest.mark.parametrize('given, message', [
    (('--loss=relativistic_average',), 'compares each logit with the mean of the batch'),
    (('--packing=2', '--noconditional'), 'clipping does not bound its part'),
    (('--augment=ada',), 'clipping does not bound its part'),
    (('--private_players=generator',), 'the loss of discriminator depends on the examples'),
    (('--private_players=critic',), 'critic: expected some of discriminator, generator'),
    (('--batch_size=9999',), 'batch_size=9999: expected 1 to'),
    (('--noise_multiplier=.3', '--epsilon=.1'), 'noise_multiplier=0.3: 2 steps come to epsilon')])
def test_gans_that_cannot_say_why(given, message):
  with pytest.raises(runs.RunError, match=message):
    applied('mnist_dcgan', '--conditional', '--generator_norm=group', *given)


@pytest.mark.long
def test_scores_say_that_they_are_not_covered(tmp_path):
  folder = trained(tmp_path / 'run', '--steps=2', '--eval_every=2', '--eval_samples=300')
  last = lines(folder, 'scores.jsonl')[-1]
  assert last['privacy/epsilon'] == experiments.load(folder).privacy.epsilon
  assert 'does not cover them' in last['privacy/covers']


@pytest.mark.long
def test_old_records_are_not_private(whole, tmp_path):
  record = records.read_record(whole)
  del record['privacy']
  for name in ('epsilon', 'delta', 'clip_norm', 'noise_multiplier', 'multiplicity', 'microbatch',
               'private_players'):
    del record['flags'][name]
  assert experiments.config_of(record)['epsilon'] is None
  (tmp_path / 'config.json').write_text(json.dumps(record))
  (tmp_path / 'checkpoints').symlink_to(whole / 'checkpoints')
  assert experiments.load(tmp_path).privacy is None

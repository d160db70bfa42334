"""An audit of a synthetic set: who is asked about, what is seen, what is doubtful."""
import json

from absl import flags
from common import audits as audit_flags
from common import experiments
import evaluate as program
import numpy as np
import pytest
import tiny

from jaxsynth import data, evaluation
from jaxsynth.data import canaries, fingerprint
from jaxsynth.data.examples import count_shared
from jaxsynth.data.roles import roles
from jaxsynth.evaluation import audit as audits, embedded, loss_audit, provenance as provenances
from jaxsynth.metrics import features
from jaxsynth.privacy.guarantee import Guarantee, ONE_EXAMPLE

PROMISE = Guarantee(
    1., 1e-5, 'add_or_remove_one', ONE_EXAMPLE, 'Noise.', '', 'PLD', 3.7, 1., 1., 1, 500,
    ('means',), ('Scores are not covered.',))


def npz(path, images, labels=None):
  np.savez(path, images=images, **({} if labels is None else {'labels': labels}))
  return path


@pytest.fixture(scope='module')
def train():
  source = data.mnist5k('train')
  return data.ArraySource.of(source.images[::8], source.labels[::8], 10)


@pytest.fixture(scope='module')
def folder(tmp_path_factory, train):
  """What was learned from, a set that copies it, and one of fresh digits."""
  folder = tmp_path_factory.mktemp('sets')
  npz(folder / 'train.npz', train.images, train.labels)
  npz(folder / 'copied.npz', train.images, train.labels)
  fresh = data.mnist5k('train')
  npz(folder / 'fresh.npz', fresh.images[1::8], fresh.labels[1::8])
  return folder


def compared(folder, name, validation='validation'):
  spec = data.DatasetSpec('mnist5k')
  return evaluation.read_comparison(
      evaluation.read_synthetic(folder / f'{name}.npz'), spec,
      roles(spec, train=str(folder / 'train.npz'), validation=validation))


@pytest.mark.parametrize('validation', ['validation', ''])
def test_nobody_is_asked_about_twice(folder, validation):
  asked = audits.candidates(compared(folder, 'fresh', validation))
  sizes = [len(x.values) for x in asked]
  assert sizes == ([500, 375, 375, 250] if validation else [500, 250, 125, 125])
  for i, a in enumerate(asked):
    for b in asked[:i]:
      assert count_shared(a, b) == 0


def test_without_a_training_set_nobody_can_be_asked(folder):
  with pytest.raises(ValueError, match='--audit: it is not known which .* --train_split'):
    audits.candidates(compared(folder, 'fresh')._replace(train=None))


def attacks_of(folder, name):
  comparison = compared(folder, name)
  vectors = embedded.embed(comparison, features.mnist(), False)
  return audits.sample_attacks(comparison, vectors, audits.candidates(comparison))


def test_a_generator_that_copies_is_caught(folder):
  plain, calibrated = attacks_of(folder, 'copied')
  for attack in (plain, calibrated):
    assert attack.noticed and attack.seen.auc > .97 and attack.control.auc < .6
    assert attack.seen.found_at[1].members.low > .4, attack
  assert plain.seen.auc == plain.seen.found_at[1].members.value == 1  # its distances are 0


def test_fresh_digits_give_nobody_away(folder):
  """Splits of the sample differ a little; of random parts the interval holds .5, see membership."""
  for attack in attacks_of(folder, 'fresh'):
    assert not attack.noticed and abs(attack.seen.auc - .5) < .07, attack
    assert attack.to_json()['noticed'] is False and attack.to_json()['control']['members'] == 375


def test_sets_that_differ_anyway_are_not_taken_for_memory(folder):
  """Held-out digits are made fainter: the attack tells them apart, and so it does the control."""
  comparison = compared(folder, 'fresh')
  held = comparison.held_out
  comparison = comparison._replace(held_out=held._replace(values=held.values // 2))
  vectors = embedded.embed(comparison, features.mnist(), False)
  plain, _ = audits.sample_attacks(comparison, vectors, audits.candidates(comparison))
  assert plain.seen.low > .6 and plain.control.low > .6 and not plain.noticed


def test_what_was_learned_from_is_known_by_its_digest(folder, train):
  comparison = compared(folder, 'fresh')
  about = {'name': 'x', 'size': 500, 'class_names': [], **fingerprint.identity(train)}
  said = lambda **other: audits.doubts(comparison, provenances.Provenance(
      None, {**about, **other}))
  assert said() == said(class_names=list('0123456789')) == []
  assert 'by its digest' in said(digest='0')[0]
  assert 'learned from 501 examples, and train.npz has 500' in said(size=501)[0]
  assert 'taken as given' in audits.doubts(comparison, provenances.Provenance())[0]


def test_what_lies_beside_a_set_is_read(tmp_path):
  promise = {'privacy': PROMISE.to_json()}
  run = tmp_path / 'run'
  run.mkdir()
  (run / 'config.json').write_text(json.dumps({'flags': {}, 'data': {'size': 5}, **promise}))
  npz(run / 'synthetic.npz', np.zeros((1, 4, 4, 1), np.uint8))
  for path in (run, run / 'synthetic.npz'):
    assert provenances.provenance(path) == provenances.Provenance(PROMISE, {'size': 5}, run)
  drawn = tmp_path / 'drawn/1.0.0'
  drawn.mkdir(parents=True)
  metadata = {'splits': {'train': 9}, 'model': {'digest': 'abc', 'data': {'size': 7}}}
  for values, guarantee in (({**metadata, **promise}, PROMISE), (metadata, None)):
    (drawn / 'metadata.json').write_text(json.dumps(values))
    assert provenances.provenance(drawn) == provenances.Provenance(
        guarantee, {'size': 7}, None, 'abc')
  assert provenances.provenance(npz(tmp_path / 'a.npz', np.zeros(3))) == provenances.Provenance()
  (run / 'config.json').write_text(json.dumps({'flags': {}, 'privacy': {'epsilon': 1}}))
  with pytest.raises(ValueError, match='config.json: its "privacy" cannot be read .*lacks'):
    provenances.provenance(run)


def audited(tmp_path, folder, *given):
  values = flags.FlagValues()
  program.define_flags(values)
  values(['x', f'--train_split={folder / "train.npz"}', f'--report={tmp_path / "out"}', *given])
  program.evaluate(values)
  lines = (tmp_path / 'out/audit.jsonl').read_text().splitlines()
  return [json.loads(x) for x in lines], (tmp_path / 'out/report.html').read_text()


def test_the_program_leaves_lines_and_a_section(tmp_path, folder):
  (head, *rows), page = audited(tmp_path, folder, f'--synthetic={folder / "copied.npz"}', '--audit')
  assert head['guarantee'] is None and [row['attack'] for row in rows] == [
      audits.SAMPLES, audits.CALIBRATED]
  assert all(row['noticed'] for row in rows) and 'no run was named' in head['notes'][1]
  for part in ('Privacy', 'No guarantee was given', 'The audit saw who was learned from'):
    assert part in page, part
  scores = json.loads((tmp_path / 'out/scores.json').read_text())
  assert scores['flags']['audit'] is True


@pytest.mark.long
def test_a_run_is_asked_for_its_losses(tmp_path, folder):
  """Its parameters are arbitrary and give nobody away; the generator's loss is of no example."""
  run = tiny.workdir(tmp_path / 'run', '--conditional')
  model = experiments.load(run)
  asked = audits.candidates(compared(folder, 'fresh'))
  few = audits.Candidates(*(x.take(np.arange(100)) for x in asked))
  names = [str(k) for k in range(10)]
  attack, = loss_audit.loss_attacks(model, few, names)
  assert attack.name == 'loss of the discriminator' and attack.knows == 'the model'
  assert attack.seen.low < .5 < attack.seen.high and not attack.noticed
  bare = audits.Candidates(*(x._replace(labels=None) for x in few))
  with pytest.raises(ValueError, match='is given labels, and train.npz has none'):
    loss_audit.loss_attacks(model, bare, names)
  with pytest.raises(ValueError, match='does not know the class ten'):
    loss_audit.loss_attacks(model, few, [*names[:9], 'ten'])
  source = data.mnist5k('train')
  canaries.write(run, canaries.planted(source, 60, 2))
  planted, = loss_audit.canary_attacks(model, canaries.read(run, source), 1e-5)
  assert planted.knows == 'canaries' and [x.gaussian for x in planted.bounds] == [False, True]
  assert [x.epsilon for x in planted.bounds] == [0, 0]
  assert planted.bounds[0].canaries == 60 == planted.seen.members + planted.seen.others


def test_a_run_that_did_not_draw_the_set_is_refused(tmp_path, folder):
  run = tiny.workdir(tmp_path / 'run')
  images = np.load(folder / 'fresh.npz')['images'][..., 0]
  from PIL import Image
  place = tmp_path / 'set/train'
  place.mkdir(parents=True)
  for i, image in enumerate(images[:120]):
    Image.fromarray(image).save(place / f'{i:03d}.png')
  (tmp_path / 'set/metadata.json').write_text(json.dumps({
      'splits': {'train': 120}, 'model': {'digest': 'another', 'data': {}}}))
  with pytest.raises(ValueError, match='not the model that drew'):
    audited(tmp_path, folder, f'--synthetic={place}', '--audit', f'--run={run}')


def test_a_run_goes_with_an_audit_alone():
  values = flags.FlagValues()
  audit_flags.define(values)
  with pytest.raises(flags.IllegalFlagValueError, match='--run is of --audit'):
    values(['x', '--run=a'])

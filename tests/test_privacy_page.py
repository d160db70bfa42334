"""What pages say of privacy, to one who is no engineer."""
import json
import math

import numpy as np
import pytest
from stages import page as pipeline_page, record as records

from jaxsynth import report
from jaxsynth.evaluation.audit import Attack, Audit
from jaxsynth.pages import privacy
from jaxsynth.pages.words import worded
from jaxsynth.privacy.guarantee import Guarantee, ONE_EXAMPLE
from jaxsynth.privacy.membership import membership
from jaxsynth.privacy.one_run import Bound
from jaxsynth.report import Page

PROMISE = Guarantee(
    1., 1e-5, 'add_or_remove_one', ONE_EXAMPLE, 'Gradients are clipped, and noise added.',
    'poisson', 'PLD of dp_accounting 0.6', 1.1, 1., .01, 1000, 55000, ('flow',),
    ('Scores of the run are not covered.',))


def attack(shift, knows='samples', bound=None):
  rng = np.random.default_rng(0)
  x = membership(rng.normal(shift, 1, 2000), rng.normal(size=2000))
  beside = None if bound else membership(rng.normal(size=2000), rng.normal(size=2000))
  return Attack('distance', knows, x, beside, (bound,) if bound else ())


def rows(guarantee, *attacks, notes=()):
  return json.loads(json.dumps(Audit(guarantee, attacks, notes).rows(), allow_nan=False))


def text_of(guarantee, audit):
  section = privacy.section(guarantee, audit)
  text = report.render(Page('x', '', [section]))
  assert not report.page.checked(Page('x', '', [section])).foot
  return text, section


def bound(epsilon, gaussian=False):
  return Bound(epsilon, 1e-5, .95, 1000, 125, 110, gaussian)


def test_without_a_promise_it_says_so():
  text, section = text_of(None, None)
  assert 'No guarantee was given' in text and 'What is promised' not in text
  assert 'No attack was tried' in text and len(section.items) == 1


def test_a_promise_is_told_with_its_terms():
  text, _ = text_of(PROMISE, None)
  for part in ('(1, 1e-05)-differentially private', 'at most 73% sure',
               'whoever stands behind one example', 'Abadi', 'PLD of dp_accounting 0.6', '55,000',
               'Not promised: Scores of the run', 'several'):
    assert part in text, part
  assert 'at most 100% sure' in text_of(PROMISE._replace(epsilon=800.), None)[0]
  assert 'Nothing is promised' in text_of(PROMISE._replace(epsilon=math.inf), None)[0]


def test_what_was_seen_is_told_with_intervals_and_its_control():
  audit = rows(PROMISE, attack(1.), attack(0., 'the model'), notes=['Doubtful.'])
  text, section = text_of(PROMISE, audit)
  assert 'The audit saw who was learned from, in 1 of 2 attacks' in text and 'Doubtful.' in text
  table = section.items[-2]
  assert table.columns[-2:] == ['finds, wrong about 1 %', 'finds, wrong about 0.1 %']
  assert [row[0] for row in table.rows] == ['distance', 'with held-out images in their place'] * 2
  auc = audit[1]['auc']
  assert table.rows[0][2].startswith(f'{100 * auc:.3g} % (') and .7 < auc < .82
  assert privacy.sentence(PROMISE, audit) == (
      'Privacy was promised with epsilon 1 and delta 1e-05. An audit saw who was learned from.')


def test_nothing_seen_is_no_promise():
  text, _ = text_of(None, rows(None, attack(0.)))
  assert 'None of the attacks could tell' in text and 'Stronger attacks may' in text
  assert privacy.sentence(None, rows(None, attack(0.))).endswith(
      'did not see who was learned from.')


@pytest.mark.parametrize('guarantee, epsilon, want, never', [
    (PROMISE, 1.5, 'MORE THAN WAS PROMISED', 'never make one'),
    (PROMISE, .7, 'where 1 was promised', 'MORE THAN'),
    (PROMISE._replace(relation='replace_one'), 1.5, 'it can refute a promise', 'MORE THAN'),
    (None, 1.5, 'epsilon is at least 1.5', 'MORE THAN'),
    (PROMISE, 0., 'refute no epsilon', 'MORE THAN')])
def test_canaries_refute_a_promise_or_do_not(guarantee, epsilon, want, never):
  text, _ = text_of(guarantee, rows(guarantee, attack(.5, 'canaries', bound(epsilon))))
  assert want in text and never not in text
  assert ('guesses were right 110 times' in text) == bool(epsilon)


@pytest.mark.parametrize('sampling', ['', 'poisson'])
def test_a_bound_for_gaussian_noise_refutes_a_single_release_alone(sampling):
  promise = PROMISE._replace(sampling=sampling)
  text, _ = text_of(promise, rows(promise, attack(.5, 'canaries', bound(1.5, gaussian=True))))
  assert ('MORE THAN WAS PROMISED' in text) == (not sampling)
  assert 'for a release under Gaussian noise, epsilon is at least 1.5' in text
  assert 'Gaussian noise' not in text_of(
      None, rows(None, attack(.5, 'canaries', bound(1.5, gaussian=True))))[0]


def test_of_rows_it_speaks_of_rows():
  words = {'images': 'rows', 'image': 'row'}
  page = worded(Page('x', '', [privacy.section(PROMISE, rows(PROMISE, attack(1.)))]), words)
  text = report.render(page)
  assert 'image' not in text.partition('<body')[2].replace('image/', '')


def test_few_others_are_told():
  rng = np.random.default_rng(0)
  few = Attack('distance', 'samples', membership(rng.normal(size=50), rng.normal(size=50)),
               membership(rng.normal(size=50), rng.normal(size=50)))
  assert text_of(None, rows(None, few))[0].count('50 are few') == 4


def test_the_page_of_a_pipeline_has_it_too(tmp_path):
  (tmp_path / 'stages').mkdir()
  metadata = {'splits': {'train': 90}, 'privacy': PROMISE.to_json(), 'labels': None}
  place = tmp_path / 'data/x/1.0.0/metadata.json'
  for path, content in (
      (place, json.dumps(metadata)),
      (tmp_path / 'assess/audit.jsonl', '\n'.join(map(json.dumps, rows(PROMISE, attack(1.)))))):
    path.parent.mkdir(parents=True)
    path.write_text(content)
  for stage, output in (('synthesise', 'data/x/1.0.0/metadata.json'),
                        ('assess', 'assess/audit.jsonl')):
    records.write(tmp_path, stage, {'status': 'done', 'shown': [], 'outputs': {output: {}}})
  results = pipeline_page.result.read(tmp_path, {
      name: records.read(tmp_path, name) for name in ('synthesise', 'assess')})
  assert results.audit == rows(PROMISE, attack(1.)) and results.promised == metadata
  section = pipeline_page.privacy.of_files(results.promised, results.audit)
  assert section == privacy.section(PROMISE, results.audit)
  answer, = [row for table in pipeline_page.answers.table(results) for row in table.rows]
  assert answer[0].startswith('Is it hidden') and 'no' in answer[1] and '1 attacks' in answer[2]

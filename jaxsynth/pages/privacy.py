"""Privacy on a page: what is promised and to whom, what is not, and what an audit saw."""
from collections.abc import Mapping, Sequence
import math
from typing import Any

from jaxsynth.evaluation.provenance import KEY
from jaxsynth.metrics.score import Share
from jaxsynth.privacy.guarantee import Guarantee, RELATIONS
from jaxsynth.privacy.membership import Membership, TruePositives
from jaxsynth.report import Item, Note, Section, Table

NONE = ('No guarantee was given: nothing limits what the synthetic images may tell of the images '
        'that were learned from. That an attack sees nothing does not say that another would not.')
NOT_TRIED = ('No attack was tried on these images; evaluate.py --audit, or pipeline.py --audit, '
             'tries some.')
THEOREM = {
    'poisson': 'Subsampled Gaussian mechanism, composed over the steps (Dwork & Roth 2014, Abadi '
               'et al. 2016): each image comes into a step by a coin of its own.',
    '': 'Gaussian mechanism (Dwork & Roth 2014, appendix A), a single release.'}
CANARIES = ('Canaries are images like no other, each planted or left out by a coin: the worst '
            'case, and the only images of which a bound on epsilon can be had.')
# whose promise the bound by canaries, each in or out, can refute
OF_CANARIES = ('add_or_remove_one', 'replace_special')
KNOWS = {'samples': 'the synthetic images', 'the model': 'the trained model',
         'canaries': 'the trained model; canaries'}
ONE_SIDED = 'This is a lower bound: it can refute a promise, and never make one.'
READING = ('An attack scores images by how surely they were learned from. The area is the chance '
           'that one that was scores higher than one that was not: 50 % is guessing, 100 % is '
           'certainty. An average hides the few whom an attack is sure of, so the last columns say '
           'how many it finds while it is wrong about 1 in 100, or 1 in 1,000. Held-out real '
           'images in the place of those that were learned from show what the attack makes of '
           'images that nobody learned from: what it finds beyond that is memory. Intervals are '
           'of 95 %.')


def section(guarantee: Guarantee | None, audit: Sequence[Mapping[str, Any]] | None) -> Section:
  """The section, for one who answers for the data of others and is no engineer.

  It shows numbers alone, and no example.

  Args:
    guarantee: what was promised, or `None`.
    audit: lines of audit.jsonl, `Audit.rows`; `None` where none was made.

  >>> section(None, None).text.startswith('No guarantee was given')
  True
  """
  items: list[Item] = [] if guarantee is None else [_promise(guarantee), _left_out(guarantee)]
  if not audit:
    return Section('Privacy', _text(guarantee), [*items, Note(NOT_TRIED)])
  notes, rows = audit[0]['notes'], audit[1:]
  items += [*_verdicts(guarantee, rows), _attacks(rows)]
  items += [Note(text, 'warning') for text in notes]
  planted = f' {CANARIES}' if any(row['bounds'] for row in rows) else ''
  return Section('Privacy', f'{_text(guarantee)}\n\n{READING}{planted}', items)


def of_files(metadata: Mapping[str, Any], audit: Sequence[Mapping[str, Any]] | None) -> Section:
  """The section of a data set's metadata.json, or a run's config.json, and of audit.jsonl.

  Raises:
    ValueError: a guarantee that cannot be read.
  """
  values = metadata.get(KEY)
  return section(None if values is None else Guarantee.of_json(values), audit)


def sentence(guarantee: Guarantee | None, audit: Sequence[Mapping[str, Any]] | None) -> str:
  """The same in a sentence or two, for the head of a page."""
  promise = ('No privacy was promised to those whose data were learned from.'
             if guarantee is None or not math.isfinite(guarantee.epsilon) else
             f'Privacy was promised with epsilon {guarantee.epsilon:.3g} and delta '
             f'{guarantee.delta:.3g}.')
  if not audit:
    return promise
  return promise + (' An audit saw who was learned from.' if any(
      row['noticed'] for row in audit[1:]) else ' An audit did not see who was learned from.')


def _text(guarantee: Guarantee | None) -> str:
  if guarantee is None:
    return NONE
  if not math.isfinite(guarantee.epsilon):
    return guarantee.sentence()
  sure = 1 / (1 + math.exp(-guarantee.epsilon))
  return (f'{guarantee.sentence()} So whoever would have bet evenly on whether {guarantee.unit} '
          f'was there can be at most {sure:.0%} sure of it afterwards'
          f'{", but for that chance" if guarantee.delta else ""}, whatever else is known and '
          'whatever is computed from the synthetic images.')


def _promise(guarantee: Guarantee) -> Table:
  g = guarantee
  rows = [
      ['to whom', f'whoever stands behind {g.unit}'],
      ['epsilon', f'{g.epsilon:.4g}'], ['delta', f'{g.delta:.3g}'],
      ['what looks nearly alike', 'what is drawn from the data, and from the same data '
       f'{RELATIONS[g.relation].format(unit=g.unit)}'],
      ['covered', ', '.join(g.released)],
      ['how', g.mechanism],
      ['by which theorem', THEOREM.get(g.sampling, g.sampling)],
      ['counted by', g.accountant],
      ['noise', f'{g.noise_multiplier:.4g} times the most that one example can change, which is '
                f'{g.clip_norm:.4g}'],
      ['steps that saw the data', f'{g.steps:,}'],
      ['chance to be in a step', f'{g.sampling_probability:.4g}'],
      ['size of the data, taken as public', f'{g.size:,}']]
  return Table('What is promised', ['of', 'promise'], rows)


def _left_out(guarantee: Guarantee) -> Note:
  usual = 'What all images of a person who has several show together is not covered.'
  said = list(guarantee.left_out)
  return Note('Not promised: ' + ' '.join([*said, usual]), 'warning')


def _verdicts(guarantee: Guarantee | None, rows: Sequence[Mapping[str, Any]]) -> list[Note]:
  notes = []
  seen = [row for row in rows if row['noticed']]
  if seen:
    worst = max(seen, key=lambda row: row['auc'])
    notes.append(Note(
        f'The audit saw who was learned from, in {len(seen)} of {len(rows)} attacks. By the '
        f'{worst["attack"]}, images that were learned from score higher than images that were not '
        f'{_percent(worst["auc"])} of the time ({_between(Membership.of_json(worst))}); it finds '
        f'{_words(Membership.of_json(worst))}.', 'bad'))
  else:
    notes.append(Note(
        'None of the attacks could tell images that were learned from from images that were not, '
        'beyond chance and beyond what held-out images show. Stronger attacks may.', 'good'))
  # without a promise there is no noise that a bound for noise could be of
  bounds = [x for row in rows for x in row['bounds'] if guarantee or not x['gaussian']]
  return notes + [_bounded(guarantee, bound) for bound in bounds]


def _bounded(guarantee: Guarantee | None, bound: Mapping[str, Any]) -> Note:
  """A lower bound on epsilon beside the promise."""
  whose = ('for a release under Gaussian noise' if bound['gaussian'] else
           'whatever the training is')
  said = (f'Of {bound["canaries"]:,} canaries, images planted by a coin, the surest '
          f'{bound["guesses"]:,} guesses were right {bound["right"]:,} times. So, {whose}, epsilon '
          f'is at least {bound["epsilon"]:.3g} at delta {bound["delta"]:.3g}, with a confidence of '
          f'{bound["confidence"]:.0%}' if bound['epsilon'] else
          f'{bound["canaries"]:,} canaries, images planted by a coin, refute no epsilon, {whose}')
  if guarantee is None or guarantee.relation not in OF_CANARIES:
    return Note(f'{said}. {ONE_SIDED}')
  if bound['epsilon'] > guarantee.epsilon and not (bound['gaussian'] and guarantee.sampling):
    return Note(f'{said}: MORE THAN WAS PROMISED. The promise of {guarantee.epsilon:.3g} does not '
                'hold, and nothing should be released on its strength.', 'bad')
  return Note(f'{said}, where {guarantee.epsilon:.3g} was promised. {ONE_SIDED}')


def _words(seen: Membership) -> str:
  at = seen.found_at[0]
  return (f'{at.members.hits:,} of {at.members.total:,} of them ({_percent(at.members.value)}) '
          f'while it is wrong about {at.others.hits:,} of {at.others.total:,}')


def _attacks(rows: Sequence[Mapping[str, Any]]) -> Table:
  cells = []
  for row in rows:
    seen, control = Membership.of_json(row), row['control']
    cells.append([row['attack'], KNOWS[row['knows']], _area(seen), *map(_rate, seen.found_at)])
    if control is not None:
      beside = Membership.of_json(control)
      cells.append(['with held-out images in their place', '', _area(beside),
                    *map(_rate, beside.found_at)])
  rates = [f'finds, wrong about {_percent(x["rate"])}' for x in rows[0]['found_at']]
  return Table('What the audit saw', ['attack by', 'it knows', 'area', *rates], cells)


def _area(x: Membership) -> str:
  return f'{_percent(x.auc)} ({_between(x)})'


def _rate(at: TruePositives) -> str:
  share = at.members
  few = f'; {at.others.total:,} are few' if at.rate * at.others.total < 1 else ''
  return f'{_percent(share.value)} ({_between(share)}{few})'


def _between(x: Membership | Share) -> str:
  return f'{100 * x.low:.3g} to {100 * x.high:.3g}'


def _percent(x: float) -> str:
  return f'{100 * x:.3g} %'

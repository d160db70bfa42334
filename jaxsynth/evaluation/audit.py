"""What attacks see of a synthetic set and of its model: who was learned from."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data import fingerprint
from jaxsynth.data.examples import Examples, random_positions, shuffled, source_of
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.embedded import Embedded
from jaxsynth.evaluation.provenance import Provenance
from jaxsynth.metrics import features
from jaxsynth.privacy.attacks import sample_scores
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.privacy.membership import membership, Membership
from jaxsynth.privacy.one_run import Bound

MOST, LEAST = 10_000, 20  # examples of a set that are attacked
SAMPLES = 'distance to the nearest synthetic example'
CALIBRATED = 'the same, less the distance to the nearest real one'


class Candidates(NamedTuple):
  """Whom attacks are asked about; all are real, and no two sets share an example.

  Attributes:
    members: that the model learned from.
    others: that it did not.
    control: that it did not either, from another set: they stand in the place of members, so that
      what the sets themselves tell apart is not taken for memory.
    reference: none of these, for calibration.
  """
  members: Examples
  others: Examples
  control: Examples
  reference: Examples


class Attack(NamedTuple):
  """An attack by one score.

  Attributes:
    name: of the score.
    knows: what the attacker has: `'samples'`, `'the model'` or `'canaries'`.
    seen: how well it tells members from others.
    control: the same where held-out examples stand in the place of members; `None` where a coin
      said who is a member, as of canaries.
    bounds: on epsilon, of canaries.
  """
  name: str
  knows: str
  seen: Membership
  control: Membership | None = None
  bounds: tuple[Bound, ...] = ()

  def to_json(self) -> dict[str, Any]:
    """A line of audit.jsonl."""
    return {'attack': self.name, 'knows': self.knows, **self.seen.to_json(),
            'control': self.control and self.control.to_json(),
            'bounds': [x.to_json() for x in self.bounds], 'noticed': self.noticed}

  @property
  def noticed(self) -> bool:
    """Whether it sees who was learned from, beyond chance and beyond what the control shows."""
    control = self.control
    if self.seen.low > (max(.5, control.high) if control else .5):
      return True
    for k, at in enumerate(self.seen.found_at):
      usual = max(at.others.high, control.found_at[k].members.high if control else 0.)
      if at.members.low > usual:
        return True
    return False


def candidates(comparison: Comparison) -> Candidates:
  """Members, and examples that nothing learned from, at most 10,000 each.

  Others are of the held-out set, control is of the reference set, and calibration takes as many of
  each: were it of one alone, examples of that would look nearer to it, as those of one source do.
  Without a held-out set half of the reference set are others, and the rest is halved.

  Raises:
    ValueError: no training set is known, or sets too small to be cut.
  """
  if comparison.train is None:
    raise ValueError('--audit: it is not known which real images were learned from; name them by '
                     '--train_split')
  real, held, seed = comparison.real, comparison.held_out, comparison.seed
  order = shuffled(len(real.values), seed)
  if held is None:
    parts = [real.take(np.sort(order[k::4])) for k in range(4)]
    others, control, reference = _joined(parts[0], parts[1]), parts[2], parts[3]
  else:
    among = shuffled(len(held.values), seed)
    n = min(len(order) // 4, len(among) // 4)
    others, control = (x.take(np.sort(at[n:])) for x, at in ((held, among), (real, order)))
    reference = _joined(real.take(order[:n]), held.take(among[:n]))
  if min(len(x.values) for x in (others, control, reference)) < LEAST:
    raise ValueError(f'--audit: {len(real.values)} examples of {real.name} are too few to be cut; '
                     'expected at least 100 there, and as many of --validation_split')
  few = lambda x: x.take(random_positions(len(x.values), MOST, seed))
  return Candidates(*map(few, (comparison.train, others, control, reference)))


def _joined(a: Examples, b: Examples) -> Examples:
  labels = None if a.labels is None or b.labels is None else np.concatenate([a.labels, b.labels])
  return a._replace(values=np.concatenate([a.values, b.values]), labels=labels)


def sample_attacks(comparison: Comparison, embedded: Embedded, asked: Candidates) -> list[Attack]:
  """Attacks of who has nothing but the synthetic set, in the features of the evaluation.

  Args:
    comparison: the sets.
    embedded: their features.
    asked: about whom.
  """
  of = lambda x: features.extract_all(embedded.net, x.values, comparison.kind.to_model)
  members, others, control, reference = (of(x) for x in asked)
  attacks = []
  for name, known in ((SAMPLES, None), (CALIBRATED, reference)):
    inside, outside, beside = (sample_scores(x, embedded.synthetic, known)
                               for x in (members, others, control))
    attacks.append(Attack(name, 'samples', membership(inside, outside),
                          membership(beside, outside)))
  return attacks


class Audit(NamedTuple):
  """All that an audit says.

  Attributes:
    guarantee: what was promised, or `None`.
    attacks: what they saw.
    notes: what could not be tried, or makes the answers doubtful; a sentence each.
  """
  guarantee: Guarantee | None
  attacks: Sequence[Attack]
  notes: Sequence[str] = ()

  def rows(self) -> list[dict[str, Any]]:
    """Lines of audit.jsonl: the promise and the notes first, then an attack each."""
    promise = self.guarantee and self.guarantee.to_json()
    return [{'guarantee': promise, 'notes': list(self.notes)},
            *(attack.to_json() for attack in self.attacks)]


def doubts(comparison: Comparison, given: Provenance) -> list[str]:
  """Why the training set may not be what was learned from; nothing where it is."""
  train = comparison.train
  assert train is not None
  if given.learned is None or 'digest' not in given.learned:
    return ['Nothing beside the synthetic set says what it was learned from: that these are the '
            f'examples of {train.name} is taken as given.']
  if int(given.learned.get('size', len(train.values))) != len(train.values):
    return [f'The model learned from {given.learned["size"]:,} examples, and {train.name} has '
            f'{len(train.values):,}: the attacks may ask about the wrong ones.']
  names = tuple(given.learned.get('class_names') or ())
  same_order = names in ((), tuple(comparison.class_names))
  source = source_of(train, len(comparison.class_names) or None)
  if same_order and fingerprint.digest(source) != given.learned['digest']:
    return [f'{train.name} is not what the model learned from, by its digest: the attacks ask '
            'about the wrong examples.']
  return []

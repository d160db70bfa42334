"""What the scores of a table mean, and how good one is."""
from typing import Literal, NamedTuple

from jaxsynth.downstream.verdicts import Mean


class Meaning(NamedTuple):
  """What is to be known of a score.

  Attributes:
    text: what it is, in a sentence or two.
    better: which way.
    good: how far from what real rows get it may be.
    bad: from where on it is bad.
  """
  text: str
  better: Literal['higher', 'lower']
  good: float
  bad: float


MEANINGS = {
    'learned by boosting, AUC': Meaning(
        'A classifier (boosted trees) learns the label from these rows and is asked about real '
        'test rows: area under its ROC curve, 0.5 for guessing, 1 for all right.',
        'higher', .03, .1),
    'learned by logistic, AUC': Meaning(
        'The same of a logistic regression.', 'higher', .03, .1),
    'told apart by boosting': Meaning(
        'Boosted trees are shown train rows and these, and learn which is which: 1 if they cannot '
        'tell, 0 if they always can (C2ST: twice 1 - AUC). It sees what no other score sees.',
        'higher', .25, .5),
    'told apart by logistic': Meaning(
        'The same of a logistic regression, which sees single columns alone.', 'higher', .05, .25),
    'shape': Meaning(
        'How alike each column is distributed, by itself, mean of all columns; 1 is the same.',
        'higher', .01, .05),
    'trend': Meaning(
        'How alike each pair of columns is distributed, mean of all pairs; 1 is the same.',
        'higher', .01, .05),
    'trend of tied pairs': Meaning(
        'The same of those pairs of columns that have to do with each other in the real table.',
        'higher', .02, .1),
    'broken rules': Meaning(
        'Rows that break a rule that all train rows keep: a range, an order of two columns, a '
        'column that decides another, or one that was given.', 'lower', .01, .05),
    'new pairs': Meaning(
        'Rows with two values that never stand together in train, of columns with few values, '
        'where chance would have shown them.', 'lower', .01, .05),
    'nearer to train': Meaning(
        'Rows whose most similar real row is one that was learned from, rather than one of as many '
        'that were not: one half if nothing was learned by heart.', 'lower', .05, .1),
    'copies of train': Meaning('Rows that are train rows, value by value.', 'lower', .001, .01),
    'repeated': Meaning('Rows that are equal to an earlier row of the same table.',
                        'lower', .005, .05)}
COPYING = ('nearer to train', 'copies of train', 'repeated')
RULES = ('▲ good, ● fair, ▼ bad: by how far a score is from what real rows get in the place of the '
         'synthetic ones; to be above them is no better than to be like them.')


def mark(name: str, value: Mean, real: Mean) -> Literal['good', 'neutral', 'bad']:
  """How good a score is beside that of real rows.

  >>> mark('shape', Mean(.99, None, None), Mean(.995, None, None))
  'good'
  >>> mark('copies of train', Mean(.2, None, None), Mean(.001, None, None))
  'bad'
  """
  meaning = MEANINGS[name]
  worse = value.value - real.value if meaning.better == 'lower' else real.value - value.value
  return 'good' if worse <= meaning.good else 'bad' if worse > meaning.bad else 'neutral'

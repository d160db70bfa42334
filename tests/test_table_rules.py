"""Rules that rows keep: found in them, and written down."""
import numpy as np
import pytest

from jaxsynth.kinds.columns import Column
from jaxsynth.metrics.tables import expressions, rules

SCHEMA = (Column('low', 'number'), Column('high', 'number', missing=True),
          Column('town', 'category', ('A', 'B', 'C')),
          Column('land', 'category', ('X', 'Y'), missing=True), Column('free', 'integer'))


def table(n=600, seed=0):
  """Low is below high, the town says the land, and C is missing where there is no land."""
  rng = np.random.default_rng(seed)
  low, town = rng.uniform(0, 100, n), rng.integers(0, 3, n)
  land = np.array([0, 1, np.nan])[town]
  return np.stack([low, low + rng.uniform(0, 20, n), town, land, rng.integers(0, 5, n)], 1)


def test_rules_are_found_by_name():
  names = {rule.name: rule.kind for rule in rules.inferred(table(), SCHEMA)}
  assert names.pop('low <= high') == 'order'
  assert names.pop('town and land decide each other') == 'decides'
  assert set(names.values()) == {'range'} and len(names) == 3  # nothing of free


def test_one_way_and_pairs():
  rows = table()
  rows[:, 3] = np.where(rows[:, 2] == 0, 0, 1)  # B and C are in Y
  names = [r.name for r in rules.inferred(rows, SCHEMA) if r.kind == 'decides']
  assert names == ['town decides land']
  coin = np.random.default_rng(1).integers(0, 2, len(rows))
  rows[:, 3] = np.where(rows[:, 2] == 0, coin, 1)  # A is in both
  assert [r.name for r in rules.inferred(rows, SCHEMA) if r.kind == 'pairs'] == ['town with land']


def test_violations_are_counted():
  held = rules.inferred(table(), SCHEMA)
  made = table(seed=1)[:10]
  made[:, [0, 1, 4]] = [5., 9, 2]
  made[0, 0] = 9.5  # above high
  made[1, 1] = np.nan  # not known to break anything
  made[2, 3] = 1 - made[2, 3] if made[2, 2] < 2 else 0  # a town in another land
  made[3, 4] = 77
  counted = {v.rule.name: v.synthetic.hits for v in rules.violations(held, made, table(), SCHEMA)}
  assert counted['low <= high'] == 1 and counted['town and land decide each other'] == 1
  assert counted['free from 0 to 4'] == 1 and sum(counted.values()) == 3
  assert rules.any_broken(held, made, SCHEMA).hits == 3
  assert rules.any_broken([], made, SCHEMA).hits == 0


def test_no_rule_is_broken_by_the_rows_it_was_found_in():
  rows = table()
  for rule in rules.inferred(rows, SCHEMA):
    assert not rule.broken(rows).any(), rule.name


def test_what_chance_explains_is_no_rule():
  rng = np.random.default_rng(0)
  far = np.stack([rng.uniform(0, 1, 500), rng.uniform(9, 10, 500)], 1)
  schema = [Column('a', 'number'), Column('b', 'number')]
  assert [r.kind for r in rules.inferred(far, schema)] == ['range', 'range']  # a <= b says nothing
  near_unique = np.stack([np.arange(500.) % 60, rng.integers(0, 2, 500)], 1)
  assert not [r for r in rules.inferred(near_unique, schema) if r.kind == 'decides']


ROWS = np.array([[-1., 0, 0, 0, 1], [-1, 1, 1, 1, 2], [3, np.nan, 2, 1, 3], [5, 2, 2, 0, 4]])


@pytest.mark.parametrize('text,broken', [
    ('low <= high', [0, 0, 0, 1]),
    ('low + 1 <= high * 2 < 3', [0, 0, 0, 1]),
    ("town in ('A', 'B')", [0, 0, 1, 1]),
    ("town not in ['A']", [1, 0, 0, 0]),
    ("not town == 'A'", [1, 0, 0, 0]),
    ("town < 'B' and high == 0", [0, 1, 0, 1]),
    ("town != 'C' or free / 2 > 1.5", [0, 0, 1, 0]),
    ('`free` in (1, 2, 3)', [0, 0, 0, 1]),
    ('-low <= 0', [1, 1, 0, 0])])
def test_expressions(text, broken):
  rule = expressions.rule(text, SCHEMA)
  np.testing.assert_array_equal(rule.broken(ROWS), np.array(broken, bool))
  assert rule.name == text and rule.kind == 'given'


@pytest.mark.parametrize('text,message', [
    ('height < 1', "'height < 1': height, expected a column: low, high, town, land, free"),
    ('`my low` < 1', 'my low, expected a column'), ('low <', 'expected an expression like'),
    ('low', 'something that is true or false'), ('not low', 'something that is true or false'),
    ("town == 'D'", "'D', expected one of A, B, C"), ('town == 1', 'a text in quotes beside town'),
    ('town == land', 'a text in quotes beside town'), ("low == 'A'", 'texts beside a column of'),
    ("town in ('A', 1)", 'a text in quotes'), ('town + 1 > 2', 'a column of numbers'),
    ('low ** 2 > 1', 'a number'), ('low.real > 1', 'a number'), ('low is 1', '< <= > >='),
    ("__import__('os')", 'something that is true or false'), ('low in (high)', 'or in'),
    ("__import__('os').x > low", 'a number'), ('[low for x in y] > 1', 'a number')])
def test_bad_expressions_are_refused(text, message):
  with pytest.raises(ValueError, match=message.replace('(', r'\(')):
    expressions.rule(text, SCHEMA)

"""Protocol cards: what they keep, and what they refuse to compare."""
import json
import types

import jax
import numpy as np
import pytest

import jaxsynth
from jaxsynth.metrics import protocol
from jaxsynth.metrics.protocol import Protocol, ProtocolError, Scored

NET = types.SimpleNamespace(name='mnist', sha256='ab' * 32, resizer='none')


def card(**changes):
  return Protocol.of('frechet_mnist', NET, n_real=10_000, n_fake=5_000, split='mnist/test',
                     seed=3, settings={'k': 5})._replace(**changes)


def scored(value=3., error=.3, **changes):
  return Scored(value, .5, error, card(**changes))


def test_a_card_says_everything():
  found = card()
  assert found.dtype == 'float64' and found.seed == 3 and found.settings == {'k': 5}
  assert (found.features, found.sha256, found.resizer) == ('mnist', 'ab' * 32, 'none')
  assert found.versions == {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                            'numpy': np.__version__}
  assert found.platform.endswith(', cpu')


@pytest.mark.parametrize('field, value', [
    ('score', 'kid_mnist'), ('features', 'pixels'), ('sha256', 'cd' * 32), ('resizer', 'area'),
    ('n_real', 9), ('n_fake', 9), ('split', 'mnist/train'), ('dtype', 'float32'), ('seed', None),
    ('settings', {'k': 3})])
def test_what_matters_is_named_with_both_values(field, value):
  with pytest.raises(ProtocolError) as error:
    protocol.difference(scored(), scored(**{field: value}))
  assert f'{field}: {getattr(card(), field)!r} and {value!r}' in str(error.value)
  assert error.value.args[0].count(' and ') == 1  # no other field is blamed


def test_every_field_either_matters_or_is_loose():
  other = Protocol(*('other' for _ in Protocol._fields))
  assert set(protocol.differences(card(), other)) == set(Protocol._fields) - {
      'versions', 'platform'}
  assert set(protocol.differences(card(), other, strict=True)) == set(Protocol._fields)


def test_two_fields_are_both_named():
  with pytest.raises(ProtocolError, match="n_fake: 5000 and 9; split: 'mnist/test' and 'x'"):
    protocol.check_same(card(), card(n_fake=9, split='x'))


@pytest.mark.parametrize('changes', [{'versions': {'jax': '0'}}, {'platform': 'Linux, tpu'}])
def test_versions_and_platform_matter_only_strictly(changes):
  protocol.check_same(card(), card(**changes))
  with pytest.raises(ProtocolError, match=next(iter(changes))):
    protocol.check_same(card(), card(**changes), strict=True)


def test_differences_have_the_error_of_independent_scores():
  """sqrt(0.3^2 + 0.4^2) = 0.5."""
  gap, error = protocol.difference(scored(3., .3), scored(2.5, .4))
  assert gap == .5 and error == pytest.approx(.5)
  assert protocol.difference(scored(3., None), scored(2.5, .4)) == (.5, None)


@pytest.mark.parametrize('error', [None, .25, 0.])
def test_json_round_trip(error):
  one = scored(np.float32(1.5), error)
  assert Scored.from_json(one.to_json()) == one
  assert Protocol.from_json(one.protocol.to_json()) == one.protocol
  assert '\n' not in one.to_json()


@pytest.mark.parametrize('drop, add', [('seed', None), (None, 'extra')])
def test_other_json_is_refused(drop, add):
  row = json.loads(scored().to_json())
  if drop:
    del row['protocol'][drop]
  else:
    row['protocol'][add] = 1
  with pytest.raises(ValueError, match='not a Protocol'):
    Scored.from_json(json.dumps(row))
  with pytest.raises(ValueError, match='not a Scored: it has list'):
    Scored.from_json('[]')


def test_values_that_are_not_finite_are_refused():
  with pytest.raises(ValueError, match='value=nan: expected finite'):
    scored(np.nan).to_json()


@pytest.mark.parametrize('changes, message', [
    (dict(n_real=0), 'n_real=0: expected how many'), (dict(n_fake=2.5), 'n_fake=2.5'),
    (dict(split=''), "split=''"), (dict(settings={'f': len}), 'settings=.*expected names'),
    (dict(settings={'k': (1, 2)}), 'lists'), (dict(settings={'k': np.inf}), 'settings=')])
def test_cards_that_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    Protocol.of('kid', NET, **{**dict(n_real=1, n_fake=1, split='x'), **changes})


def test_a_score_is_never_printed_without_its_floor_and_sizes():
  assert str(scored()) == (
      'frechet_mnist 3 ± 0.3 (real against real 0.5; 10,000 real of mnist/test, '
      '5,000 synthetic, features abababab)')

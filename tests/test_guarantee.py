"""What is promised: kept, read back, refused where it cannot be, and put into words."""
import json
import math

import pytest

from jaxsynth.privacy import package
from jaxsynth.privacy.guarantee import Guarantee, ONE_EXAMPLE

PROMISE = Guarantee(
    epsilon=2.5, delta=1e-5, relation='add_or_remove_one', unit=ONE_EXAMPLE,
    mechanism='Each gradient is clipped, and noise added.', sampling='poisson',
    accountant='PLD of dp_accounting 0.6', noise_multiplier=1.1, clip_norm=1.,
    sampling_probability=.01, steps=1000, size=55000, released=('discriminator',),
    left_out=('Scores are not covered.',))


@pytest.mark.parametrize('epsilon', [2.5, math.inf])
def test_it_comes_back_from_a_file_as_it_was(epsilon):
  promise = PROMISE._replace(epsilon=epsilon)
  text = json.dumps(promise.to_json(), allow_nan=False)
  assert Guarantee.of_json(json.loads(text)) == promise


@pytest.mark.parametrize('change, message', [
    ({'epsilon': 0.}, 'epsilon=0.0: expected more than 0'),
    ({'epsilon': math.nan}, 'epsilon=nan: expected more than 0'),
    ({'delta': 1.}, 'delta=1.0: expected a probability'),
    ({'relation': 'neighbours'}, "relation='neighbours': expected add_or_remove_one, replace_one"),
    ({'clip_norm': 0.}, 'clip_norm=0.0: expected more than 0'),
    ({'noise_multiplier': -1.}, 'noise_multiplier=-1.0: expected at least 0'),
    ({'sampling_probability': 1.5}, 'sampling_probability=1.5: expected a probability'),
    ({'steps': -1}, 'steps=-1: expected at least 0'),
    ({'size': 0}, 'size=0: expected at least 1')])
def test_what_cannot_be_is_refused(change, message):
  with pytest.raises(ValueError, match=message):
    Guarantee.of_json({**PROMISE.to_json(), **change})


def test_names_must_be_all_of_them_and_no_others():
  values = PROMISE.to_json()
  del values['delta']
  with pytest.raises(ValueError, match=r"lacks \['delta'\] and has \['gamma'\] besides"):
    Guarantee.of_json({**values, 'gamma': 1})


@pytest.mark.parametrize('relation, words', [
    ('add_or_remove_one', 'with one example of the data set more or fewer'),
    ('replace_one', 'with one example of the data set replaced by another'),
    ('replace_special', 'with one example of the data set replaced by an empty one')])
def test_a_page_says_who_the_neighbours_are(relation, words):
  assert words in PROMISE._replace(relation=relation).sentence()
  assert '(2.5, 1e-05)' in PROMISE.sentence() and 'exp(2.5) = 12.2' in PROMISE.sentence()


def test_without_noise_nothing_is_promised():
  assert PROMISE._replace(epsilon=math.inf).sentence().startswith('Nothing is promised')
  assert 'chance' not in PROMISE._replace(delta=0.).sentence()


def test_a_missing_package_is_named_with_the_line_to_install():
  with pytest.raises(ImportError, match=r"jax_private: pip install 'jaxsynth\[privacy\]'"):
    package.load('jax_private.clipping')

"""The table of stages: what each reads, when it does not apply, and whose labels it draws."""
import pathlib

import pipeline_stages as stages
import pytest

ROOT = pathlib.Path(__file__).parent.parent


def options(**changed):
  data = {'dataset': 'mnist5k', 'split': 'train', **stages.DEFAULTS}
  return stages.Options('/o', data, {'validation_split': None, 'test_split': None}, 'x', 0,
                        None, ('--conditional',), 'synthetic', None, 'data', 1., False, '', None,
                        None, 'auto', {'steps': '5'})._replace(**changed)


def found(classes=(30, 10), validation='validation'):
  return {'dataset': 'mnist5k', 'names': list('ab'), 'sets': {
      'train': {'size': 40, 'classes': list(classes), 'sha256': 'y'}},
          'roles': {'train': 'train', 'validation': validation, 'test': 'test'}}


def table(o, f):
  return {stage.name: stage for stage in [stages.collect(o), *stages.after_collect(o, f)]}


def test_the_stages_are_the_articles_and_read_what_is_before_them():
  plan = table(options(filters='density', keep=.9), found())
  assert tuple(plan) == stages.NAMES
  for i, stage in enumerate(plan.values()):
    assert set(stage.reads) <= set(stages.NAMES[:i])
    for script, *_ in stage.commands:
      assert (ROOT / 'experiments' / script).exists()
  draw, score = plan['filter'].commands
  assert {'--filters=density', '--keep=0.9', '--name=synthetic_filtered', '--num=40',
          '--labels=30,10', '--validation_split=validation'} <= set(draw)
  assert '--synthetic=/o/data/synthetic_filtered/1.0.0' in score
  assert '--synthetic=/o/data/synthetic_filtered/1.0.0' in plan['downstream'].commands[0]
  assert '--steps=5' in plan['downstream'].commands[0]


def test_what_does_not_apply_and_what_cannot_be():
  plan = table(options(train=()), found())
  assert plan['filter'].why_not and 'labels' in plan['downstream'].why_not
  assert not [x for x in plan['synthesise'].commands[0] if x.startswith('--labels')]
  with pytest.raises(ValueError, match='--conditional, but mnist5k has no labels'):
    table(options(), found(classes=()))
  with pytest.raises(ValueError, match='name them by --validation_split'):
    table(options(require='recall>=.5'), found(validation=None))
  gated = table(options(require='recall>=.5'), found())
  assert '--require=recall>=.5' in gated['synthesise'].commands[0] and gated['synthesise'].gated
  both = table(options(require='recall>=.5', filters='density'), found())
  assert '--require=recall>=.5' not in both['synthesise'].commands[0]


def test_pseudo_labels_reach_both_sets_and_make_unconditional_models_useful():
  plan = table(options(train=(), pseudo_labels=True, temperature=1.5,
                       filters='classifier'), found())
  for stage in ('synthesise', 'filter'):
    assert {'--pseudo_labels', '--temperature=1.5', '--validation_split=validation'} <= set(
        plan[stage].commands[0])
    assert 'collect' in plan[stage].reads
  assert not plan['downstream'].why_not
  for changed, f, message in (
      ({}, found(classes=()), '--pseudo_labels, but mnist5k has no labels'),
      ({}, found(validation=None), 'name them by --validation_split'),
      ({'train': ('--conditional',), 'filters': 'copies,classifier'}, found(), 'leave one')):
    with pytest.raises(ValueError, match=message):
      table(options(**{'train': (), 'pseudo_labels': True, **changed}), f)


@pytest.mark.parametrize('counts, num', [([1214, 3494], 5000), ([1, 1, 1], 100), ([0, 7], 3)])
def test_proportions_add_up_and_are_nearest(counts, num):
  got = stages.proportions(counts, num)
  assert sum(got) == num
  assert all(abs(n - num * c / sum(counts)) < 1 for n, c in zip(got, counts))

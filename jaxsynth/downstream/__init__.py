"""Whether synthetic data is worth training on: classifiers of real, synthetic and mixed sets.

    from jaxsynth import downstream
    result = downstream.study(real_train, real_test, synthetic, sizes=[1000, 'all'])
    for row in result['settings']:
      print(row['name'], row['accuracy']['value'])
"""
from jaxsynth.downstream.accuracy import outcomes
from jaxsynth.downstream.settings import grid, Setting
from jaxsynth.downstream.studies import study
from jaxsynth.downstream.train import Classifiers, Recipe, trained
from jaxsynth.downstream.verdicts import Mean

__all__ = ('Classifiers', 'Mean', 'Recipe', 'Setting', 'grid', 'outcomes', 'study', 'trained')

r"""Says whether synthetic data is worth training on.

    python experiments/downstream.py --real=mnist --data_dir=$TFDS \
        --synthetic=/tmp/data/mnist_synth --report=/tmp/downstream

Trains the same classifier the same way on real examples (--sizes of them), on synthetic
ones alone, on both mixed (--parts synthetic ones for a real one) and on real ones with
classical augmentation, several seeds each, and tests all on the same real images; those
of the largest real set are also tested on the synthetic images. Into --report go
downstream.json and report.html; `evaluate.py --downstream=FOLDER` shows the same section.

The number of steps is the same for all, so no setting gains by being trained for longer.
What is finished stays: the same command goes on where it was stopped.
"""
import functools
import json
import pathlib
import sys
from typing import Any

from absl import flags

from common import comparison_flags, program, seeds
from jaxsynth import downstream, files, report
from jaxsynth.data.examples import Examples, read_split
from jaxsynth.keys import SEEDS
from jaxsynth.pages import downstream as downstream_page

NAMES = ('num', 'seeds', 'seed', 'steps', 'batch_size', 'learning_rate')


def define_flags(values: flags.FlagValues) -> None:
  """What is compared, the settings, and how all of them are trained."""
  comparison_flags.define(values)
  number = functools.partial(flags.DEFINE_integer, flag_values=values)
  many = functools.partial(flags.DEFINE_list, flag_values=values)
  number('num', 60000, 'Synthetic examples, at most; a run draws as many as it has not.',
         lower_bound=100)
  many('sizes', '100,1000,10000,all', 'Real examples.')
  many('parts', '0.1,0.5,1,5', 'Synthetic examples for each real one, in mixtures.')
  number('seeds', 3, 'Trainings of each setting.', lower_bound=1)
  seeds.define(values, 'The first of the seeds.')
  number('steps', 1720, 'Of each training; 1,720 are four passes over 55,000.', lower_bound=1)
  number('batch_size', 128, 'Examples a step.', lower_bound=2)
  flags.DEFINE_float('learning_rate', 5e-3, "Adam's at first; it falls to 0.", lower_bound=1e-9,
                     flag_values=values)
  flags.register_multi_flags_validator(
      ['seed', 'seeds'], lambda f: f['seed'] + f['seeds'] <= SEEDS,
      f'--seed plus --seeds must not pass 2^63, {SEEDS}', flag_values=values)
  flags.register_validator('sizes', lambda sizes: bool(sizes) and all(
      n == 'all' or n.isdigit() and int(n) > 0 for n in sizes), 'expected numbers, or all',
      flag_values=values)
  flags.register_validator('parts', _are_positive, 'expected positive numbers, as 0.1,0.5,1,5',
                           flag_values=values)


def _are_positive(parts: list[str]) -> bool:
  try:
    return all(0 < float(part) < 1e6 for part in parts)
  except ValueError:
    return False


def main() -> None:
  values = flags.FLAGS
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  with files.lock(folder):
    train, test, synthetic, classes, about = read(values)
    config = {**comparison_flags.given(values), **{name: values[name].value for name in NAMES},
              'validation_split': ''}
    result = downstream.study(
        train, test, synthetic, classes=classes, sizes=values.sizes,
        parts=[float(part) for part in values.parts],
        seeds=range(values.seed, values.seed + values.seeds),
        recipe=downstream.Recipe(values.steps, values.batch_size, values.learning_rate),
        folder=folder, about={'flags': config, 'synthetic': about},
        log=functools.partial(print, file=sys.stderr))
    with files.write_aside(folder / 'downstream.json') as f:
      f.write(json.dumps(result, indent=1, allow_nan=False).encode() + b'\n')
    report.write(folder / 'report.html', downstream_page.page(result))
  print(downstream_page.table(result))
  program.done(f'{folder}/report.html')


def read(values: flags.FlagValues
         ) -> tuple[Examples, Examples, Examples, list[str], dict[str, Any]]:
  """Real training and test set, the synthetic set, the classes, where it is from.

  Raises:
    ValueError, OSError, ImportError: something is missing, or does not fit.
  """
  synthetic, num_classes, about = comparison_flags.synthetic(values)
  spec, roles = comparison_flags.spec(values), comparison_flags.roles(values, validation='')
  test, classes = read_split(spec, roles.test)
  if roles.train is None:
    raise ValueError(f'{spec.dataset}: no split to learn from beside {roles.test}; name one '
                     'with --train_split, and the one to test on with --real_split')
  train, _ = read_split(spec, roles.train)
  if synthetic.labels is not None and classes and num_classes != len(classes):
    raise ValueError(f'{synthetic.name}: {num_classes} classes, but {test.name} has '
                     f'{len(classes)}')
  return train, test, synthetic, classes, about


if __name__ == '__main__':
  program.run(main, define_flags)

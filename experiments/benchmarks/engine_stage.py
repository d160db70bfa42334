r"""A stage of `engines.py` that is no training, in a process of its own.

    python engine_stage.py --stage=draw --run=RUN --sampling=--solver=euler --images=IMAGES \
        --result=JSON
    python engine_stage.py --stage=score --images=IMAGES --scores=SCORES --result=JSON
    python engine_stage.py --stage=real --result=JSON

`draw` times the drawing of --num images, `score` holds them against real ones and trains the
classifiers of TSTR on them, and `real` trains those of TRTR on as many real images.
"""
import json
import pathlib
import sys
import time
from typing import Any

from absl import flags
import jax
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import dataset_flags, experiments, paths, program, sampling_flags, seeds
import engine_parameters
from jaxsynth import downstream, evaluation, files
from jaxsynth.data import roles as data_roles
from jaxsynth.data.examples import aligned, Examples, read_real_split
from jaxsynth.data.origin import MARK
from jaxsynth.data.spec import are_digits
from jaxsynth.downstream.settings import training_set
from jaxsynth.downstream.verdicts import mean
from jaxsynth.metrics import features


def define_flags(values: flags.FlagValues) -> None:
  """What is done, with what, and where it is written."""
  define_protocol(values)
  flags.DEFINE_enum('stage', None, ['draw', 'score', 'real'], 'What is done.', required=True,
                    flag_values=values)
  for name, what in (('run', 'Folder of the training.'), ('images', 'The .npz of what was drawn.'),
                     ('scores', 'What evaluate.py writes.'), ('result', 'The numbers.')):
    paths.define(name, None, what, values)
  flags.DEFINE_multi_string('sampling', [], 'A flag of sampling.', flag_values=values)


def define_protocol(values: flags.FlagValues) -> None:
  """The flags that `engines.py` shares."""
  dataset_flags.define(values)
  values.set_default('split', None)
  values['split'].help = 'What is learned from; by default train, of MNIST train[:55000].'
  number = flags.DEFINE_integer
  number('num', 10000, 'Images drawn of each engine.', lower_bound=100, flag_values=values)
  number('classifier_steps', downstream.Recipe().steps, 'Of each training of a classifier.',
         lower_bound=1, flag_values=values)
  number('classifier_seeds', 3, 'Classifiers of each engine.', lower_bound=1, flag_values=values)
  seeds.define(values, 'Of everything random.')


def draw(values: flags.FlagValues) -> dict[str, Any]:
  """Draws images and keeps them; seconds are of the drawing alone, once it is compiled."""
  sampling = sampling_flags.of_arguments(sampling_flags.of_run(values.run), values.sampling)
  model = experiments.load(values.run, sampling=sampling)
  stream = model.streamer(values.seed)
  start = time.perf_counter()
  list(stream(0, 1))  # a whole block is computed
  compiled = time.perf_counter()
  pieces = list(stream(0, values.num))
  seconds = time.perf_counter() - compiled
  arrays = {'images': np.concatenate([piece.images for piece in pieces]), MARK: np.array(True)}
  if model.run.num_classes is not None:
    arrays['labels'] = np.concatenate([np.asarray(piece.labels) for piece in pieces])
    arrays['class_names'] = np.array(model.class_names)
  files.remove_torn(values.images)
  with files.write_aside(values.images) as f:
    np.savez_compressed(f, **arrays)  # type: ignore[arg-type]
  return {'seconds': seconds, 'images_per_s': values.num / seconds,
          'first_block_seconds': compiled - start, 'conditional': model.run.num_classes is not None,
          'parameters': engine_parameters.drawn_with(model), 'summary': model.run.summary,
          'model': model.digest, 'versions': model.record['versions'],
          'devices': [device.device_kind for device in jax.devices()]}


def score(values: flags.FlagValues) -> dict[str, Any]:
  """What evaluate.py says of the images, and TSTR where they have labels."""
  spec = dataset_flags.spec(values)
  digits = are_digits(spec)
  synthetic = evaluation.read_synthetic(values.images, spec)
  comparison = evaluation.read_comparison(synthetic, spec, roles(values), values.seed)
  net = features.by_name('auto', comparison.real.images.shape[1:], digits)
  outcome = evaluation.evaluate(comparison, net, digits)
  given = {**dataset_flags.given(values), 'seed': values.seed}
  record = evaluation.record(comparison, outcome, given)
  with files.write_aside(values.scores) as f:
    f.write(json.dumps(record, indent=1, allow_nan=False).encode() + b'\n')
  numbers = {name: {key: x[key] for key in ('value', 'floor', 'standard_error')}
             for name, x in record['scores'].items()}
  result: dict[str, Any] = {'scores': numbers, 'features': record['features'],
                            'not_applicable': record['not_applicable']}
  if synthetic.examples.labels is not None:
    (learned, test), names = aligned(synthetic.examples, comparison.real,
                                     names=comparison.class_names)
    result['tstr'] = accuracy(values, learned, test, list(names))
  return result


def real(values: flags.FlagValues) -> dict[str, Any]:
  """TRTR of as many real images, or as many as there are."""
  spec, chosen = dataset_flags.spec(values), roles(values)
  train, test = (read_real_split(spec, split) for split in (chosen.train, chosen.test))
  if train.labels is None:
    return {}
  (train, test), names = aligned(train, test)
  return {'trtr': accuracy(values, train, test, list(names))}


def accuracy(values: flags.FlagValues, learned: Examples, test: Examples, names: list[str]
             ) -> dict[str, Any]:
  """As downstream.py measures it: of classifiers that learn from the examples alone."""
  n, recipe = min(values.num, len(learned.images)), downstream.Recipe(values.classifier_steps)
  every = range(values.seed, values.seed + values.classifier_seeds)
  nothing = Examples('nothing', learned.images[:0], np.zeros(0, np.int32))
  setting = downstream.Setting(n)
  sources = [training_set(setting, learned, nothing, names, seed) for seed in every]
  classifiers = downstream.trained(sources, every, recipe)
  assert test.labels is not None
  right = [downstream.outcomes(test.labels, x.probabilities)['accuracy']
           for x in classifiers.predict(test.images)]
  return {**mean(right)._asdict(), 'seeds': right, 'learned_from': n}  # type: ignore[arg-type]


def roles(values: flags.FlagValues) -> data_roles.Roles:
  """Of the data's splits, as evaluate.py has them.

  Raises:
    ValueError: data without a split to learn from and one to test on.
  """
  chosen = data_roles.roles(dataset_flags.spec(values), train=values['split'].value)
  if chosen.train is None or chosen.test is None:
    dataset = values['dataset'].value
    raise ValueError(f'--dataset={dataset}: expected data with a split to learn from and another '
                     'to test on, as mnist or mnist5k')
  return chosen


def main() -> None:
  values = flags.FLAGS
  result = {'draw': draw, 'score': score, 'real': real}[values.stage](values)
  with files.write_aside(values.result) as f:
    f.write(json.dumps(result, allow_nan=False).encode())


if __name__ == '__main__':
  program.run(main, define_flags)

r"""Counts the modes of Stacked MNIST that a GAN reaches as it learns, of several seeds.

    python experiments/stacked_mnist.py --experiment=mnist_dcgan \
        --train_flags=experiments/flags/stacked_relativistic.flags --data_dir=$TFDS \
        --out=/tmp/stacked

Images of three random digits are written to OUT/train.npz and OUT/test.npz. A run a seed, in
OUT/seed_K, learns from the first, with a checkpoint kept at each --keep_every of its flags. Of
each of them --samples images are drawn, and the shipped network says which of the 1,000 modes they
are of. Into OUT/modes.json go, for each seed, modes and the reverse KL divergence against images
seen, beside the floor: what as many images of the test digits score. The same command goes on
where it was stopped.
"""
from collections.abc import Mapping
import json
import pathlib
import statistics
import sys
from typing import Any

from absl import flags
import numpy as np

from common import dataset_flags, experiments, paths, program, seeds
from jaxsynth import data, files, runs
from jaxsynth.data import npz_file
from jaxsynth.data.stacked import stacked
from jaxsynth.metrics import modes
from jaxsynth.metrics.stacked_digits import modes_of
from stages import run as runner

FLAGS = flags.FLAGS
NAME = 'modes.json'


def define_flags(values: flags.FlagValues) -> None:
  """The digits, the training and its seeds."""
  dataset_flags.define(values)
  values.set_default('dataset', 'mnist')
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  paths.define('out', None, 'Folder of all outputs; made if missing.', values, required=True)
  flags.DEFINE_string('experiment', experiments.FIRST, 'The program of experiments/ that trains, '
                      'without .py.', flag_values=values)
  paths.define('train_flags', None, 'Flagfile of the training.', values, required=True)
  paths.define('test_split', 'test', 'Digits of the floor.', values)
  seeds.define(values, 'Of the first training.')
  flags.DEFINE_integer('num_seeds', 1, 'Trainings, of --seed and those after it.', **at_least(1))
  flags.DEFINE_integer('num', 128000, 'Images that are learned from.', **at_least(1000))
  flags.DEFINE_integer('samples', 26000, 'Images of which the modes are counted.', **at_least(1000))


def prepared(path: pathlib.Path, spec: data.DatasetSpec, num: int, seed: int) -> np.ndarray:
  """Writes the stacked digits of a split, once; the share of each mode, `[1000]`."""
  digits = data.open_dataset(spec)
  if digits.image_shape != (28, 28, 1) or digits.num_classes != 10:
    raise ValueError(f'--dataset={spec.dataset}: images {digits.image_shape}, '
                     f'{digits.num_classes} classes; expected the digits of MNIST')
  every = digits.take(np.arange(digits.size))
  if not path.exists():
    images, _ = stacked(every['image'], every['label'], num, seed)
    with files.write_aside(path) as f:
      np.savez_compressed(f, images=images)
  share = np.bincount(every['label'], minlength=10) / digits.size
  return np.einsum('a,b,c->abc', share, share, share).ravel()


def trained(out: pathlib.Path, seed: int) -> pathlib.Path:
  """The folder of a seed's run, trained to its end."""
  folder = out / f'seed_{seed}'
  folder.mkdir(exist_ok=True)
  runner.say(folder.name, 'train ...')
  code = runner.call([sys.executable, str(experiments.HERE / f'{FLAGS.experiment}.py'),
                      f'--flagfile={FLAGS.train_flags}', f'--dataset={out}/train.npz',
                      '--split=train', f'--seed={seed}', f'--workdir={folder}/run'],
                     folder / 'train.log')
  if code:
    raise SystemExit(f'{folder}: the training ended with code {code}; its log is '
                     f'{folder}/train.log, and the same command goes on')
  return folder / 'run'


def settings() -> dict[str, Any]:
  """All that the numbers depend on, besides the seeds."""
  return {'experiment': FLAGS.experiment, 'train_flags': pathlib.Path(FLAGS.train_flags).name,
          'samples': FLAGS.samples, 'num': FLAGS.num, 'dataset': dataset_flags.spec(FLAGS).title,
          'split': FLAGS.split, 'test_split': FLAGS.test_split}


def known(path: pathlib.Path) -> dict[int, dict[str, Any]]:
  """What there is of each seed.

  Raises:
    ValueError: it is of other settings.
  """
  if not path.exists():
    return {}
  before = json.loads(path.read_text(encoding='utf-8'))
  if changed := {name: (before.get(name), x) for name, x in settings().items()
                 if before.get(name) != x}:
    raise ValueError(f'{path} is of other settings (before, now): {changed}; name another --out')
  return {x['seed']: x for x in before['seeds']}


def counted(images: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
  """Modes and divergence of images, against the modes of what was learned from."""
  reached = modes.modes(modes_of(images), shares=shares)
  return {'modes': reached.reached, 'reverse_kl': reached.reverse_kl}


def curve(run: pathlib.Path, shares: np.ndarray, before: Mapping[int, Any]
          ) -> list[dict[str, Any]]:
  """A line for each checkpoint; those that are known are not drawn again."""
  config = experiments.config_of(runs.record.read_record(run))
  lines = []
  for step in sorted(int(x.name) for x in (run / 'checkpoints').glob('*') if x.name.isdigit()):
    if step in before:
      lines.append(before[step])
      continue
    model = experiments.load(run, step)
    pieces = model.streamer(config['seed'])(0, FLAGS.samples)
    images = np.concatenate([piece.images for piece in pieces])
    seen = step * config['batch_size'] * model.run.phases
    lines.append({'step': step, 'images_seen': seen, **counted(images, shares)})
    print(f'{run.parent.name}: step {step}: {lines[-1]["modes"]} modes, reverse KL '
          f'{lines[-1]["reverse_kl"]:.3f}', flush=True)
  return lines


def main() -> None:
  out, spec = pathlib.Path(FLAGS.out), dataset_flags.spec(FLAGS)
  experiments.program(FLAGS.experiment)  # refused before any work
  out.mkdir(parents=True, exist_ok=True)
  with files.lock(out):
    path = out / NAME
    of_seeds = known(path)  # refused before any work
    shares = prepared(out / 'train.npz', spec, FLAGS.num, 0)
    prepared(out / 'test.npz', spec.of_split(FLAGS.test_split), FLAGS.samples, 1)
    floor = counted(npz_file.read(out / 'test.npz').images, shares)
    for seed in range(FLAGS.seed, FLAGS.seed + FLAGS.num_seeds):
      before = {x['step']: x for x in of_seeds.get(seed, {}).get('curve', ())}
      lines = curve(trained(out, seed), shares, before)
      of_seeds[seed] = {'seed': seed, **lines[-1], 'curve': lines}
      mean = {name: statistics.mean(x[name] for x in of_seeds.values())
              for name in ('modes', 'reverse_kl')}
      with files.write_aside(path) as f:
        f.write(json.dumps({**settings(), 'floor': floor, 'mean': mean, 'seeds': [
            of_seeds[k] for k in sorted(of_seeds)]}, indent=1).encode() + b'\n')
  print(f'{mean["modes"]:.1f} of 1,000 modes, reverse KL {mean["reverse_kl"]:.4f} (floor '
        f'{floor["modes"]}, {floor["reverse_kl"]:.4f})')
  program.done(path)


if __name__ == '__main__':
  program.run(main, define_flags)

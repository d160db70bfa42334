"""What privacy costs a step: seconds and memory, by microbatch, against the same step without.

    python experiments/benchmarks/private_step.py --family=mnist_dcgan --flagfile_of_run=\
        experiments/flags/private_dcgan.flags

Each setting runs in a process of its own, so that memory is its own. A private batch has as many
examples, with rows for what Poisson sampling draws at most. Prints a table, and last one JSON
line a row.
"""
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

from absl import app, flags
from common import experiments, privacy_flags
import jax
import numpy as np

from jaxsynth import data, parallel, runs
from jaxsynth.data.kinded import kind_of
from jaxsynth.runs import private

FAMILY = flags.DEFINE_string('family', 'mnist_dcgan', 'Program whose step it is.')
OF_RUN = flags.DEFINE_string('flagfile_of_run', None, 'Its flags; those of the data are mnist5k.')
BATCH_SIZE = flags.DEFINE_integer('of_batch', 256, 'Examples a step, on average.', lower_bound=1)
MICROBATCHES = flags.DEFINE_list('microbatches', '1,8,16,32,64,128,0', 'Examples at once; 0: all.')
STEPS = flags.DEFINE_integer('timed', 5, 'Timed steps of each.', lower_bound=1)
ONE = flags.DEFINE_string('setting', None, 'A microbatch, or plain: that alone, in this process.')


def config_of(setting: str) -> dict:
  """The flags of a run with a microbatch, or without privacy."""
  values = flags.FlagValues()
  define = experiments.program(FAMILY.value).define_flags
  define(values)
  given = [f'--flagfile={OF_RUN.value}'] if OF_RUN.value else []
  values([FAMILY.value, '--workdir=-', *given, '--dataset=mnist5k', '--split=train',
          '--eval_every=0', '--steps=100', f'--batch_size={BATCH_SIZE.value}', '--epsilon=10',
          '--noise_multiplier=0', f'--microbatch={0 if setting == "plain" else setting}'])
  config = experiments.recorded(define, values)
  return config | ({'epsilon': None} if setting == 'plain' else {})


def measure(setting: str) -> dict:
  """Seconds of a step, and the most memory."""
  config = config_of(setting)
  source, settings = data.open_dataset(data.DatasetSpec.of(config)), runs.Settings.of(config)
  kind = kind_of(source)
  run = experiments.program(FAMILY.value).build(config, runs.About(
      kind.shape, source.num_classes, None, source.name, kind))
  run = privacy_flags.applied(run, config, settings, source)
  batch_at = private.batches_of(run, source, settings, 0, 0, 1)
  algorithm = run.algorithm()
  state = jax.jit(algorithm.init)(jax.random.key(0), kind.in_model(source.take(np.arange(8))))
  step = parallel.compiled(algorithm.step, 'jit', jax.devices()[:1], phases=run.phases)
  seconds = []
  for k in range(STEPS.value + 2):
    batch = jax.block_until_ready(kind.in_model(jax.tree.map(step.put_batch, dict(batch_at(k)))))
    began = time.perf_counter()
    state, _ = jax.block_until_ready(step.step(state, batch, jax.random.key(1)))
    seconds.append(time.perf_counter() - began)
  timed = seconds[2:]
  return {'setting': setting, 'phases': run.phases, 'median_s': statistics.median(timed),
          'min_s': min(timed), 'max_s': max(timed), 'first_s': seconds[0],
          'rows': run.privacy.budget.rows if run.privacy else settings.batch_size,
          'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_process(setting: str) -> dict:
  """`measure`, in a process of its own."""
  done = subprocess.run([sys.executable, str(HERE), *sys.argv[1:], f'--setting={setting}'],
                        check=True, text=True, stdout=subprocess.PIPE)
  return json.loads(done.stdout.splitlines()[-1])


def main(argv: list[str]) -> None:
  del argv
  if ONE.value:
    print(json.dumps(measure(ONE.value)))
    return
  rows: list[dict] = []
  print(f'{"microbatch":>11}{"rows":>6}{"median s":>10}{"min":>8}{"max":>8}{"of plain":>10}'
        f'{"MB":>7}')
  for setting in ('plain', *MICROBATCHES.value):
    row = in_process(setting)
    rows.append(row)
    print(f'{setting:>11}{row["rows"]:6}{row["median_s"]:10.3f}{row["min_s"]:8.3f}'
          f'{row["max_s"]:8.3f}{row["median_s"] / rows[0]["median_s"]:10.1f}{row["peak_mb"]:7.0f}',
          flush=True)
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)

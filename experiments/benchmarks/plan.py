"""Planning numbers of every training that is shipped: what a step costs, and what that predicts.

    python experiments/benchmarks/plan.py --out=/tmp/plan

Counts of the step as a TPU is given it; what eight devices send, read in the program compiled
for eight virtual ones; images/s on chips by their vendors' peaks, which are predictions and
no measurements; and the same arithmetic with this machine's own rates, measured in the same
run, against the step's measured time. Prints tables and last one JSON line a training, and
writes both to --out, as plan.md and plan.json.
"""
from collections.abc import Sequence
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from absl import flags
import jax

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import chips
from common import paths, program
import cost
from jaxsynth.files import write_aside
import planned
import settings as settings_
import this_machine

FLAGS = flags.FLAGS
COLLECTIVES = pathlib.Path(__file__).with_name('collectives.py')


def define_flags(values: flags.FlagValues) -> None:
  """Which trainings, and what is assumed."""
  flags.DEFINE_list('models', 'all', 'Programs, flagfiles without .flags, or classifier.',
                    flag_values=values)
  flags.DEFINE_list('batch_sizes', 'own,1024', 'Images a step and a device; own is what the '
                    'training has.', flag_values=values)
  flags.DEFINE_enum('dtype', 'bfloat16', ['float32', 'bfloat16'], 'Of the predictions.',
                    flag_values=values)
  flags.DEFINE_integer('devices', 8, 'That share a step; 1 leaves out what they send.',
                       lower_bound=1, flag_values=values)
  flags.DEFINE_integer('steps', 5, 'Timed steps of each of --checked.', lower_bound=1,
                       flag_values=values)
  flags.DEFINE_list('checked', 'quickstart,mnist_vae,classifier', 'Trainings whose steps are '
                    'timed on this machine; none where it is empty.', flag_values=values)
  for name, what in (('utilisation', "Of a chip's peak, in products."),
                     ('memory', "Of a chip's bandwidth."), ('link', "Of its links' rate.")):
    flags.DEFINE_float(name, getattr(chips.Assumed(), name), f'{what} An assumption.',
                       lower_bound=1e-3, upper_bound=1, flag_values=values)
  flags.DEFINE_float('launch', chips.Assumed().launch * 1e6, 'Microseconds that each program of '
                     'a device takes at the least. An assumption.', lower_bound=0,
                     flag_values=values)
  paths.define('out', None, 'Folder of plan.md and plan.json; none is written without.', values)


def assumed() -> chips.Assumed:
  """What the flags say that no vendor does."""
  return chips.Assumed(FLAGS.utilisation, FLAGS.memory, FLAGS.link, FLAGS.launch / 1e6)


def chosen() -> list[settings_.Setting]:
  """The trainings that --models names."""
  shipped, unknown = settings_.shipped()
  for name in unknown:
    print(f'left out: {name}, as the shape of its data is not known here', file=sys.stderr)
  names = [setting.name for setting in shipped]
  asked = names if FLAGS.models == ['all'] else FLAGS.models
  for flag, given in (('models', asked), ('checked', FLAGS.checked)):
    if wrong := sorted(set(filter(None, given)) - set(names)):
      raise ValueError(f'--{flag}: {wrong}, expected some of {names}')
  return [setting for setting in shipped if setting.name in asked]


def sizes(setting: settings_.Setting) -> list[int]:
  """Batch sizes, the training's own first where it is asked for."""
  try:
    every = [setting.config['batch_size'] if x == 'own' else int(x) for x in FLAGS.batch_sizes]
  except ValueError as error:
    raise ValueError(f'--batch_sizes: {error}; expected own, or integers') from error
  return list(dict.fromkeys(every))


def counted(setting: settings_.Setting, batch_size: int, dtype: str) -> cost.Cost:
  """Of a step on one device."""
  algorithm, shapes = settings_.step_of(setting, batch_size, dtype)
  return cost.of_step(algorithm.step, shapes)


def distinct(every: Sequence[settings_.Setting]) -> list[settings_.Setting]:
  """One of each step: a flagfile that changes steps alone is named with the one it equals."""
  kept: dict[Any, settings_.Setting] = {}
  for setting in every:
    key = counted(setting, sizes(setting)[0], FLAGS.dtype)
    if key in kept:
      kept[key] = kept[key]._replace(name=f'{kept[key].name}, {setting.name}')
    else:
      kept[key] = setting
  return list(kept.values())


def sent(every: Sequence[settings_.Setting], devices: int) -> list[dict[str, Any]]:
  """What devices send, in each setting; an empty row where there is one device."""
  if devices == 1:
    return [{} for _ in every]
  with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / 'settings.json'
    file.write_text(json.dumps(every), encoding='utf-8')
    done = subprocess.run([sys.executable, str(COLLECTIVES), f'--settings={file}',
                           f'--devices={devices}'], check=False, capture_output=True, text=True)
  if done.returncode:
    raise RuntimeError(f'{COLLECTIVES.name} ended with {done.returncode}: {done.stderr[-2000:]}')
  return [json.loads(line) for line in done.stdout.splitlines()]


def row_of(setting: settings_.Setting, collectives: dict[str, Any]) -> dict[str, Any]:
  """All numbers of a training."""
  algorithm, (state, _, _) = shapes = settings_.step_of(setting)
  costs = {size: counted(setting, size, FLAGS.dtype) for size in sizes(setting)}
  first = sizes(setting)[0]
  held = {name: planned.bytes_of(getattr(state, name)) for name in ('params', 'opt_state', 'ema')}
  return {'name': setting.name, 'program': setting.program, 'dtype': FLAGS.dtype,
          'memory': {**held, 'temporaries_on_cpu': this_machine.temporaries(algorithm, shapes[1]),
                     'batch_size': setting.config['batch_size']},
          'collectives': {how: collectives.get(how) for how in ('sharded', 'fsdp')},
          'batches': [planned.batch(size, each, collectives, assumed())
                      for size, each in costs.items()],
          'ridge': planned.ridges(first, costs[first], 2 * first,
                                  counted(setting, 2 * first, FLAGS.dtype))}


def checked(setting: settings_.Setting, rates: this_machine.Rates) -> dict[str, Any]:
  """A step on this machine: its time by the same arithmetic, and as measured."""
  algorithm, shapes = settings_.step_of(setting, dtype='float32')
  each = cost.of_step(algorithm.step, shapes)
  seconds = this_machine.step_seconds(algorithm, shapes, FLAGS.steps)
  return planned.compared(setting.name, each, rates, seconds)


def main() -> None:
  every = distinct(chosen())
  by_name = {name: setting for setting in every for name in setting.name.split(', ')}
  rows = [row_of(setting, collectives)
          for setting, collectives in zip(every, sent(every, FLAGS.devices), strict=True)]
  text = planned.tables(rows, FLAGS.devices, assumed())
  print(text)
  checks: dict[str, Any] = {}
  if names := [name for name in FLAGS.checked if name in by_name]:
    before = this_machine.rates()
    each = [checked(by_name[name], before) for name in names]
    checks = {'before': before._asdict(), 'after': this_machine.rates()._asdict(), 'steps': each}
    more = planned.check_table(checks)
    print(more)
    text += more
  for row in rows:
    print(json.dumps(row))
  if FLAGS.out:
    folder = pathlib.Path(FLAGS.out).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    about = {'jax': jax.__version__, 'assumed': assumed()._asdict(),
             'chips': [chip._asdict() for chip in chips.CHIPS]}
    document = json.dumps({**about, 'trainings': rows, 'checked': checks}, indent=1)
    for name, content in (('plan.md', text), ('plan.json', document + '\n')):
      with write_aside(folder / name) as file:
        file.write(content.encode())


if __name__ == '__main__':
  program.run(main, define_flags)

r"""Compares the generative engines: trained as long on one machine, drawn from, scored.

    python experiments/benchmarks/engines.py --dataset=mnist --data_dir=$TFDS --minutes=15 \
        --out=/tmp/engines

On an otherwise idle machine. Each engine of engine_list.py, or those that --only names, is
trained for --minutes of wall-clock time: a short run of it first says how long a step takes, and
--steps, over which schedules end, is how many fit. Compiling, the last picture and the minutes of
its teacher, if it has one, do not count.
Then --num images are drawn, timed once compiled, held against the test split as evaluate.py does,
and classifiers learn from them as downstream.py's do. One process runs at a time, each its own,
and what the largest resident size of it was is told.

Into --out go a folder an engine and engines.json, with all numbers. Prints a table, then a JSON
line an engine. The same command goes on where it was stopped, and does nothing twice. What
another machine or other code has left there is refused. experiments/figures/engines.py draws the
picture.
"""
from collections.abc import Callable, Mapping, Sequence
import hashlib
import json
import pathlib
import sys
from typing import Any

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import dataset_flags, paths, program
import engine_list
from engine_list import Engine
import engine_rate
import engine_stage
import engine_table
from jaxsynth import files
from stages import record, run as runner
import stored_stage

HERE = pathlib.Path(__file__).resolve().parent
ENGINES = engine_list.ENGINES
# of every training, whatever its flagfile says
PLAIN = ('--eval_every=0', '--sample_every=0', '--num_synthetic=0', '--notensorboard',
         f'--log_every={engine_rate.EVERY}')
PROTOCOL = ('num', 'classifier_steps', 'classifier_seeds', 'seed')


def define_flags(values: flags.FlagValues) -> None:
  """What is compared, on which data, and for how long each engine is trained."""
  engine_stage.define_protocol(values)
  values.set_default('dataset', 'mnist')
  paths.define('out', None, 'Folder of all outputs; made if missing.', values, required=True)
  flags.DEFINE_list('only', None, f'Some of {",".join(x.name for x in ENGINES)}; by default all.',
                    flag_values=values)
  flags.DEFINE_float('minutes', 15., 'Of each training.', lower_bound=1e-4, flag_values=values)
  flags.DEFINE_float('calibration', 60., 'Seconds over which the time of a step is measured, at '
                     'least.', lower_bound=0, flag_values=values)


def data_flags(*, train: bool) -> list[str]:
  """The data set as arguments of a training, or of another stage."""
  given = dataset_flags.given(flags.FLAGS)
  if train:
    given['split'] = engine_stage.roles(flags.FLAGS).train
  return [f'--{name}={",".join(map(str, x)) if isinstance(x, list) else x}'
          for name, x in given.items() if x is not None]


def protocol(*names: str) -> list[str]:
  """Flags of the comparison as arguments."""
  return [f'--{name}={flags.FLAGS[name].value}' for name in names]


def stage(folder: pathlib.Path, name: str, settings: Mapping[str, Any], script: pathlib.Path,
          args: Sequence[str], result: Callable[[], Mapping[str, Any]] | None = None
          ) -> dict[str, Any]:
  """What a stage has left, from before or by running it now; see `stored_stage.run`."""
  def announced() -> dict[str, Any]:
    runner.say(f'{folder.name}', f'{name} ...')
    return stored_stage.run(folder, name, settings, script, args, result)
  return stored_stage.read(folder, name, settings) or announced()


def train(engine: Engine, out: pathlib.Path) -> None:
  """Trains an engine, unless that is done, and its teacher before it."""
  if engine.teacher:
    train(teacher_of(engine), out)
  folder, settings = out / engine.trained_in, training_settings(engine)
  script = HERE.parent / f'{engine.program}.py'
  shared = [*settings['flags'], *data_flags(train=True), *protocol('seed'), *PLAIN]
  if engine.teacher:
    shared.append(f'--teacher={out / engine.teacher}/run')

  def short(steps: int) -> dict[str, Any]:
    args = [f'--workdir={folder}/short', f'--steps={steps}', f'--checkpoint_every={steps}']
    return stage(folder, f'short_{steps}', settings, script, [*shared, *args, '--fresh'],
                 lambda: engine_rate.measured(folder / 'short'))
  rate = short(engine_rate.FIRST)
  if rate['seconds'] < flags.FLAGS.calibration:
    rate = short(engine_rate.steps_for(flags.FLAGS.calibration, rate))
  steps = max(engine_rate.FIRST, round(60 * flags.FLAGS.minutes / rate['seconds_per_step']))
  args = [f'--workdir={folder}/run', f'--steps={steps}', f'--checkpoint_every={-(-steps // 4)}']
  stage(folder, 'train', settings, script, [*shared, *args], lambda: {
      **engine_rate.measured(folder / 'run'),
      'checkpoint': hashlib.sha256(
          (folder / f'run/checkpoints/{steps}/digest/metadata').read_bytes()).hexdigest()})


def teacher_of(engine: Engine) -> Engine:
  """What an engine learns from."""
  return engine_list.chosen(ENGINES, [engine.teacher])[0]


def training_settings(engine: Engine) -> dict[str, Any]:
  """All that a training depends on; no path of this machine."""
  flags_ = engine.training_flags()
  data = [x for x in data_flags(train=True) if not x.startswith('--data_dir=')]
  return {'program': engine.program, 'flags': flags_, 'data': data, **where(),
          **({'teacher': training_settings(teacher_of(engine))} if engine.teacher else {}),
          **{name: flags.FLAGS[name].value for name in ('minutes', 'calibration', 'seed')}}


def where() -> dict[str, Any]:
  """Machine and code, on which every time and score depends."""
  return {'machine': engine_table.machine(), 'code': record.code()}


def drawing_settings(engine: Engine, trained: Mapping[str, Any]) -> dict[str, Any]:
  """All that images and scores of an engine depend on, given what its training has left."""
  return {**training_settings(engine), 'checkpoint': trained['checkpoint'],
          'sampling': list(engine.sampling),
          **{name: flags.FLAGS[name].value for name in PROTOCOL}}


def compared(engine: Engine, out: pathlib.Path) -> None:
  """Trains an engine, draws from it and scores what was drawn; what is done is left."""
  train(engine, out)
  trained = stored_stage.read(out / engine.trained_in, 'train', training_settings(engine))
  assert trained is not None
  folder, settings = out / engine.name, drawing_settings(engine, trained)
  script, images = HERE / 'engine_stage.py', folder / 'drawn.npz'
  shared = [*data_flags(train=False), *protocol(*PROTOCOL), f'--images={images}']
  stage(folder, 'draw', settings, script, [
      *shared, '--stage=draw', f'--run={out / engine.trained_in}/run',
      *(f'--sampling={flag}' for flag in engine.sampling)])
  stage(folder, 'score', settings, script, [
      *shared, '--stage=score', f'--scores={folder}/scores.json'])


def real_settings() -> dict[str, Any]:
  """All that the classifiers of real images depend on."""
  data = [x for x in data_flags(train=True) if not x.startswith('--data_dir=')]
  return {'data': data, **where(), **{name: flags.FLAGS[name].value for name in PROTOCOL}}


def row(engine: Engine, out: pathlib.Path) -> dict[str, Any] | None:
  """The numbers of an engine; `None` of one that is not finished."""
  trained = stored_stage.read(out / engine.trained_in, 'train', training_settings(engine))
  if trained is None:
    return None
  draw, score = (stored_stage.read(out / engine.name, name, drawing_settings(engine, trained))
                 for name in ('draw', 'score'))
  if draw is None or score is None:
    return None
  return {'name': engine.name, 'title': engine.title, 'program': engine.program,
          'run': f'{engine.trained_in}/run', 'sampling': list(engine.sampling),
          'conditional': draw['conditional'], 'parameters': draw['parameters'],
          'train': trained, 'draw': draw, 'score': score}


def document(out: pathlib.Path) -> dict[str, Any]:
  """What engines.json holds: every engine that is finished, in the order of the list."""
  every = [x for x in (row(engine, out) for engine in ENGINES) if x is not None]
  real = stored_stage.read(out / 'real', 'trtr', real_settings())
  return {'format': 1, 'protocol': {
      'data': {name: x for name, x in dataset_flags.given(flags.FLAGS).items()
               if name != 'data_dir'}, 'minutes': flags.FLAGS.minutes,
      'calibration_seconds': flags.FLAGS.calibration,
      **{name: flags.FLAGS[name].value for name in PROTOCOL}},
      'machine': engine_table.machine(), 'versions': every[0]['draw']['versions'] if every else {},
      'real': engine_table.real(every, real or {}), 'engines': every}


def main() -> None:
  engines = engine_list.chosen(ENGINES, flags.FLAGS.only)
  out = pathlib.Path(flags.FLAGS.out)
  engine_stage.roles(flags.FLAGS)  # data that do not fit are refused before any work
  out.mkdir(parents=True, exist_ok=True)
  with files.lock(out):
    document(out)  # so are results of other settings
    stage(out / 'real', 'trtr', real_settings(), HERE / 'engine_stage.py', [
        *data_flags(train=False), *protocol(*PROTOCOL), '--stage=real'])
    for engine in engines:
      compared(engine, out)
      with files.write_aside(out / 'engines.json') as f:
        f.write(json.dumps(document(out), indent=1, allow_nan=False).encode() + b'\n')
    finished = document(out)
  print(engine_table.table(finished))
  for line in finished['engines']:
    print(json.dumps({**engine_table.values(line), **{name: line[name] for name in (
        'name', 'parameters', 'sampling')}, 'train': line['train'],
        'drawing_mb': line['draw']['peak_mb']}))
  program.done(out / 'engines.json')


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)

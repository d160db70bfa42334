"""Parts of the engines' comparison: rates, memory, the list, the table."""
import json
import pathlib
import sys

from absl import flags as absl_flags
from common import experiments, sampling_flags
import numpy as np
import programs
import pytest
import training

BENCHMARKS = pathlib.Path(__file__).parent.parent / 'experiments/benchmarks'
sys.path.insert(0, str(BENCHMARKS))
import engine_list
from engine_list import Engine
import engine_rate
import engine_table
import peak
import stored_stage

engines = programs.module_of(BENCHMARKS / 'engines.py')


def test_a_process_is_measured_by_itself(tmp_path):
  """The memory of this process, which started it, does not count."""
  held = np.ones(400 << 17)  # 400 MiB
  script = tmp_path / 'script.py'
  script.write_text('import sys\nx = b"x" * (100 << 20)\nprint(len(sys.argv))\n'
                    'open(sys.argv[1][9:], "w").write("{}")\n')
  left = stored_stage.run(tmp_path, 'a', {'x': 1}, script, [])
  assert 100 < left['peak_mb'] < 200 < held.nbytes / 2 ** 20 < peak.mebibytes()
  assert stored_stage.read(tmp_path, 'a', {'x': 1}) == left
  with pytest.raises(ValueError, match='x: 1 before, 2 now'):
    stored_stage.read(tmp_path, 'a', {'x': 2})


def rows_of(folder, *steps_seconds):
  folder.mkdir(exist_ok=True)
  (folder / 'timings.jsonl').write_text(''.join(
      json.dumps({'step': step, 'seconds': seconds}) + '\n' for step, seconds in steps_seconds))
  return folder


def test_a_rate_is_without_compiling_the_last_picture_and_stops(tmp_path):
  """2 steps a second: 49 in 24.5 s and 50 in 25; the last line has a picture in it."""
  rate = engine_rate.measured(rows_of(tmp_path, (1, 30.), (50, 54.5), (100, 79.5), (150, 140.)))
  assert rate == {'steps': 150, 'seconds_per_step': .5, 'seconds': 49.5, 'minutes': 1.25}
  again = rows_of(tmp_path, (1, 30.), (50, 54.5), (61, 3.), (100, 22.5), (120, 99.))
  assert engine_rate.measured(again)['seconds_per_step'] == .5
  with pytest.raises(ValueError, match='40 steps say nothing'):
    engine_rate.measured(rows_of(tmp_path, (1, 30.), (40, 50.)))


def test_engines_that_were_held_against_other_images_do_not_compare():
  of = lambda name, floor: {'name': name, 'score': {'scores': {'frechet': {'floor': floor}}}}
  with pytest.raises(ValueError, match='b: the floor of frechet is 2'):
    engine_table.real([of('a', 1), of('b', 2)], {})


def test_a_teacher_is_trained_before_its_student(tmp_path, monkeypatch):
  """And a student is another where its teacher is."""
  values, runs = absl_flags.FlagValues(), []
  engines.define_flags(values)
  values(['', f'--out={tmp_path}', '--dataset=mnist5k'])
  monkeypatch.setattr(absl_flags, 'FLAGS', values)
  monkeypatch.setattr(engines, 'stage', lambda folder, name, settings, script, args, result: (
      runs.append((folder.name, name, settings, args)), {'seconds': 99., 'seconds_per_step': 1.}
  )[1])
  monkeypatch.setattr(engines, 'ENGINES', (
      Engine('old', '', 'mnist_flow', '', ('--width=8',)),
      Engine('young', '', 'mnist_flow', teacher='old')))
  engines.train(engines.ENGINES[1], tmp_path)
  assert [x[:2] for x in runs] == [(name, stage) for name in ('old', 'young')
                                   for stage in ('short_101', 'train')]
  told = [[arg for arg in x[3] if arg.startswith('--teacher')] for x in runs]
  assert told == [[], [], *[[f'--teacher={tmp_path}/old/run']] * 2]
  assert runs[3][2]['teacher'] == runs[1][2] and '--width=8' in runs[3][2]['teacher']['flags']


def test_every_shipped_engine_is_one_of_its_program():
  for engine in engine_list.ENGINES:
    config = training.config_of(*engine.training_flags(), name=engine.program, tiny=False)
    assert config['conditional'] == (engine.name != 'dcgan')
    module = experiments.program(engine.program)
    sampling = sampling_flags.of_arguments(module, engine.sampling)
    assert len(sampling) == len(engine.sampling)
    assert not engine.teacher or 'teacher' in config
  by_name = {engine.name: engine for engine in engine_list.ENGINES}
  one = by_name['flow_1']
  assert one.trained_in == by_name['flow'].trained_in == 'flow'
  assert one.sampling == ('--solver=euler', '--solver_steps=1')

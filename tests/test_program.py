"""How programs read their flags, and what they refuse before any work."""
import sys

from absl import flags
import analyze
from common import experiments, outside, program
import evaluate
import pytest
import synthesize

BOM = '\ufeff'


@pytest.mark.parametrize('text, lines', [
    (f'{BOM}--steps=4\n--seed=1\n', ['--steps=4', '--seed=1']),
    (f'{BOM}# of a study\n--steps=4\n', ['--steps=4']),
    (f'{BOM}\n--steps=4\n', ['--steps=4']),
    ('--seed=1\n', ['--seed=1'])])
def test_a_byte_order_mark_is_no_argument(tmp_path, text, lines):
  path = tmp_path / 'study.flags'
  path.write_text(text, encoding='utf-8')
  assert program.with_flagfiles(['--b=2', f'--flagfile={path}']) == ['--b=2', *lines]


def test_a_flagfile_named_after_a_byte_order_mark_is_read(tmp_path):
  (tmp_path / 'inner').write_text('--steps=4\n')
  (tmp_path / 'outer').write_text(f'{BOM}--flagfile={tmp_path / "inner"}\n', encoding='utf-8')
  assert program.with_flagfiles([f'--flagfile={tmp_path / "outer"}']) == ['--steps=4']


def test_a_flagfile_that_is_no_text_is_refused(tmp_path):
  (tmp_path / 'x').write_bytes('--steps=4'.encode('utf-16'))
  with pytest.raises(ValueError, match='--flagfile: .*expected a text file in UTF-8'):
    program.with_flagfiles([f'--flagfile={tmp_path / "x"}'])


def ended(monkeypatch, main, *given, define_flags=lambda values: None, **options):
  """How a program with these arguments ends: a code, or what it says."""
  values = flags.FlagValues()
  flags.DEFINE_integer('steps', 1, 'Of it.', lower_bound=1, flag_values=values)
  flags.DEFINE_integer('verbosity', -1, '', flag_values=values)
  define_flags(values)
  monkeypatch.setattr(flags, 'FLAGS', values)
  monkeypatch.setattr(sys, 'argv', ['folder/study.py', *given])
  parse = lambda main, flags_parser: main(flags_parser(sys.argv))
  monkeypatch.setattr(program.app, 'run', parse)
  with pytest.raises(SystemExit) as end:
    program.run(main, lambda values: None, compiles=False, **options)
  return end.value.code


def stop(error):
  raise error


@pytest.mark.parametrize('given, said', [
    (['--steps=0'], 'study.py: flag --steps=0: 0 is not a positive integer'),
    (['--stepz=3'], "study.py: Unknown command line flag 'stepz'. Did you mean: steps ?"),
    (['--flagfile=nowhere'], 'No such file or directory'),
    (['more', 'x'], 'study.py: unexpected arguments: more x; flags begin with --')])
def test_flags_that_are_refused_are_one_line(monkeypatch, given, said):
  text = ended(monkeypatch, lambda: None, *given)
  assert said in text and '\n' not in text and text.startswith('study.py: ')


@pytest.mark.parametrize('error', [ValueError('x: no'), OSError('x: no'), ImportError('x: no')])
def test_what_a_user_can_mend_is_one_line(monkeypatch, error):
  assert ended(monkeypatch, lambda: stop(error)) == 'study.py: x: no'


def test_what_a_user_cannot_mend_is_a_fault(monkeypatch):
  with pytest.raises(TypeError):
    ended(monkeypatch, lambda: stop(TypeError('a bug')))


def test_flags_that_cannot_be_defined_are_refused_but_not_for_help(monkeypatch):
  unknown = lambda args: stop(ValueError('no run there'))
  assert ended(monkeypatch, lambda: None, define_more=unknown) == 'study.py: no run there'
  shown = lambda values: flags.DEFINE_flag(Help(), values)
  assert ended(monkeypatch, lambda: None, '--help', define_more=unknown, define_flags=shown) == 0


class Help(program.app.HelpFlag):
  """As absl's, but that nothing is printed."""

  def parse(self, arg):
    raise SystemExit(1)


def values_of(module, *given):
  values = flags.FlagValues()
  module.define_flags(values)
  values(['x', *map(str, given)])
  return values


@pytest.fixture
def birds(tmp_path):
  for name in ('birds/owl', 'birds/robin', 'elsewhere', 'run'):
    (tmp_path / name).mkdir(parents=True)
  (tmp_path / 'run/config.json').write_text('{}')
  return tmp_path / 'birds'


@pytest.mark.parametrize('flag', ['dataset', 'eval_split'])
@pytest.mark.parametrize('inside', ['', 'run', 'owl/run', '../elsewhere/../birds/x'])
def test_results_inside_data_are_refused(birds, flag, inside):
  values = values_of(experiments.program('mnist_dcgan'), f'--{flag}={birds}',
                     f'--workdir={birds}/{inside}')
  with pytest.raises(ValueError, match=f'it lies in --{flag}=.*birds, and what is written there'):
    outside.check(values)


def test_every_input_and_output_is_looked_at(birds):
  for values in (
      values_of(analyze, f'--dataset={birds}', f'--report={birds}/x'),
      values_of(analyze, f'--against=train,{birds}', f'--report={birds}/x'),
      values_of(evaluate, f'--real={birds}', '--synthetic=x.npz', f'--report={birds}/x'),
      values_of(evaluate, f'--synthetic={birds}', f'--report={birds}/x'),
      values_of(synthesize, '--run=x', f'--validation_split={birds}', f'--out={birds}/x')):
    with pytest.raises(ValueError, match='would be read as data'):
      outside.check(values)


def test_results_beside_data_and_in_a_run_are_not_refused(birds, monkeypatch):
  run, train = birds.parent / 'run', experiments.program('mnist_dcgan')
  monkeypatch.chdir(birds.parent)
  for values in (
      values_of(train, f'--dataset={birds}', f'--workdir={birds}s'),
      values_of(train, f'--dataset={birds}/owl', f'--workdir={birds}/run'),
      values_of(train, '--dataset=mnist5k', '--workdir=mnist5k/run'),
      values_of(train, '--dataset=birds', '--data_dir=.', '--workdir=birds/run'),  # tfds's
      values_of(evaluate, f'--synthetic={run}', f'--report={run}/evaluation')):
    outside.check(values)

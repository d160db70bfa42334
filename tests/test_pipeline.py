"""The pipeline's machinery, on stages that take milliseconds: skip, redo, resume, refuse."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from stages import record as records, run
from stages.stage import Stage

ROOT = pathlib.Path(__file__).parent.parent
PATIENCE = 120  # seconds that a busy machine has for what takes none on another
PROGRAM = '''
import pathlib, sys, time
flags = dict(x.lstrip('-').split('=', 1) for x in sys.argv[1:])
folder = pathlib.Path(flags['report'])
folder.mkdir(parents=True, exist_ok=True)
done = folder / 'parts'  # what a stopped run has, and the next goes on from
with open(done, 'a') as f:
  f.write('part ')
print('words of', flags['value'], flush=True)
time.sleep(float(flags.get('sleep', 0)))
if 'writes' not in flags:
  (folder / 'result').write_text(flags['value'])
sys.exit(int(flags.get('code', 0)))
'''


@pytest.fixture
def out(tmp_path):
  (tmp_path / 'out/stages').mkdir(parents=True)
  (tmp_path / 'fake.py').write_text(PROGRAM)
  return tmp_path / 'out'


def fake(out, name='one', *flags, value='1', **fields):
  args = (str(out.parent / 'fake.py'), f'--report={out}/{name}', f'--value={value}', *flags)
  return Stage(name, (args,), (f'{name}/result',), owns=(name,), **fields)


def parts(out, name='one'):
  return (out / name / 'parts').read_text().split()


def test_what_is_unchanged_is_skipped(out, capsys):
  first = run.execute(fake(out), out)
  assert first['status'] == 'done' and first['starts'] == 1 and first['seconds'] >= 0
  assert 'fake.py' in first['shown'][0] and '--value=1' in first['shown'][0]
  assert run.execute(fake(out), out) == first == records.read(out, 'one')
  assert parts(out) == ['part'] and 'unchanged, skipped' in capsys.readouterr().out
  assert 'words of 1' in (out / 'logs/one.log').read_text()
  os.utime(out / 'one/result')  # a copied folder has other times
  run.execute(fake(out), out)
  moved = out.rename(out.parent / 'moved')
  run.execute(fake(moved)._replace(commands=(
      (str(out.parent / 'fake.py'), f'--report={moved}/one', '--value=1'),)), moved)
  assert parts(moved) == ['part']


def test_another_command_starts_anew(out, capsys):
  run.execute(fake(out), out)
  run.execute(fake(out, value='2'), out)
  assert parts(out) == ['part'] and (out / 'one/result').read_text() == '2'
  assert 'its command changed: --value=1 before, --value=2 now' in capsys.readouterr().out
  run.execute(fake(out, value='2', about={'flags': '--steps=3'}), out)
  run.execute(fake(out, value='2', about={'flags': '--steps=4'}), out)
  assert 'its flags changed: --steps=3 before, --steps=4 now' in capsys.readouterr().out


@pytest.mark.parametrize('spoil', [
    lambda p: p.unlink(), lambda p: p.write_text('2'), lambda p: p.write_text('longer')])
def test_a_missing_or_changed_output_is_made_again(out, capsys, spoil):
  run.execute(fake(out), out)
  spoil(out / 'one/result')
  run.execute(fake(out), out)
  assert (out / 'one/result').read_text() == '1' and len(parts(out)) == 2
  assert 'one/result is missing or was changed' in capsys.readouterr().out


def test_what_another_stage_leaves_redoes_its_readers(out, capsys):
  one, two = fake(out), fake(out, 'two', reads=('one',))
  with pytest.raises(run.Failed, match='two reads what one leaves, and that is not there'):
    run.execute(two, out)
  for _ in range(2):
    run.execute(one, out), run.execute(two, out)
  assert len(parts(out, 'two')) == 1
  run.execute(one, out, rerun=True)  # the same bytes
  run.execute(two, out)
  assert len(parts(out, 'two')) == 1
  run.execute(fake(out, value='5'), out)
  run.execute(two, out)
  assert 'one/result changed' in capsys.readouterr().out
  (out / 'one/result').unlink()
  with pytest.raises(run.Failed, match='run one too'):
    run.execute(two, out)


def test_rerun_starts_from_nothing(out):
  for _ in range(2):
    run.execute(fake(out), out, rerun=True)
  assert parts(out) == ['part']
  run.execute(fake(out, why_not='a rule draws'), out)  # its record goes, and what it left stays
  run.execute(fake(out), out)
  assert parts(out) == ['part', 'part']
  run.execute(fake(out, why_not='a rule draws'), out)
  run.execute(fake(out), out, rerun=True)
  assert parts(out) == ['part']


def test_a_long_run_is_set_aside_and_only_what_may_change_goes_on(out):
  own = lambda *flags: fake(out, 'one', *flags, keeps=('steps', 'tensorboard'))
  run.execute(own('--steps=1'), out)
  run.execute(own('--steps=2', '--notensorboard='), out)
  assert parts(out) == ['part', 'part']
  run.execute(own('--steps=2', '--width=3'), out)
  assert parts(out) == ['part']
  assert (out / 'replaced/one-1/parts').read_text().split() == ['part', 'part']
  run.execute(own('--steps=2', '--width=3')._replace(about={'data': 'others'}), out)
  assert parts(out) == ['part'] and (out / 'replaced/one-2').is_dir()


def test_a_failure_says_what_and_how_to_go_on(out):
  with pytest.raises(run.Failed) as error:
    run.execute(fake(out, 'one', '--code=7'), out)
  text = str(error.value)
  assert 'one failed (exit code 7)' in text and '| words of 1' in text
  assert f'{out}/logs/one.log' in text and 'fake.py' in text.splitlines()[-1]
  assert records.read(out, 'one') is None and records.read(out, 'one', 'begun')['starts'] == 1
  with pytest.raises(run.Failed, match='one was stopped by SIGTERM; the same command goes on$'):
    run.execute(fake(out, 'one', '--code=75'), out)
  with pytest.raises(run.Failed, match='exit code 3'):  # no gate here
    run.execute(fake(out, 'one', '--code=3'), out)
  with pytest.raises(run.Failed, match='exit code 2'):  # the gate says 3
    run.execute(fake(out, 'one', '--code=2', rejection=3), out)
  with pytest.raises(run.Failed, match=r'one ended, but left no .*one/result'):
    run.execute(fake(out, 'one', '--writes=nothing'), out)


def test_a_rejected_data_set_is_no_failure(out):
  gated = fake(out, 'one', '--code=3', rejection=3)
  assert run.execute(gated, out)['status'] == 'rejected'
  assert run.execute(gated, out)['status'] == 'rejected'  # skipped, and not forgotten
  assert len(parts(out)) == 1
  assert run.execute(fake(out, rejection=3), out)['status'] == 'done'


def test_a_stage_that_does_not_apply_is_said_to_until_it_does(out, capsys):
  run.execute(fake(out, why_not='no labels'), out)
  assert 'does not apply: no labels' in capsys.readouterr().out and not (out / 'one').exists()
  assert run.execute(fake(out), out)['status'] == 'done'


DRIVER = '''
import pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
from stages import run
from stages.stage import Stage
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
out = pathlib.Path(sys.argv[2])
args = (str(out.parent / 'fake.py'), f'--report={out}/one', '--value=1', '--sleep=' + sys.argv[3])
run.execute(Stage('one', (args,), ('one/result',), about={'x': ''}, owns=('one',)), out)
'''


@pytest.mark.long
@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_pipeline_stops_its_program_and_goes_on_later(out, how):
  """The fake's time to sleep is no part of what it makes: it is put among what never counts."""
  command = [sys.executable, '-c', DRIVER, str(ROOT / 'experiments'), str(out), '300']
  process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
  try:
    await_that(lambda: 'words of 1' in read(out / 'logs/one.log'), process)
    process.send_signal(how)
    assert process.wait(PATIENCE) == (143 if how == signal.SIGTERM else -how)
  finally:
    process.kill()
    process.wait()
  await_that(lambda: not children(out))
  begun = records.read(out, 'one', 'begun')
  assert records.read(out, 'one') is None and begun['starts'] == 1
  begun['commands'][0][-1] = '--sleep=0'
  records.write(out, 'one', begun, 'begun')
  command[-1] = '0'
  assert subprocess.run(command, check=True, text=True, capture_output=True).stdout.startswith(
      'one:         taken up again')
  assert len(parts(out)) == 2 and records.read(out, 'one')['starts'] == 2


def await_that(happened, process=None):
  """Waits for something to happen, as long as the process lives that is to bring it about."""
  deadline = time.monotonic() + PATIENCE
  while not happened():
    assert process is None or process.poll() is None, 'it ended before'
    assert time.monotonic() < deadline, 'it never happened'
    time.sleep(.01)


def read(path):
  """The text of a file that may not be there yet."""
  return path.read_text() if path.exists() else ''


def children(out):
  """Programs that still run there."""
  running = []
  for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
    try:
      text = path.read_bytes().decode(errors='replace')
    except OSError:
      continue
    if f'--report={out}/one' in text:
      running.append(text)
  return running

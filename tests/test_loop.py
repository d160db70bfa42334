"""The loop and its hooks, files and pictures."""
import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
from PIL import Image
import pytest

from jaxsynth import files, hooks, images, loop, synthesis, train_step as ts
from jaxsynth.tensorboard import TensorBoard


def algorithm():
  return ts.build(objectives.vae(), {'model': optax.adam(1e-2)})


def batches():
  k = 0
  while True:
    yield objectives.batch(seed=k)
    k += 1


def trained(steps, hooks_=(), start=None, skip=0):
  own = algorithm()
  state = start or own.init(jax.random.key(1), objectives.batch())
  stream = batches()
  for _ in range(skip):
    next(stream)
  return loop.run(ts.jit(own.step), state, stream, jax.random.key(3), steps, hooks=hooks_)


class Recorder:
  def __init__(self):
    self.steps, self.closed = [], 0

  def __call__(self, step, state, metrics):
    assert int(state.step) == step
    self.steps.append(step)

  def close(self):
    self.closed += 1


def test_hooks_see_every_step_and_are_closed_once():
  hook = Recorder()
  assert int(trained(4, [hook]).step) == 4
  assert hook.steps == [1, 2, 3, 4] and hook.closed == 1


def test_hooks_are_closed_when_a_step_fails():
  hook = Recorder()

  def broken(state, batch, key):
    raise RuntimeError('device lost')

  state = algorithm().init(jax.random.key(1), objectives.batch())
  with pytest.raises(RuntimeError, match='device lost'):
    loop.run(broken, state, batches(), jax.random.key(0), 3, hooks=[hook])
  assert hook.closed == 1


def test_a_loop_goes_on_from_its_state():
  whole = jax.device_get(trained(5))
  half = trained(2)
  hook = Recorder()
  rest = jax.device_get(trained(5, [hook], start=half, skip=2))
  assert hook.steps == [3, 4, 5]
  for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(rest)):
    np.testing.assert_array_equal(a, b)


def test_records_write_the_same_lines_however_fetched(tmp_path):
  for name, fetch in (('a', 1), ('b', 100)):
    trained(6, [hooks.Records(tmp_path / name, every=2, fetch=fetch)])
  lines = (tmp_path / 'a').read_text()
  assert lines == (tmp_path / 'b').read_text()
  rows = [json.loads(line) for line in lines.splitlines()]
  assert [row['step'] for row in rows] == [2, 4, 6]
  assert set(rows[0]) == {'step', 'kl', 'model/loss', 'model/grad_norm'}


def test_records_stop_at_what_is_not_finite(tmp_path):
  records = hooks.Records(tmp_path / 'm', every=1, fetch=2)
  records(1, None, {'x': jnp.float32(1)})
  with pytest.raises(FloatingPointError, match='step 2: x = nan; lower the learning'):
    records(2, None, {'x': jnp.float32(jnp.nan)})
  records.close()
  assert (tmp_path / 'm').read_text() == '{"step": 1, "x": 1.0}\n'


class Terminal(io.StringIO):
  def isatty(self):
    return True


@pytest.mark.parametrize('stream', [io.StringIO(), Terminal()], ids=['log', 'terminal'])
def test_progress(tmp_path, stream):
  trained(4, [hooks.Progress(0, 4, 8, every=2, timings=tmp_path / 't', stream=stream)])
  text = stream.getvalue()
  assert 'images/s' in text and 'model ' in text and 'this run takes about 0:0' in text
  if not stream.isatty():
    lines = text.splitlines()
    assert lines[-1].startswith('step 4/4') and '\r' not in text and 'left' in lines[-1]
  rows = [json.loads(line) for line in (tmp_path / 't').read_text().splitlines()]
  assert rows[-1]['step'] == 4 and rows[-1]['images_per_second'] > 0


def test_every_calls_at_its_steps_and_at_the_last():
  calls = []
  for every in (2, 0):
    trained(5, [hooks.Every(every, 5, lambda step, state: calls.append(step))])
  assert calls == [2, 4, 5, 5]


def test_a_file_is_whole_or_not_there(tmp_path):
  path = tmp_path / 'x'
  path.write_bytes(b'old')
  with pytest.raises(KeyboardInterrupt), files.write_aside(path) as f:
    f.write(b'half')
    raise KeyboardInterrupt
  assert path.read_bytes() == b'old' and list(tmp_path.iterdir()) == [path]


def test_grid_and_png(tmp_path):
  cells = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 1), np.uint8)
  sheet = images.grid(cells, 2, border=1)
  assert sheet.shape == (8, 7, 1)
  assert sheet[3, 4, 0] == 3 and sheet[2].max() == 0 and sheet[7, 6, 0] == 0
  images.save_png(tmp_path / 'a.png', sheet, scale=2)
  with Image.open(tmp_path / 'a.png') as image:
    np.testing.assert_array_equal(np.asarray(image)[::2, ::2], sheet[..., 0])
  with pytest.raises(ValueError, match='expected uint8'):
    images.save_png(tmp_path / 'b.png', sheet.astype(np.float32))
  assert not (tmp_path / 'b.png').exists()


def test_a_sample_does_not_depend_on_what_is_drawn_with_it(key):
  own = objectives.tiny_gan(num_classes=3)
  params, variables = own.init(key, objectives.batch())
  draw = synthesis.drawer(own.sample, 3, block=4)
  whole = draw(params, variables, key, 0, 11)
  assert whole.shape == (11, 4, 4, 1)
  for start, stop in ((0, 3), (3, 9), (10, 11)):
    np.testing.assert_array_equal(draw(params, variables, key, start, stop), whole[start:stop])
  labels = synthesis.labels_for(np.arange(6), 3)
  assert labels.tolist() == [0, 1, 2, 0, 1, 2] and labels.dtype == np.int32
  with pytest.raises(ValueError, match='expected 0 <= start < stop'):
    draw(params, variables, key, 3, 3)


def test_tensorboard_files_hold_what_was_logged(tmp_path):
  """Read back by tensorboardX's own protobuf: tag, step and value."""
  from tensorboardX.proto import event_pb2
  board = TensorBoard(tmp_path, start=3)
  board.scalars(4, {'generator/loss': 0.5})
  board.image(4, 'samples', np.zeros((4, 6, 1), np.uint8))
  board.histogram(4, 'logits/real', np.arange(8.))
  board.close()
  raw = next(tmp_path.iterdir()).read_bytes()
  found, at = {}, 0
  while at < len(raw):
    size = int.from_bytes(raw[at:at + 8], 'little')
    event = event_pb2.Event.FromString(raw[at + 12:at + 12 + size])
    at += size + 16
    found.update({value.tag: (event.step, value) for value in event.summary.value})
  assert found['generator/loss'][0] == 4 and found['generator/loss'][1].simple_value == 0.5
  assert found['samples'][1].image.width == 6 and found['logits/real'][1].histo.num == 8


def test_a_folder_is_locked_to_one_process(tmp_path):
  with files.lock(tmp_path), pytest.raises(files.Locked, match='in use by another run'):
    with files.lock(tmp_path):
      pass
  with files.lock(tmp_path):
    pass


def test_rows_past_a_step_and_torn_lines_are_dropped(tmp_path):
  path = tmp_path / 'm'
  files.keep_rows(path, 3)
  path.write_text('{"step": 2}\n{"step": 4}\n{"st')
  files.keep_rows(path, 3)
  assert path.read_text() == '{"step": 2}\n'


def test_a_scanned_step_runs_in_whole_calls():
  own = algorithm()
  state = own.init(jax.random.key(1), objectives.batch())
  pairs = (jax.tree.map(lambda *x: jnp.stack(x), *(objectives.batch(seed=k + i) for i in (0, 1)))
           for k in (0, 2))
  hook = Recorder()
  after = loop.run(ts.jit(ts.scan(own.step)), state, pairs, jax.random.key(3), 4,
                   hooks=[hook], steps_per_call=2)
  assert hook.steps == [2, 4]
  one = trained(4)
  for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(one)):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
  with pytest.raises(ValueError, match='3 steps from 4 to 7 are not whole calls of 2'):
    loop.run(ts.jit(own.step), after, (), jax.random.key(3), 7, steps_per_call=2)

"""Times augmentation: ours, torchvision's and tf.data's, interleaved in one run.

    python experiments/benchmarks/augment.py --torch_python=... --tensorflow_python=...

On an otherwise idle machine. Each peer is a child process of a Python that has it; one
that is missing is said and left out. Every example gets its own draw of

* `policy`: horizontal flip, crop of the image padded by an eighth, affine (15 degrees, a
  tenth of a side, scale 0.9 to 1.1, shear 5 degrees; bilinear), color jitter (brightness,
  contrast, and of color saturation, 0.2, hue 0.05), a square of a quarter side cut out;
* `rand_augment`: two operations of magnitude 9.

Prints a table and then one JSON line a row.
"""
import contextlib
from collections.abc import Callable, Iterator
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import time
from typing import Any

from absl import app, flags
import jax
import numpy as np

from jaxsynth.data import augment, to_float

TORCH = flags.DEFINE_string('torch_python', None, 'A Python with torch and torchvision.')
TENSORFLOW = flags.DEFINE_string('tensorflow_python', None, 'A Python with TensorFlow.')
ROUNDS = flags.DEFINE_integer('rounds', 5, 'Timed turns of each.', lower_bound=1)
SECONDS = flags.DEFINE_float('seconds', 0.25, 'Least length of a turn.', lower_bound=0.)
CASES = flags.DEFINE_list('cases', '28x28x1x512,32x32x3x512,224x224x3x32',
                          'Height, width, channels, batch.')
HERE = pathlib.Path(__file__).parent


def ours(task: str, images: np.ndarray) -> Callable[[], Any]:
  """A compiled batch: keys and uint8 images to floating ones."""
  height = images.shape[1]
  policy = augment.compose(
      augment.random_horizontal_flip(), augment.random_crop(padding=height // 8),
      augment.random_affine(15., (.1, .1), (.9, 1.1), (5., 5.)),
      augment.color_jitter(.2, .2, .2, .05), augment.cutout(height // 4))
  chosen = augment.batched({'policy': policy, 'rand_augment': augment.rand_augment()}[task])
  state = {'step': 0}

  @jax.jit
  def run(step, images):
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), step), len(images))
    return chosen(keys, to_float({'image': images}))['image']

  def call() -> None:
    state['step'] += 1
    run(state['step'], images).block_until_ready()
  return call


@contextlib.contextmanager
def peer(python: str | None, name: str) -> Iterator[Callable[..., float] | None]:
  """`(task, shape, seconds) -> images/s` of a child process, or `None` if there is none."""
  if python is None:
    print(f'{name}: no Python given, left out')
    yield None
    return
  clean = {key: x for key, x in os.environ.items()
           if key not in ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE', 'PYTHONPATH')}
  with tempfile.TemporaryFile('w+') as said:  # a pipe that nobody reads would fill
    child = subprocess.Popen(
        [python, str(HERE / f'augment_{name}.py')], text=True, env=clean,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
    assert child.stdin and child.stdout
    stdin, stdout = child.stdin, child.stdout

    def last() -> str:
      said.seek(0)
      return (said.read().strip().splitlines() or ['nothing'])[-1]

    def ask(*request: Any) -> float:
      stdin.write(json.dumps(request) + '\n')
      stdin.flush()
      line = stdout.readline()
      if not line:
        raise SystemExit(f'{name} ended; it says: {last()}')
      return json.loads(line)
    try:
      ready = stdout.readline()
      if not ready:
        print(f'{name}: left out, {python} says: {last()}')
        yield None
      else:
        print(ready.strip())
        yield ask
    finally:
      stdin.close()
      child.wait()


def rate(call: Callable[[], Any], images: int, seconds: float) -> float:
  """Images a second, of as many calls as fill the time."""
  start, calls = time.perf_counter(), 0
  while time.perf_counter() - start < seconds or not calls:
    call()
    calls += 1
  return images * calls / (time.perf_counter() - start)


def main(argv: list[str]) -> None:
  del argv
  rows: list[dict] = []
  with (peer(TORCH.value, 'torchvision') as torch, peer(TENSORFLOW.value, 'tfdata') as tf):
    for case in CASES.value:
      *shape, batch = map(int, case.split('x'))
      images = np.random.default_rng(0).integers(0, 256, (batch, *shape), np.uint8)
      for task in ('policy', 'rand_augment'):
        call = ours(task, images)
        runs: dict[str, Callable[[float], float]] = {
            'jaxsynth': functools.partial(rate, call, batch)}
        for name, ask in (('torchvision', torch), ('tf.data', tf)):
          if ask is not None:
            runs[name] = functools.partial(ask, task, (batch, *shape))
        for run in runs.values():
          run(0.)  # compiles, starts workers
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS.value):
          for name, run in runs.items():
            rates[name].append(run(SECONDS.value))
        best = max((float(np.median(x)) for name, x in rates.items() if name != 'jaxsynth'),
                   default=float('nan'))
        for name, x in rates.items():
          rows.append({'task': task, 'shape': shape, 'batch': batch, 'name': name,
                       'images_per_s': float(np.median(x)), 'min': min(x), 'max': max(x),
                       'of_fastest_peer': float(np.median(x)) / best})
  print(f'\njax {jax.__version__}, {jax.devices()}, {os.cpu_count()} cores\n')
  print(f'{"":14}{"":12}{"batch":>6}{"":>13}{"images/s":>10}{"min":>10}{"max":>10}{"of peer":>9}')
  for row in rows:
    size = 'x'.join(map(str, row['shape']))
    print(f'{row["task"]:14}{size:12}{row["batch"]:6}{row["name"]:>13}{row["images_per_s"]:10.0f}'
          f'{row["min"]:10.0f}{row["max"]:10.0f}{row["of_fastest_peer"]:9.2f}')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)

r"""Trains a DCGAN and writes synthetic images.

    python experiments/mnist_dcgan.py \
        --flagfile=experiments/flags/quickstart.flags --workdir=/tmp/quickstart

Into --workdir go config.json, metrics.jsonl, timings.jsonl, samples/*.png and, at
the end, synthetic.npz.
"""
import json
import pathlib
import platform

from absl import app
import jax
import numpy as np

import build
import jaxsynth
from jaxsynth import data, files, hooks, images, loop, synthesis, train_step as ts
import options


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  config = options.config()
  devices = take_devices(config['devices'])
  workdir = new_workdir(pathlib.Path(options.FLAGS.workdir))
  source = build.source(config)
  run = build.build(config, source.image_shape, source.num_classes)
  step, place = build.compiled(config, run, devices)
  write_config(workdir / 'config.json', config, source, devices)

  key, key_init, key_show, key_draw = jax.random.split(jax.random.key(config['seed']), 4)
  at = data.batch_at(source, config['batch_size'], config['seed'], phases=run.phases)
  state = run.algorithm.init(
      key_init, data.to_float(source.take(np.arange(config['batch_size']))))
  draw = synthesis.drawer(run.algorithm.sample, run.num_classes)

  def show(step: int, state: ts.TrainState) -> None:
    grid = images.grid(data.to_uint8(draw(*ts.averaged(state), key_show, 0, 100)))
    images.save_png(workdir / f'samples/step_{step:06d}.png', grid, scale=2)

  shuffled = data.batch_at(source, 100, config['seed'])(0)
  images.save_png(workdir / 'samples/real.png', images.grid(shuffled['image']), scale=2)
  batches = data.prefetch(
      lambda k: data.to_float(jax.tree.map(place, dict(at(k)))))
  steps, every = config['steps'], config['log_every']
  state = loop.run(step, state, batches, key, steps, hooks=[
      hooks.Records(workdir / 'metrics.jsonl', every),
      hooks.Every(config['sample_every'], steps, show),
      hooks.Progress(0, steps, config['batch_size'] * run.phases, 5 * every,
                     workdir / 'timings.jsonl')])
  batches.close()
  if config['num_synthetic']:
    write_synthetic(workdir / 'synthetic.npz', run, draw, state, key_draw,
                    config['num_synthetic'])
  print(f'done: {workdir}/samples and {workdir}/synthetic.npz')


def take_devices(n: int) -> list[jax.Device]:
  """The first `n` devices; on CPU as many are made."""
  if n > 1:
    jax.config.update('jax_num_cpu_devices', n)  # no effect on GPU and TPU
  if jax.device_count() < n:
    raise app.UsageError(f'--devices={n}, but there are {jax.device_count()}: '
                         f'{jax.devices()}')
  return jax.devices()[:n]


def new_workdir(path: pathlib.Path) -> pathlib.Path:
  """Makes the folder; a run's own folder is never written over."""
  if (path / 'config.json').exists():
    raise app.UsageError(f'--workdir={path} holds a run already; name another folder '
                         'or remove it')
  try:
    (path / 'samples').mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise app.UsageError(f'--workdir={path} cannot be written: {error}') from error
  return path


def write_config(path: pathlib.Path, config: dict, source: data.Source,
                 devices: list[jax.Device]) -> None:
  """Everything needed to rebuild the run, and what it ran on."""
  import flax
  import optax
  record = {
      'flags': config,
      'data': {'name': source.name, 'image_shape': source.image_shape,
               'size': source.size, 'num_classes': source.num_classes},
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__,
                   'flax': flax.__version__, 'optax': optax.__version__,
                   'numpy': np.__version__, 'python': platform.python_version()},
      'devices': [str(d) for d in devices], 'platform': devices[0].platform}
  with files.write_aside(path) as f:
    f.write(json.dumps(record, indent=2).encode() + b'\n')


def write_synthetic(path: pathlib.Path, run: build.Run, draw, state: ts.TrainState,
                    key: jax.Array, n: int) -> None:
  """`images` uint8 `[N, H, W, C]`, and `labels` if conditional."""
  arrays = {'images': data.to_uint8(draw(*ts.averaged(state), key, 0, n))}
  if run.num_classes is not None:
    arrays['labels'] = synthesis.labels_for(np.arange(n), run.num_classes)
  with files.write_aside(path) as f:
    np.savez_compressed(f, **arrays)  # type: ignore[arg-type]


if __name__ == '__main__':
  app.run(main)

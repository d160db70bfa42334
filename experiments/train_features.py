r"""Trains the MNIST network whose features the scores stand on, and writes its weights.

    python experiments/train_features.py --data_dir=$TFDS --output=/tmp/mnist.npz

Trains on train[:55000], looks at train[55000:] as it goes, and at test once, with the
weights as they are written: batch norm folded, float16. The package ships what seed 0 gave
as jaxsynth/metrics/features/mnist.npz; with another file every score is another one, and
SHA256 in mnist.py says so.
"""
import clock  # first: it says when

import json
import pathlib
import time
from typing import Any

from absl import app, flags
import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, files, hooks, loop, train_step as ts
from jaxsynth.metrics.features import digest, extract, Features
from jaxsynth.metrics.features.mnist import folded, load, logits
from jaxsynth.metrics.predict import predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives import classify
import startup

DATA_DIR = flags.DEFINE_string('data_dir', None, 'Where tfds data sets are prepared.')
OUTPUT = flags.DEFINE_string('output', None, 'The npz file of the weights.', required=True)
EPOCHS = flags.DEFINE_integer('epochs', 30, 'Passes over train[:55000].', lower_bound=1)
BATCH_SIZE = flags.DEFINE_integer('batch_size', 128, 'Images a step.', lower_bound=1)
LEARNING_RATE = flags.DEFINE_float('learning_rate', 5e-3, "AdamW's largest, after a warm-up; "
                                   'it then falls to 0 as a cosine.')
SHIFT = flags.DEFINE_integer('shift', 2, 'Training images move by up to so many pixels.',
                             lower_bound=0)
SEED = flags.DEFINE_integer('seed', 0, 'Of everything drawn.', lower_bound=0)


def shifted(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
  """An image moved by up to `--shift` pixels, background coming in."""
  n = SHIFT.value
  padded = jnp.pad(image, ((n, n), (n, n), (0, 0)), constant_values=-1)
  at = jax.random.randint(key, (2,), 0, 2 * n + 1)
  return lax.dynamic_slice(padded, (at[0], at[1], 0), image.shape), label


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  try:
    source, validation, test = (
        data.in_memory(data.tfds_source('mnist', split, DATA_DIR.value))
        for split in ('train[:55000]', 'train[55000:]', 'test'))
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  net = Classifier(10, widths=(32, 64), blocks=2, features=64)
  steps = EPOCHS.value * source.size // BATCH_SIZE.value
  rate = optax.warmup_cosine_decay_schedule(0., LEARNING_RATE.value, steps // 20, steps)
  algorithm = ts.build(classify(net, augment=shifted), {'classifier': optax.adamw(rate)},
                       ema=ts.EMA(('classifier',)))
  key, key_init = jax.random.split(jax.random.key(SEED.value))
  at = data.batch_at(source, BATCH_SIZE.value, SEED.value)
  state = jax.jit(algorithm.init)(key_init, data.to_float(source.take(np.arange(2))))

  def validate(step: int, state: ts.TrainState) -> None:
    params, variables = (x['classifier'] for x in ts.averaged(state))
    batch = validation.take(np.arange(validation.size))
    right = predict(net, params, variables, batch['image']).labels == batch['label']
    print(f'step {step}: validation {np.mean(right):.4f}', flush=True)

  batches = data.prefetch(lambda k: data.to_float(at(k)))
  began = time.perf_counter()
  try:
    state = loop.run(ts.jit(algorithm.step), state, batches, key, steps, hooks=[
        hooks.Every(5 * steps // EPOCHS.value, steps, validate),
        hooks.Progress(0, steps, BATCH_SIZE.value, 1000, began=clock.START)])
  finally:
    batches.close()
  seconds = time.perf_counter() - began
  params, variables = (x['classifier'] for x in jax.device_get(ts.averaged(state)))
  weights = {name: x.astype(np.float16) for name, x in folded(params, variables).items()}
  write(weights, seconds, {'train': source, 'validation': validation, 'test': test})


def write(params: dict[str, Any], seconds: float, splits: dict[str, data.Source]) -> None:
  """Writes the file, reads it back, and tells how good what was read is."""
  output = pathlib.Path(OUTPUT.value)
  with files.write_aside(output) as f:
    np.savez_compressed(f, **params)
  sha256 = digest({name: x.astype(np.float32) for name, x in params.items()})
  shipped = Features('mnist_logits', sha256, 10, 'none', (28, 28, 1),
                     load(output, sha256), logits)
  record = {'sha256': sha256, 'bytes': output.stat().st_size, 'seconds': round(seconds, 1)}
  for name, source in splits.items():
    batch = source.take(np.arange(source.size))
    found = extract(shipped, batch['image']).argmax(1)
    record[name] = float(np.mean(found == batch['label']))
  print(json.dumps(record))


if __name__ == '__main__':
  app.run(main)

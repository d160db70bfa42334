r"""Trains the MNIST network whose features the scores stand on, and writes its weights.

    python experiments/train_features.py --data_dir=$TFDS --output=/tmp/mnist.npz

Trains on train[:55000], looks at train[55000:] as it goes, and at test once, with the
weights as they are written: batch norm folded, float16. The package ships what seed 0 gave
as jaxsynth/metrics/features/mnist.npz; with another file every score is another one, and
SHA256 in mnist_network.py says so.
"""
from collections.abc import Mapping
import json
import pathlib
import time
from typing import Any

from absl import flags
import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np
import optax

from common import clock, paths, program, seeds
from jaxsynth import data, files, hooks, keys, train_step as ts
from jaxsynth.downstream.train import Recipe, trained, weights_of
from jaxsynth.metrics.features import digest, extract, Features
from jaxsynth.metrics.features.mnist_network import folded, load, logits
from jaxsynth.metrics.predict import predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives.classify import Augment

SPLITS = {'train': 'train[:55000]', 'validation': 'train[55000:]', 'test': 'test'}


def define_flags(values: flags.FlagValues) -> None:
  """The data, the training, and the file."""
  number = lambda name, default, meaning, least: flags.DEFINE_integer(
      name, default, meaning, lower_bound=least, flag_values=values)
  paths.define('data_dir', None, 'Where tfds data sets are prepared.', values)
  paths.define('output', None, 'The npz file of the weights.', values, required=True)
  number('epochs', 30, 'Passes over train[:55000].', 1)
  number('batch_size', 128, 'Images a step.', 1)
  flags.DEFINE_float('learning_rate', 5e-3, "AdamW's largest, after a warm-up; it then falls to "
                     '0 as a cosine.', flag_values=values)
  number('shift', 2, 'Training images move by up to so many pixels.', 0)
  seeds.define(values, 'Of everything drawn.')


def shifted(most: int) -> Augment:
  """Moves an image by up to `most` pixels, background coming in."""
  def augment(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
    padded = jnp.pad(image, ((most, most), (most, most), (0, 0)), constant_values=-1)
    corner = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return lax.dynamic_slice(padded, (corner[0], corner[1], 0), image.shape), label
  return augment


def main() -> None:
  values = flags.FLAGS
  sources = {name: data.in_memory(data.tfds_source('mnist', split, values.data_dir))
             for name, split in SPLITS.items()}
  net = Classifier(10, widths=(32, 64), blocks=2, features=64)
  steps = values.epochs * sources['train'].size // values.batch_size
  rate = optax.warmup_cosine_decay_schedule(0., values.learning_rate, steps // 20, steps)
  whole = sources['validation'].take(np.arange(sources['validation'].size))

  def validate(step: int, state: ts.TrainState) -> None:
    right = predict(net, *weights_of(state), whole['image']).labels == whole['label']
    print(f'step {step}: validation {np.mean(right):.4f}', flush=True)

  key, key_init = jax.random.split(keys.of_seed(values.seed))
  began = time.perf_counter()
  classifiers = trained(
      [sources['train']], [values.seed], Recipe(steps, values.batch_size), net=net,
      augment=shifted(values.shift), optimizer=optax.adamw(rate), ema=ts.EMA(),
      keys=[(key_init, key)], hooks=[
          hooks.Every(5 * steps // values.epochs, steps, validate),
          hooks.Progress(0, steps, values.batch_size, 1000, began=clock.START)])
  seconds = time.perf_counter() - began
  weights = {name: x.astype(np.float16) for name, x in folded(*classifiers.weights[0]).items()}
  write(pathlib.Path(values.output), weights, seconds, sources)


def write(path: pathlib.Path, weights: Mapping[str, np.ndarray], seconds: float,
          sources: Mapping[str, data.Source]) -> None:
  """Writes the file, reads it back, and says how good what was read is."""
  with files.write_aside(path) as f:
    np.savez_compressed(f, **weights)  # type: ignore[arg-type]
  sha256 = digest({name: x.astype(np.float32) for name, x in weights.items()})
  shipped = Features('mnist_logits', sha256, 10, 'none', (28, 28, 1), load(path, sha256), logits)
  record: dict[str, Any] = {'sha256': sha256, 'bytes': path.stat().st_size,
                            'seconds': round(seconds, 1)}
  for name, source in sources.items():
    batch = source.take(np.arange(source.size))
    labels = extract(shipped, batch['image']).argmax(1)
    record[name] = float(np.mean(labels == batch['label']))
  print(json.dumps(record))


if __name__ == '__main__':
  program.run(main, define_flags)

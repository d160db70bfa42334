"""How good the small classifier is after how long: real MNIST, test accuracy.

    python experiments/benchmarks/classifier.py --data_dir=$TFDS --epochs=1,4,10

On an otherwise idle machine. Each row is a run of its own, from compiling on; test images
are only counted, nothing is chosen by them.
"""
import json
import time

from absl import app, flags
import jax
import numpy as np
import optax

from jaxsynth import data, train_step as ts
from jaxsynth.metrics.predict import predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives.classify import classify

DATA_DIR = flags.DEFINE_string('data_dir', None, 'Where tfds data sets are prepared.')
EPOCHS = flags.DEFINE_list('epochs', '1,4,10', 'Passes over train[:55000], one row each.')
WIDTHS = flags.DEFINE_list('widths', '16,32', "The classifier's.")
BLOCKS = flags.DEFINE_integer('blocks', 1, "The classifier's.", lower_bound=0)
BATCH_SIZE = flags.DEFINE_integer('batch_size', 128, 'Images a step.', lower_bound=1)
LEARNING_RATE = flags.DEFINE_float('learning_rate', 5e-3, "Adam's at first; it falls to 0.")
SEED = flags.DEFINE_integer('seed', 0, 'Of everything drawn.', lower_bound=0)


def main(argv: list[str]) -> None:
  del argv
  source, test = (data.in_memory(data.tfds_source('mnist', split, DATA_DIR.value))
                  for split in ('train[:55000]', 'test'))
  batch = test.take(np.arange(test.size))
  net = Classifier(10, tuple(map(int, WIDTHS.value)), BLOCKS.value)
  key = jax.random.key(SEED.value)
  batch_at = data.batch_at(source, BATCH_SIZE.value, SEED.value)
  for epochs in map(int, EPOCHS.value):
    jax.clear_caches()
    start = time.perf_counter()
    steps = epochs * source.size // BATCH_SIZE.value
    algorithm = ts.build(classify(net), {'classifier': optax.adam(
        optax.cosine_decay_schedule(LEARNING_RATE.value, steps))})
    state = jax.jit(algorithm.init)(key, data.to_float(batch_at(0)))
    step, batches = ts.jit(algorithm.step), data.prefetch(lambda k: data.to_float(batch_at(k)))
    state, _ = jax.block_until_ready(step(state, next(batches), key))
    compiled = time.perf_counter()
    for _, images in zip(range(1, steps), batches):
      state, metrics = step(state, images, key)
    jax.block_until_ready(state)
    end = time.perf_counter()
    batches.close()
    params, variables = state.params['classifier'], state.variables['classifier']
    right = predict(net, params, variables, batch['image']).labels == batch['label']
    print(json.dumps({
        'epochs': epochs, 'seconds': round(end - start, 1), 'compiling': round(compiled - start, 1),
        'images_per_second': round((steps - 1) * BATCH_SIZE.value / (end - compiled)),
        'test': float(np.mean(right)),
        'parameters': sum(x.size for x in jax.tree.leaves(params))}), flush=True)


if __name__ == '__main__':
  app.run(main)

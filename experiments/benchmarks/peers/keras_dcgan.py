"""The article's DCGAN in Keras, with the article's loop or as one compiled step."""
import argparse
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import keras
from keras import layers
import numpy as np
from serve import serve
import tensorflow as tf

LATENT = 100


def generator() -> keras.Model:
  blocks = []
  for stride in (1, 2, 2):
    blocks += [layers.Conv2DTranspose(128, 5, strides=stride, padding='same'),
               layers.BatchNormalization(), layers.ReLU()]
  return keras.Sequential([
      keras.Input((LATENT,)), layers.Dense(7 * 7 * 128, activation='relu'),
      layers.Reshape((7, 7, 128)), *blocks,
      layers.Conv2D(1, 7, padding='same', activation='tanh')])


def discriminator() -> keras.Model:
  blocks = []
  for _ in range(2):
    blocks += [layers.Conv2D(128, 5, strides=2, padding='same'),
               layers.LeakyReLU(negative_slope=0.2), layers.Dropout(0.3)]
  return keras.Sequential([keras.Input((28, 28, 1)), *blocks, layers.Flatten(),
                           layers.Dense(1, activation='sigmoid')])


def article(batch: int):
  """`predict`, then three `train_on_batch`; the batch size and `trainable` mended."""
  g, d = generator(), discriminator()
  compiled = lambda model: model.compile(loss='binary_crossentropy',
                                         optimizer=keras.optimizers.Adam(1e-4))
  compiled(d)
  d.trainable = False
  stacked = keras.Sequential([g, d])
  compiled(stacked)
  rng = np.random.default_rng(0)
  ones, zeros = np.ones((batch, 1)), np.zeros((batch, 1))

  def step(real):
    fake = g.predict(rng.normal(size=(batch, LATENT)), verbose=0)
    d.trainable = True
    d.train_on_batch(real, ones)
    d.train_on_batch(fake, zeros)
    d.trainable = False
    stacked.train_on_batch(rng.normal(size=(batch, LATENT)), ones)
  return step


def one_step(batch: int):
  """One compiled function: the generator runs once, both networks are updated."""
  g, d = generator(), discriminator()
  adam = {model: keras.optimizers.Adam(1e-4) for model in (g, d)}
  cross_entropy = keras.losses.BinaryCrossentropy()
  ones, zeros = tf.ones((batch, 1)), tf.zeros((batch, 1))

  @tf.function
  def update(real):
    with tf.GradientTape(persistent=True) as tape:
      fake = g(tf.random.normal((batch, LATENT)), training=True)
      p_real, p_fake = d(real, training=True), d(fake, training=True)
      losses = {g: cross_entropy(ones, p_fake),
                d: cross_entropy(ones, p_real) + cross_entropy(zeros, p_fake)}
    for model, loss in losses.items():
      gradients = tape.gradient(loss, model.trainable_variables)
      adam[model].apply_gradients(zip(gradients, model.trainable_variables))
    return list(losses.values())

  return lambda real: [x.numpy() for x in update(tf.constant(real))]


def main() -> None:
  parser = argparse.ArgumentParser()
  parser.add_argument('--loop', choices=('article', 'one_step'), default='one_step')
  parser.add_argument('--batch', type=int, default=64)
  args = parser.parse_args()
  step = (article if args.loop == 'article' else one_step)(args.batch)
  real = np.random.default_rng(1).normal(size=(args.batch, 28, 28, 1)).astype(np.float32)
  serve(f'keras {keras.__version__}, tensorflow {tf.__version__}', lambda: step(real))


if __name__ == '__main__':
  main()

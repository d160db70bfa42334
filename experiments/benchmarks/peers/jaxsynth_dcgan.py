"""The article's DCGAN in jaxsynth, or with Linen's own convolutions (`--plain`)."""
import argparse
import contextlib
import pathlib
import sys
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from flax import linen as nn
import jax
import optax
from serve import serve

from common import machine
from jaxsynth import train_step as ts
from jaxsynth.models import dcgan
from jaxsynth.objectives.gan import gan


def linen():
  """Linen's convolutions in the place of ours."""
  def convolution(layer):
    return lambda features, k, s=1, **kwargs: layer(features, (k, k), (s, s), **kwargs)
  return mock.patch.multiple(dcgan, Conv=convolution(nn.Conv),
                             ConvTranspose=convolution(nn.ConvTranspose))


def main() -> None:
  parser = argparse.ArgumentParser()
  parser.add_argument('--batch', type=int, default=64)
  parser.add_argument('--width', type=int, default=128)
  parser.add_argument('--plain', action='store_true')
  parser.add_argument('--warm_up', type=int, default=3)
  args = parser.parse_args()
  machine.keep_memory()
  adam = optax.adam(1e-4, b1=0.)
  key = jax.random.key(0)
  batch = {'image': jax.random.uniform(key, (args.batch, 28, 28, 1), minval=-1.)}
  with linen() if args.plain else contextlib.nullcontext():
    networks = dcgan.Generator(width=args.width), dcgan.Discriminator(width=args.width)
    algorithm = ts.build(gan(*networks), {'generator': adam, 'discriminator': adam},
                         ema=ts.EMA(('generator',)))
    state = jax.jit(algorithm.init)(key, batch)
    step = jax.jit(algorithm.step, donate_argnums=0).lower(state, batch, key).compile()

  def run():
    nonlocal state
    state, metrics = step(state, batch, key)
    jax.block_until_ready((state, metrics))

  cost = step.cost_analysis() or {}
  serve(f'jax {jax.__version__}', run, args.warm_up,
        flops=cost.get('flops'))


if __name__ == '__main__':
  main()

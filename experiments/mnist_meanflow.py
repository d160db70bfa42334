r"""Trains a MeanFlow, which makes an image in one step, and writes synthetic images.

    python experiments/mnist_meanflow.py --flagfile=experiments/flags/mnist_meanflow.flags \
        --data_dir=$TFDS --workdir=/tmp/meanflow

It leaves and resumes what mnist_dcgan.py does. --solver_steps may be changed once it is trained.
"""
from collections.abc import Mapping
import math
from typing import Any

from absl import flags
import optax

from common import train, unet_flags
from jaxsynth import runs, train_step as ts
from jaxsynth.losses import flow
from jaxsynth.objectives.mean_flow import mean_flow

SAMPLING = ('solver_steps',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a MeanFlow study."""
  train.define(values)
  for name, count, least, what in (
      ('solver_steps', 1, 1, 'From noise to a sample.'),
      ('interval_every', 4, 0, 'Of how many images one learns the average velocity of an interval, '
       'and the others that of a moment; 0 for none.')):
    flags.DEFINE_integer(name, count, what, lower_bound=least, flag_values=values)
  unet_flags.define(values)
  for name, number, fits, expected, what in (
      ('weight_power', 1., lambda x: x >= 0, 'at least 0', 'Of the squared error by which the '
       'loss of an image is divided; 0 for none.'),
      ('guidance', 1., lambda x: x >= 0, 'at least 0', 'How much more of its label than without '
       'it the learned flow is; 1 is as the data are.'),
      ('label_dropout', .1, lambda x: 0 <= x < 1, 'a share in [0, 1)',
       'Share of labels that are hidden in training.'),
      ('time_mean', .4, math.isfinite, 'a finite number', 'Of the logit of the times that are '
       'trained.'),
      ('time_std', 1., lambda x: x > 0, 'more than 0', 'Its standard deviation.'),
      ('fastest', 5., lambda x: x > 0, 'more than 0', 'Radians, from noise to data, of the '
       'fastest wave that tells the network a time.'),
      ('learning_rate', 1e-3, lambda x: x > 0, 'more than 0', 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
    flags.register_validator(name, lambda x, fits=fits: x is None or fits(x),
                             f'expected {expected}', flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes = about.classes_if(config['conditional'])
  return runs.Run(
      mean_flow(unet_flags.network(config, about, fastest=config['fastest']), about.image_shape,
                times=flow.logit_normal(config['time_mean'], config['time_std']),
                interval_every=config['interval_every'], power=config['weight_power'],
                num_classes=classes, label_dropout=config['label_dropout'],
                solver_steps=config['solver_steps'], guidance=config['guidance']),
      {'flow': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('flow',), config['ema_decay']), num_classes=classes,
      summary=f'A MeanFlow{" given the label" if classes else ""} '
      f'({config["solver_steps"]} steps, guidance {config["guidance"]})')


if __name__ == '__main__':
  train.main(define_flags, build)

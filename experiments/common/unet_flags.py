"""The flags of a U-Net that is told times and a label."""
from collections.abc import Mapping
from typing import Any

from absl import flags

from common import train
from jaxsynth.models.unet import UNet


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  for name, count, least, what in (
      ('width', 64, 1, 'Channels at the largest size inside the network.'),
      ('deep_width', 96, 1, 'Channels at the others.'),
      ('levels', 2, 1, 'Sizes inside the network, each half of the one before.'),
      ('blocks', 1, 1, 'Residual blocks at each size, on the way down and again up.'),
      ('patch', 2, 1, 'Side of the patches in which the image enters.'),
      ('heads', 4, 0, 'Of the attention at the smallest size; 0 for none.'),
      ('hidden', 128, 1, 'Size of the vector that says time and label.')):
    flags.DEFINE_integer(name, count, what, lower_bound=least, flag_values=values)


def network(config: Mapping[str, Any], **options: Any) -> UNet:
  """The network that they and `--dtype` mean; `options` are of its other attributes."""
  return UNet((config['width'], *[config['deep_width']] * (config['levels'] - 1)),
              config['blocks'], config['patch'], config['hidden'], config['heads'],
              train.DTYPES[config['dtype']], **options)

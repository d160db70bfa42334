"""The flags of a network that is told times and a label: a U-Net, or dense layers."""
from collections.abc import Mapping
from typing import Any

from absl import flags

from common import train
from jaxsynth import runs
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.models.unet import UNet


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  flags.DEFINE_enum('network', 'unet', ['unet', 'mlp'], 'A U-Net of images or series; or dense '
                    'layers of any examples, --hidden wide, in --levels times --blocks residual '
                    'blocks.', flag_values=values)
  for name, count, least, what in (
      ('width', 64, 1, 'Channels at the largest size inside the network.'),
      ('deep_width', 96, 1, 'Channels at the others.'),
      ('levels', 2, 1, 'Sizes inside the network, each half of the one before.'),
      ('blocks', 1, 1, 'Residual blocks at each size, on the way down and again up.'),
      ('patch', 2, 1, 'Side of the patches in which the image enters.'),
      ('heads', 4, 0, 'Of the attention at the smallest size; 0 for none.'),
      ('hidden', 128, 1, 'Size of the vector that says time and label.')):
    flags.DEFINE_integer(name, count, what, lower_bound=least, flag_values=values)


def network(config: Mapping[str, Any], about: runs.About, **options: Any) -> UNet | TimeMLP:
  """The network that they and `--dtype` mean; `options` are of its other attributes.

  Raises:
    runs.RunError: a U-Net of examples without a place, as rows of a table.
  """
  if config['network'] == 'mlp':
    return TimeMLP(config['hidden'], config['levels'] * config['blocks'],
                   train.DTYPES[config['dtype']], **options)
  if len(about.image_shape) == 1:
    raise runs.RunError(f'{about.name}: examples of {about.image_shape[0]} numbers, and a U-Net is '
                        'of images or series; --network=mlp learns rows')
  return UNet((config['width'], *[config['deep_width']] * (config['levels'] - 1)),
              config['blocks'], config['patch'], config['hidden'], config['heads'],
              train.DTYPES[config['dtype']], **options)

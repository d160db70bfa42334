"""The flags of a GAN's residual networks, R3GAN's or SNGAN's."""
from collections.abc import Mapping
from typing import Any

from absl import flags

from common import train
from jaxsynth.models import r3gan, sngan


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  flags.DEFINE_enum('network', 'r3gan', ['r3gan', 'sngan'], 'Grouped convolutions and nothing '
                    'normalised, or batch norm in the generator and spectral norm in the '
                    'discriminator.', flag_values=values)
  for name, count, what in (
      ('generator_width', 32, "Channels at the largest image's size."),
      ('discriminator_width', 32, "Channels at the largest image's size."),
      ('greatest_width', 96, 'Channels, which double where images are half as large, at most; of '
       'r3gan: sngan has the same everywhere.'),
      ('stages', 3, 'Sizes of images inside the networks, each half of the one before.'),
      ('blocks', 2, 'Residual blocks of r3gan at each size; sngan has one in the generator, and '
       'four in the discriminator.'),
      ('group_channels', 16, 'Channels of a group of r3gan.')):
    flags.DEFINE_integer(name, count, what, lower_bound=2 if name == 'stages' else 1,
                         flag_values=values)


def networks(config: Mapping[str, Any], image_shape: tuple[int, int, int],
             num_classes: int | None, axis_name: str | None) -> tuple[Any, Any]:
  """The generator and the discriminator that they and `--dtype` mean."""
  dtype, stages = train.DTYPES[config['dtype']], config['stages']
  of_both: dict[str, Any] = {'num_classes': num_classes, 'dtype': dtype}
  if config['network'] == 'sngan':
    return (sngan.Generator(image_shape, config['generator_width'], stages - 1,
                            axis_name=axis_name, **of_both),
            sngan.Discriminator(config['discriminator_width'], **of_both))

  def stage(width: int) -> dict[str, Any]:
    widths = [min(width * 2 ** k, max(width, config['greatest_width'])) for k in range(stages)]
    inner = [r3gan.EXPANSION * width for width in widths]
    size = config['group_channels']
    if wrong := [n for n in inner if n % min(n, size)]:
      raise ValueError(f'--group_channels={size}: expected a divisor of the {wrong[0]} channels '
                       f'inside blocks, {r3gan.EXPANSION} times the width')
    groups = [n // min(n, size) for n in inner]
    return {'widths': widths, 'groups': groups, 'blocks': [config['blocks']] * stages}
  upwards = {name: x[::-1] for name, x in stage(config['generator_width']).items()}
  return (r3gan.Generator(image_shape, **upwards, **of_both),
          r3gan.Discriminator(**stage(config['discriminator_width']), **of_both))

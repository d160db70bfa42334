"""Draws examples of every rule, a row of the rule's own size each, as README shows them.

    python experiments/figures/rules.py --out=experiments/figures/rules.png

Examples are the first ones of seed 0, so that none is chosen.
"""
import pathlib
import sys

from absl import flags
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import paths, program
from jaxsynth import images
from jaxsynth.rules import named
from jaxsynth.runs.ruled import of_rule

WIDTH, GAP = 1280, 4  # pixels
# rule, its spec, how many are drawn, and how many times larger
ROWS = (('scenes', '{"image_size": [120, 160]}', 8, 1),
        ('scenes', '{"image_size": [120, 160], "frames": 4, "frame_rate": 2, "speed": 8, '
                   '"weather": "overcast"}', 2, 1),
        ('shapes', '{"image_size": [40, 40], "channels": 3, "count": [1, 4], "radius": [0.1, 0.3], '
                   '"saturation": [0.3, 1], "texture": ["plain", "stripes", "checks", "dots"]}',
         16, 2),
        ('levels', '{"cells": [5, 5], "tile_size": 12}', 9, 1),
        ('heart', '{}', 9, 1), ('prices', '{}', 9, 1))


def define_flags(values: flags.FlagValues) -> None:
  """The file."""
  paths.define('out', 'experiments/figures/rules.png', 'The PNG.', values)


def row_of(name: str, text: str, num: int, scale: int) -> np.ndarray:
  """Examples side by side, uint8 `[H, WIDTH, 3]`."""
  model = of_rule(name, named.of_name(name, text))
  piece, = model.streamer(0, block=num)(0, num)
  shown = model.kind.shown(piece.arrays).repeat(scale, 1).repeat(scale, 2)
  shown = np.broadcast_to(shown, (*shown.shape[:3], 3))
  padded = np.pad(shown, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
  line = np.concatenate(list(padded), 1)[:, :WIDTH]
  return np.pad(line, ((0, 0), (0, WIDTH - line.shape[1]), (0, 0)), constant_values=255)


def main() -> None:
  picture = np.concatenate([row_of(*row) for row in ROWS])
  images.save_png(flags.FLAGS.out, picture)
  program.done(flags.FLAGS.out)


if __name__ == '__main__':
  program.run(main, define_flags)

"""Levels of a game: mazes of tiles with a way through them, which is given as the proof."""
import dataclasses

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.rules import mazes, tiles as tiles_
from jaxsynth.rules import spec as spec_
from jaxsynth.rules.distributions import Uniform
from jaxsynth.rules.rule import Rule
from jaxsynth.rules.tiles import COIN, DOOR, FLOOR, GOAL, KEY, SPIKES, START, WALL

CLASSES = ('easy', 'medium', 'hard')


@dataclasses.dataclass(frozen=True)
class Levels:
  """How large levels are, how hard, and what is in them.

  Raises:
    ValueError: a field out of its bounds.
  """
  cells: tuple[int, int] = spec_.field((5, 5), 'rows and columns of a maze', 'cells', 2, 32)
  difficulty: Uniform = spec_.field(Uniform(0., 1.), 'how long the way is, among those that '
                                    'the maze has', '', 0, 1)
  locked: bool = spec_.field(True, 'whether the goal is behind a door, and its key elsewhere')
  loops: float = spec_.field(.05, 'share of walls between two cells that are opened', '', 0, 1)
  coins: float = spec_.field(.1, 'share of free tiles with a coin', '', 0, 1)
  spikes: float = spec_.field(.1, 'share of free tiles beside the way that may not be stepped on',
                              '', 0, 1)
  tile_size: int = spec_.field(8, "height and width of a tile's picture", 'pixels', 4, 64)

  def __post_init__(self) -> None:
    spec_.check(self)

  @property
  def size(self) -> tuple[int, int]:
    """Rows and columns of tiles."""
    return 2 * self.cells[0] + 1, 2 * self.cells[1] + 1

  @property
  def most(self) -> int:
    """Tiles that may be open, so none of two legs of a way has more."""
    rows, columns = self.cells
    return 3 * rows * columns - rows - columns


def levels(spec: Levels = Levels()) -> Rule:
  """The rule that draws them; the label is easy, medium or hard: a third of the difficulties.

  An example, with `H, W` rows and columns of tiles:

      image   [H size, W size, 3] in [-1, 1], a picture of the tiles
      label   [] int32
      tiles   [H, W] int32, positions in `rules.tiles.NAMES`
      way     [L, 2] int32, rows and columns of a solution from start to goal, over the key if
              the goal is locked; -1 after its end
      length  [] int32, steps of it: no way from the start over the key to the goal has fewer

  Without a lock and loops a harder level of the same key is never shorter. With a lock it is
  longer in the mean.

  Args:
    spec: what is drawn.

  >>> level = levels(Levels(cells=(3, 4))).draw(jax.random.key(0), jnp.int32(2))
  >>> level['tiles'].shape, level['image'].shape
  ((7, 9), (56, 72, 3))
  """
  return Rule(spec, lambda key, label: _draw(spec, key, label), CLASSES, (1 / 3,) * 3,
              {'image': 'image'})


def _draw(spec: Levels, key: Array, label: Array) -> dict[str, Array]:
  (rows, columns), size = spec.cells, spec.size
  keys = iter(jax.random.split(key, 6))
  open_ = mazes.opened(next(keys), mazes.carved(next(keys), rows, columns), spec.loops)
  low, high = spec.difficulty
  third = (label + jax.random.uniform(next(keys))) / len(CLASSES)
  hard = low + (high - low) * third
  row, column = jnp.indices(size)
  cell = (row % 2 == 1) & (column % 2 == 1)
  start = 1 + 2 * jnp.stack(jnp.divmod(jax.random.randint(
      next(keys), (), 0, rows * columns), columns))
  at = lambda place: (row == place[0]) & (column == place[1])

  steps = mazes.distances(open_, start)
  nearest = 4 if spec.locked else 2  # so that a cell is left for the key, between the two
  goal = mazes.nth(steps, cell & (steps >= nearest), hard)
  if spec.locked:
    # the last tile before the goal is the door; other ways in, which loops make, are walled up
    door = mazes.way_back(steps, goal, 2)[1]
    beside = (jnp.abs(row - goal[0]) + jnp.abs(column - goal[1]) == 1) & ~at(door)
    open_ &= ~(beside & (mazes.distances(open_ & ~at(goal), start) < mazes.FAR))
  home = mazes.distances(open_, goal)
  tiles = jnp.where(open_, FLOOR, WALL)
  if spec.locked:
    outside = mazes.distances(open_ & ~at(door), start)
    lock_key = mazes.nth(outside + home, cell & ~at(start) & (outside < mazes.FAR), hard)
    to_key = mazes.distances(open_ & ~at(door), lock_key)
    length = to_key[start[0], start[1]] + home[lock_key[0], lock_key[1]]
    way = mazes.joined(mazes.way_back(to_key, start, spec.most),
                       mazes.way_back(home, lock_key, spec.most),
                       to_key[start[0], start[1]])
    tiles = jnp.where(at(door), DOOR, jnp.where(at(lock_key), KEY, tiles))
  else:
    length = steps[goal[0], goal[1]]
    way = mazes.way_back(home, start, spec.most)
  tiles = jnp.where(at(goal), GOAL, jnp.where(at(start), START, tiles))
  way = jnp.where((jnp.arange(len(way)) <= length)[:, None], way, -1)
  on_way = jnp.zeros(size, bool).at[way[:, 0], way[:, 1]].set(True)  # -1 is a wall's corner
  u = jax.random.uniform(next(keys), size)
  free = tiles == FLOOR
  tiles = jnp.where(free & (u < spec.coins), COIN, tiles)
  tiles = jnp.where(free & ~on_way & (u > 1 - spec.spikes), SPIKES, tiles)
  return {'image': 2 * tiles_.pictured(tiles, spec.tile_size) - 1, 'label': jnp.int32(label),
          'tiles': tiles, 'way': way, 'length': length}

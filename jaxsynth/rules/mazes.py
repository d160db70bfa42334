"""Mazes on a grid of tiles, and ways through them; whole numbers alone, so exact everywhere."""
import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

STEPS = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int32)  # down and across
FAR = 1 << 20


def carved(key: Array, rows: int, columns: int) -> Array:
  """A maze without loops: depth first, each step to a random neighbour that nobody was at.

  Args:
    key: of the maze.
    rows: of its cells, at least 2.
    columns: of its cells, at least 2.

  Returns:
    Bool `[2 rows + 1, 2 columns + 1]`: which tiles are open. Cells are at odd places, and what
    is between two of them is a wall or a passage.

  >>> carved(jax.random.key(0), 3, 4).shape
  (7, 9)
  """
  n, (down, across) = rows * columns, STEPS.T
  key_start, key_order = jax.random.split(key)
  start = jax.random.randint(key_start, (), 0, n)
  order = jax.random.uniform(key_order, (n, 4))  # the neighbour with the largest comes first
  row, column = jnp.divmod(jnp.arange(n), columns)
  r, c = row[:, None] + down[None], column[:, None] + across[None]
  inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
  neighbours = jnp.where(inside, r * columns + c, 0)

  def move(_: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    stack, depth, visited, tiles = state
    here = stack[depth]
    free = inside[here] & ~visited[neighbours[here]]
    way = jnp.argmax(jnp.where(free, order[here], -1))
    onward = free.any()
    there = jnp.where(onward, neighbours[here, way], here)
    between = (2 * row[here] + 1 + jnp.asarray(down)[way],
               2 * column[here] + 1 + jnp.asarray(across)[way])
    tiles = tiles.at[between].set(tiles[between] | onward)
    depth = jnp.where(onward, depth + 1, jnp.maximum(depth - 1, 0))
    return (stack.at[depth].set(jnp.where(onward, there, stack[depth])), depth,
            visited.at[there].set(True), tiles)

  tiles = np.zeros((2 * rows + 1, 2 * columns + 1), bool)
  tiles[1::2, 1::2] = True
  state = (jnp.zeros(n, jnp.int32).at[0].set(start), jnp.int32(0),
           jnp.zeros(n, bool).at[start].set(True), jnp.asarray(tiles))
  return lax.fori_loop(0, 2 * n, move, state)[3]


def opened(key: Array, tiles: Array, share: float) -> Array:
  """A maze with passages in this share of the walls between two cells, so with loops."""
  height, width = tiles.shape
  between = np.zeros((height, width), bool)
  between[1:-1:2, 2:-1:2] = between[2:-1:2, 1:-1:2] = True
  return tiles | between & (jax.random.uniform(key, tiles.shape) < share)


def distances(tiles: Array, start: Array) -> Array:
  """Steps from a tile to every open one, `FAR` to the others.

  Args:
    tiles: bool `[H, W]`, which are open; those at the border are not.
    start: `[2]`, row and column.

  Returns:
    Int32 `[H, W]`.

  >>> line = jnp.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
  >>> distances(line, jnp.array([1, 1]))[1, 1:4].tolist()
  [0, 1, 2]
  """
  begin = jnp.full(tiles.shape, FAR).at[start[0], start[1]].set(0)

  def grown(steps: Array) -> Array:
    nearest = jnp.stack([jnp.roll(steps, step, (0, 1)) for step in STEPS.tolist()]).min(0)
    return jnp.where(tiles, jnp.minimum(steps, jnp.minimum(nearest + 1, FAR)), steps)

  return lax.while_loop(lambda two: (two[0] != two[1]).any(), lambda two: (two[1], grown(two[1])),
                        (begin, grown(begin)))[0]


def way_back(steps: Array, end: Array, most: int) -> Array:
  """The tiles from an end back to where `distances` began, `[most, 2]`, there repeated.

  Args:
    steps: of `distances`.
    end: `[2]`, row and column, that can be reached.
    most: tiles.
  """
  def back(place: Array, _: None) -> tuple[Array, Array]:
    around = place[None] + STEPS
    nearer = steps[around[:, 0], around[:, 1]] < steps[place[0], place[1]]
    return jnp.where(nearer.any(), around[jnp.argmax(nearer)], place), place
  return lax.scan(back, end.astype(jnp.int32), None, length=most)[1]


def joined(first: Array, second: Array, length: Array) -> Array:
  """Two ways `[A, 2]` and `[B, 2]` one after the other, from the first's `length` on.

  The first ends where the second begins, after `length` steps; the rest is -1.
  """
  k = jnp.arange(len(first) + len(second))
  late = second[jnp.clip(k - length, 0, len(second) - 1)]
  return jnp.where((k < length)[:, None], first[jnp.minimum(k, len(first) - 1)], late)


def nth(values: Array, allowed: Array, share: Array) -> Array:
  """The place of the value that this share of the allowed ones is not above, `[2]`.

  Args:
    values: int32 `[H, W]`, below `FAR`.
    allowed: bool `[H, W]`, at least one.
    share: `[]` in [0, 1]; more of it never gives a smaller value.

  >>> nth(jnp.array([[3, 1, 2]]), jnp.array([[True, True, True]]), jnp.float32(1.)).tolist()
  [0, 0]
  """
  ranked = jnp.argsort(jnp.where(allowed, values, FAR).ravel(), stable=True)
  k = jnp.round(share * (allowed.sum() - 1)).astype(jnp.int32)
  return jnp.stack(jnp.divmod(ranked[k], values.shape[1]))

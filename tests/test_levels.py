"""Levels: an independent search finds the way that each has, and no shorter one."""
from collections import deque
import dataclasses

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import synthesis
from jaxsynth.rules import mazes, rule, spec, tiles
from jaxsynth.rules.distributions import Uniform
from jaxsynth.rules.levels import CLASSES, Levels, levels

SMALL = Levels(cells=(4, 5), tile_size=4, loops=.1, spikes=.3)
CLOSED = (tiles.WALL, tiles.SPIKES)


def drawn(of, n, first=0, labels=None):
  keys = jax.random.split(jax.random.key(first), n)
  return jax.device_get(jax.jit(lambda k: rule.examples(levels(of), k, labels))(keys))


def fewest_steps(level):
  """Breadth first over places and whether the key is held; a door opens to who holds it."""
  rows, columns = level.shape
  (start,), (goal,) = (np.flatnonzero(level == kind).tolist() for kind in (tiles.START, tiles.GOAL))
  flat = level.ravel().tolist()
  first = (start, tiles.KEY not in flat)
  steps, ahead = {first: 0}, deque([first])
  while ahead:
    here = place, held = ahead.popleft()
    if place == goal:
      return steps[here]
    for move in (-columns, 1, columns, -1):
      kind = flat[place + move]
      if kind in CLOSED or kind == tiles.DOOR and not held:
        continue
      there = place + move, held or kind == tiles.KEY
      if there not in steps:
        steps[there] = steps[here] + 1
        ahead.append(there)
  raise AssertionError('no way')


@pytest.mark.parametrize('of', [
    pytest.param(SMALL, marks=pytest.mark.long), Levels(cells=(2, 2)),
    *(pytest.param(of, marks=pytest.mark.long) for of in (
        Levels(loops=1.), dataclasses.replace(SMALL, locked=False)))], ids=str)
def test_every_level_is_solved_by_its_way_and_no_shorter_one(of):
  n = 10000 if of is SMALL else 500
  x = drawn(dataclasses.replace(of, tile_size=4), n)
  for level, way, length in zip(x['tiles'], x['way'], x['length'].tolist()):
    steps = way[:length + 1]
    assert (way[length + 1:] == -1).all() and (np.abs(np.diff(steps, axis=0)).sum(1) == 1).all()
    over = level[steps[:, 0], steps[:, 1]].tolist()
    assert over[0] == tiles.START and over[-1] == tiles.GOAL and not set(over) & set(CLOSED)
    if of.locked:
      assert over.index(tiles.KEY) < over.index(tiles.DOOR)
    assert fewest_steps(level) == length
  assert (np.isin(x['tiles'], [tiles.START]).sum((1, 2)) == 1).all()
  border = np.ones(of.size, bool)
  border[1:-1, 1:-1] = False
  assert (x['tiles'][:, border] == tiles.WALL).all()


def test_a_locked_goal_cannot_be_reached_without_the_key():
  x = drawn(dataclasses.replace(SMALL, loops=.5), 200)
  for level in x['tiles']:
    without = np.where(level == tiles.KEY, tiles.WALL, level)
    without.ravel()[np.flatnonzero(level == tiles.DOOR)] = tiles.WALL
    with pytest.raises(AssertionError, match='no way'):
      fewest_steps(without)


@pytest.mark.long
def test_difficulty_orders_lengths():
  """Of every single maze without a lock, in the mean with one."""
  at = lambda of, hard: drawn(dataclasses.replace(of, difficulty=Uniform(hard, hard)),
                              1000)['length']
  grid = np.linspace(0, 1, 5)
  free = np.stack([at(Levels(tile_size=4, locked=False), hard) for hard in grid])
  assert (np.diff(free, axis=0) >= 0).all() and (free[0] == 2).all()
  locked = np.stack([at(Levels(tile_size=4), hard).mean() for hard in grid])
  assert (np.diff(locked) > 3).all()
  of_class = [drawn(Levels(tile_size=4), 1000, labels=jnp.full(1000, k))['length'].mean()
              for k in range(len(CLASSES))]
  assert (np.diff(of_class) > 5).all()


def test_mazes_are_trees_that_hold_every_cell():
  """A tree of n cells has n - 1 passages; share of walls opened: .5 of those that are left."""
  open_ = np.asarray(jax.vmap(lambda key: mazes.carved(key, 5, 7))(
      jax.random.split(jax.random.key(1), 50)))
  assert (open_.sum((1, 2)) == 2 * 35 - 1).all()
  steps = jax.vmap(lambda x: mazes.distances(x, jnp.array([1, 1])))(jnp.asarray(open_))
  np.testing.assert_array_equal(np.asarray(steps) < mazes.FAR, open_)
  more = jax.vmap(lambda key, x: mazes.opened(key, x, .5))(
      jax.random.split(jax.random.key(2), 50), jnp.asarray(open_))
  walls = 5 * 6 + 4 * 7 - 34
  np.testing.assert_allclose((more.sum((1, 2)) - 69).mean(), walls / 2, rtol=.1)
  assert len({x.tobytes() for x in open_}) == 50


def test_pictures_are_of_the_tiles_and_of_their_own_address():
  stream = synthesis.streamer(rule.sampler(levels(SMALL)), {}, {}, 3, 3, block=4,
                              to_disk=rule.kind_of(levels(SMALL)).to_disk)
  whole = np.concatenate([piece.images for piece in stream(0, 8)])
  np.testing.assert_array_equal(whole[3:6], np.concatenate([p.images for p in stream(3, 6)]))
  kinds = tiles.pictured(jnp.arange(8)[None], 16).reshape(16, 8, 16, 3)
  assert len({kinds[:, k].tobytes() for k in range(8)}) == 8
  assert kinds.min() >= 0 and kinds.max() <= 1
  rows = tiles.pictured(jnp.array([[0, 1], [2, 3]]), 16)
  np.testing.assert_array_equal(rows[16:, :16], kinds[:, tiles.START])


@pytest.mark.parametrize('platform', ['cuda', 'tpu'])
def test_nothing_is_called_on_the_host(platform):
  keys = jax.random.split(jax.random.key(0), 8)
  text = export.export(jax.jit(lambda k: rule.examples(levels(SMALL), k)),
                       platforms=(platform,))(keys).mlir_module()
  assert 'callback' not in text and 'infeed' not in text


@pytest.mark.parametrize('values, message', [
    ({'cells': [1, 5]}, r'cells=.*: expected two whole numbers in \[2, 32\]'),
    ({'difficulty': 2}, r'difficulty=\[2, 2\]: expected numbers in \[0, 1\]'),
    ({'locked': 'yes'}, "locked='yes': expected true or false"),
    ({'lives': 3}, 'lives: no such field'),
])
def test_bad_levels_are_refused(values, message):
  with pytest.raises(ValueError, match=message):
    spec.of_json(Levels, values)
  assert spec.of_json(Levels, spec.to_json(SMALL)) == SMALL

"""Walks through the latents of a model, as pictures: between two, and along each of them."""
import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth import images as pictures, keys as keys_, pixels
from jaxsynth.runs.loading import Trained
from jaxsynth.runs.record import RunError

STREAM = 0x57414c4b  # parts these draws from others of the same seed
REACH = 3.  # standard deviations that a traversal goes to either side


def interpolated(start: Array, stop: Array, columns: int) -> Array:
  """Latents between others, on the arc between them, whose length changes evenly.

  Between normal latents of many dimensions the straight line passes where none lie.

  Args:
    start: `[R, D]`.
    stop: `[R, D]`.
    columns: latents of a walk, its ends among them, at least 2.

  Returns:
    `[R, columns, D]`.

  Raises:
    ValueError: fewer columns.

  >>> import jax.numpy as jnp
  >>> walk = interpolated(jnp.array([[2., 0.]]), jnp.array([[0., 4.]]), 3)
  >>> [round(x, 3) for x in walk[0, 1].tolist()]
  [2.121, 2.121]

  Shoemake 1985; for generative models White 2016, https://arxiv.org/abs/1609.04468, section 2.1.
  """
  if columns < 2:
    raise ValueError(f'columns={columns}: expected at least 2, the ends of a walk')
  share = jnp.linspace(0., 1., columns)[None, :, None]
  lengths = [jnp.linalg.norm(x, axis=-1)[:, None, None] for x in (start, stop)]
  a, b = (x[:, None] / n for x, n in zip((start, stop), lengths))
  angle = jnp.arccos(jnp.clip(jnp.sum(a * b, -1, keepdims=True), -1, 1))
  sine = jnp.where(angle < 1e-4, 1, jnp.sin(angle))
  arc = jnp.where(angle < 1e-4, (1 - share) * a + share * b,
                  jnp.sin((1 - share) * angle) / sine * a + jnp.sin(share * angle) / sine * b)
  return arc * ((1 - share) * lengths[0] + share * lengths[1])


def traversed(base: Array, which: Array, columns: int, reach: float = REACH) -> Array:
  """Latents of which one alone goes from `-reach` to `reach`, a row each.

  Args:
    base: `[D]`, what the others stay at.
    which: `[R]`, the latent that moves in each row.
    columns: latents a row.
    reach: in standard deviations.

  Returns:
    `[R, columns, D]`.

  >>> import jax.numpy as jnp
  >>> traversed(jnp.zeros(2), jnp.array([1]), 3).tolist()
  [[[0.0, -3.0], [0.0, 0.0], [0.0, 3.0]]]
  """
  moved = jax.nn.one_hot(which, len(base))[:, None]  # [R, 1, D]
  steps = jnp.linspace(-reach, reach, columns)[None, :, None]
  return (1 - moved) * base[None, None] + moved * steps


def walks(model: Trained, *, rows: int = 10, columns: int = 11, seed: int = 0,
          label: int | None = None) -> dict[str, np.ndarray]:
  """Both walks as pictures, a walk a row.

  Args:
    model: one whose samples are a decoder's of one latent.
    rows: walks; of a traversal at most as many as there are latents, those first that change
      the image most.
    columns: images of a walk, at least 2.
    seed: of the latents.
    label: of a conditional model's images; by default row r has label `r mod K`, and a
      traversal label 0.

  Returns:
    `{'interpolation': uint8 [H', W', C], 'traversal': likewise}`.

  Raises:
    RunError: a model without such a decoder, or a label that it has not.
    ValueError: too few rows or columns.
  """
  decoder, classes = model.run.decoder, model.run.num_classes
  if decoder is None:
    raise RunError('a sample of this run is not one network applied to one latent, so there is '
                   'nothing to walk through')
  if label is not None and (classes is None or not 0 <= label < classes):
    raise RunError(f'label {label}: expected ' + (
        'none, as the run is not conditional' if classes is None else f'one of 0 to {classes - 1}'))
  if rows < 1:
    raise ValueError(f'rows={rows}: expected at least 1')
  decode = jax.jit(decoder.apply)

  def decoded(z: Array, labels: Array) -> Array:
    """Images `[R, columns, H, W, C]` in [-1, 1], of latents `[R, columns, D]` and labels `[R]`."""
    given = () if classes is None else (jnp.repeat(labels, z.shape[1]),)
    flat = decode(model.params, model.variables, z.reshape(-1, z.shape[-1]), *given)
    return flat.reshape(*z.shape[:2], *flat.shape[1:])

  def sheet(x: Array) -> np.ndarray:
    return pictures.grid(pixels.to_uint8(x.reshape(-1, *x.shape[2:])), columns)

  key = jax.random.fold_in(keys_.of_seed(seed), STREAM)
  start, stop = jax.random.normal(key, (2, rows, decoder.latent_dim))
  labels = jnp.arange(rows) % (classes or 1) if label is None else jnp.full(rows, label)
  every = jnp.arange(decoder.latent_dim)
  along = decoded(traversed(start[0], every, columns), jnp.full(len(every), label or 0))
  change = jnp.mean(jnp.var(along, 1), (1, 2, 3))
  most = jnp.argsort(-change)[:rows]
  return {'interpolation': sheet(decoded(interpolated(start, stop, columns), labels)),
          'traversal': sheet(along[most])}

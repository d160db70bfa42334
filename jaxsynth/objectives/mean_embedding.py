"""Generators that match released mean embeddings: one player, which sees no example."""
import math
from typing import Any

import chex
import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.objectives import network
from jaxsynth.types import Batch, Context, Objective, PerPlayer

GOLDEN = 2654435769  # 2^32 / 1.618...: multiples of it are spread evenly


def mean_embedding(generator: Any, embedding: Any, *, latent_dim: int = 100,
                   num_classes: int | None = None, temperature: float = 1.) -> Objective:
  """Binds a generator and an embedding into an objective.

  The player `generator` descends the squared distance of two matrices `[D, K]`, the released one
  and that of its own samples,

      |R - M|^2,   R ~ E phi(x) e_y^T,   M = 1/B sum_i phi(g(z_i, y_i)) e_{y_i}^T,

  where `e_y` is one-hot, `K = 1` without labels, and `|M|^2` is estimated without the products of
  samples with themselves, so that it has no bias (and may be below the distance, even below 0).
  Labels `y_i` come in the released shares of the classes, as evenly as whole numbers can.

  No example of a batch is looked at, only how many there are: what it learns is what was released,
  `means [D, K]` and `shares [K]` in `variables['shared']`. `init` leaves zeros and equal shares
  there, which `privacy.embedding_release.take` replaces before the first step.

  Args:
    generator: has Linen's `init` and `apply`, called as `(z, train=)` with `z` `[B, latent_dim]`,
      or `(z, label, train=)` if conditional; gives what the embedding takes.
    embedding: `privacy.embeddings.Embedding`, or what has its `size`, `init` and `apply`.
    latent_dim: size of the normal latent.
    num_classes: number of labels; `None` for an unconditional model.
    temperature: standard deviation of the latents of `sample`, above 0; training draws with 1.

  Returns:
    An `Objective`. `sample`'s `cond` is labels `[n]` if conditional. It raises `ValueError` if
    labels are missing or not wanted; `init` does if the batch lacks them, or if what is generated
    is not shaped as the data.

  Raises:
    ValueError: a temperature that is not above 0.

  Harder et al. 2021, https://arxiv.org/abs/2002.11603, equations 7 and 9; the estimate without
  bias: Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html, lemma 6.
  """
  if not 0 < temperature < math.inf:
    raise ValueError(f'temperature={temperature}: expected a number above 0')
  conditional, classes = num_classes is not None, num_classes or 1
  latents = jax.vmap(lambda key: jax.random.normal(key, (latent_dim,)))

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    key_g, key_z, key_embedding = jax.random.split(key, 3)
    example = conditions.learned(batch)[:1]
    labels = tuple(x[:1] for x in conditions.of_batch(
        batch, 'a generator given the label', conditional))
    z = latents(key_z[None])
    params, state = network.init(generator, key_g, z, *labels)
    drawn = jax.eval_shape(lambda: network.apply(generator, params, state, z, *labels)[0])
    if drawn.shape != example.shape:
      raise ValueError(f'what is generated is {drawn.shape[1:]}, the data are {example.shape[1:]}')
    return {'generator': params}, {'generator': state, 'shared': {
        'embedding': embedding.init(key_embedding),
        'means': jnp.zeros((embedding.size, classes)),
        'shares': jnp.full((classes,), 1 / classes)}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    shared, n = variables['shared'], len(conditions.learned(batch))
    key_latents, key_labels, key_device = jax.random.split(ctx.key, 3)
    labels = spread_labels(key_labels, keys_.indices(n, ctx), shared['shares'])
    samples, state = network.apply(
        generator, params['generator'], variables['generator'],
        latents(keys_.per_example(key_latents, n, ctx)), *((labels,) if conditional else ()),
        train=ctx.train, key=keys_.per_part(key_device, ctx))
    one_hot = jax.nn.one_hot(labels, classes)
    drawn = embedding.apply(shared['embedding'], samples).T @ one_hot / n  # M
    there = jnp.mean(one_hot, 0)
    if ctx.axis_name is not None:
      drawn, there = lax.pmean((drawn, there), ctx.axis_name)
      n = n * lax.psum(1, ctx.axis_name)
    value = squared_distance(shared['means'], drawn, there, n)
    return {'generator': value}, ({**variables, 'generator': state}, {})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != conditional:
      raise ValueError(f'cond: expected {"labels [n]" if conditional else None}, got {cond}')
    z = latents(keys)
    return network.apply(generator, params['generator'], variables['generator'],
                         z if temperature == 1 else temperature * z,
                         *(() if cond is None else (cond,)))[0]

  return Objective(init, loss, sample,
                   'the distance is that of the mean of the whole batch to what was released')


def squared_distance(released: Array, drawn: Array, shares: Array, n: Array | int) -> Array:
  """`|R - E M|^2`, estimated without bias from independent samples of norm 1.

      sum_k n_k / (n_k - 1) (|M_k|^2 - n_k / n^2) - 2 R_k.M_k + |R_k|^2

  where the column `M_k` is of the `n_k` samples of class `k`; of a single one its square is kept.

  Args:
    released: `R`, `[D, K]`.
    drawn: `M`, `[D, K]`, sums over each class divided by `n`.
    shares: of the classes among the samples, `n_k / n`, `[K]`.
    n: samples.

  Returns:
    `[]`.

  >>> phi = jnp.array([[1., 0.], [0., 1.]])  # of two samples of one class
  >>> mean = phi.mean(0)[:, None]
  >>> float(squared_distance(jnp.zeros((2, 1)), mean, jnp.ones(1), 2))  # their product
  0.0
  """
  chex.assert_equal_shape([released, drawn])
  counts = n * shares
  several = counts > 1.5
  squares = jnp.sum(drawn ** 2, 0)
  products = jnp.where(several, counts / jnp.where(several, counts - 1, 1) * (
      squares - shares / n), squares)
  return jnp.sum(products - 2 * jnp.sum(released * drawn, 0) + jnp.sum(released ** 2, 0))


def spread_labels(key: Array, indices: Array, shares: Array) -> Array:
  """Labels of samples by their place in the batch: every run of them has the classes' shares.

  Sample `i` gets the class at `u + i / golden ratio`, modulo 1, of the cumulative shares, with
  one uniform `u` for all: each label has its class's probability, and counts are off by less than
  a few, where independent draws are off by a root of theirs.

  Args:
    key: of `u`.
    indices: places, int32 `[B]`.
    shares: `[K]`, at least 0, of sum 1.

  Returns:
    int32 `[B]`.

  >>> labels = spread_labels(jax.random.key(0), jnp.arange(100), jnp.array([.2, .5, .3]))
  >>> bool(jnp.abs(jnp.bincount(labels, length=3) - jnp.array([20, 50, 30])).max() < 3)
  True
  """
  start = jax.random.bits(key, (), jnp.uint32)
  places = start + indices.astype(jnp.uint32) * jnp.uint32(GOLDEN)  # modulo 2^32
  u = places.astype(jnp.float32) / 2.**32
  bounds = jnp.cumsum(shares)[:-1]
  return jnp.sum(u[:, None] >= bounds[None], -1, dtype=jnp.int32)

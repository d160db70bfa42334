"""A rule: a distribution written down as a pure function of a key."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax import Array


class Rule(NamedTuple):
  """Draws examples of which everything is known.

  Attributes:
    spec: what it draws, a frozen dataclass that `rules.spec` writes and reads.
    draw: `(key, label) -> example`, one example of named arrays without a batch's axis; pure,
      of static shapes.
    class_names: of the labels; empty where there are none, and then `label` is not looked at.
    shares: how often each class comes where nobody asks for labels.
  """
  spec: Any
  draw: Callable[[Array, Any], dict[str, Array]]
  class_names: tuple[str, ...] = ()
  shares: tuple[float, ...] = ()


def examples(rule: Rule, keys: Array, labels: Array | None = None) -> dict[str, Array]:
  """A batch of examples, a key each.

  Args:
    rule: which.
    keys: `[B]`.
    labels: int32 `[B]`; by default drawn with the rule's shares. Not for a rule without classes.

  Returns:
    Named arrays `[B, ...]`.

  Raises:
    ValueError: labels of a rule without classes.
  """
  if labels is None:
    return jax.vmap(lambda key: rule.draw(*drawn_label(rule, key)))(keys)
  if not rule.class_names:
    raise ValueError('labels: this rule has no classes')
  return jax.vmap(rule.draw)(keys, labels)


def drawn_label(rule: Rule, key: Array) -> tuple[Array, Array | None]:
  """A key for the rest of an example, and its label by the rule's shares, if it has classes."""
  if not rule.class_names:
    return key, None
  rest, mine = jax.random.split(key)
  shares = jax.numpy.array(rule.shares or (1 / len(rule.class_names),) * len(rule.class_names))
  return rest, jax.random.choice(mine, len(rule.class_names), p=shares).astype('int32')


def sampler(rule: Rule) -> Callable[[Mapping, Mapping, Array, Array | None], Array]:
  """The images alone, as `Objective.sample` has them: `(params, variables, keys, labels)`."""
  return lambda params, variables, keys, labels: examples(rule, keys, labels)['image']

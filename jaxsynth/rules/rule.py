"""A rule: a distribution written down as a pure function of a key."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.kinds.image_kind import images
from jaxsynth.kinds.kind import Field, Form, Kind, on_disk
from jaxsynth.kinds.series_kind import series


class Rule(NamedTuple):
  """Draws examples of which everything is known.

  Attributes:
    spec: what it draws, a frozen dataclass that `rules.spec` writes and reads.
    draw: `(key, label) -> example`, one example of named arrays without a batch's axis; pure,
      of static shapes.
    class_names: of the labels; empty where there are none, and then `label` is not looked at.
    shares: how often each class comes where nobody asks for labels.
    forms: how arrays lie on disk, by name; others do as numbers.
    large: whether an example fills a CPU's caches, where a batch is then drawn one by one.
    parts: `draw` in two for CPUs, `None` for one: `plan(key, label) -> tree`, which is drawn for
      a batch at once, and `paint(tree) -> example`, for one after another.
  """
  spec: Any
  draw: Callable[[Array, Any], dict[str, Array]]
  class_names: tuple[str, ...] = ()
  shares: tuple[float, ...] = ()
  forms: Mapping[str, Form] = {}
  large: bool = False
  parts: tuple[Callable[[Array, Any], Any], Callable[[Any], dict[str, Array]]] | None = None


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
  if labels is not None and not rule.class_names:
    raise ValueError('labels: this rule has no classes')

  def draw(key: Array, *label: Array) -> dict[str, Array]:
    return rule.draw(key, *label) if label else rule.draw(*drawn_label(rule, key))
  arguments = (keys,) if labels is None else (keys, labels)
  if not rule.large and rule.parts is None:
    return jax.vmap(draw)(*arguments)

  def one_by_one(*batch: Array) -> dict[str, Array]:
    if rule.parts is None:
      return lax.map(lambda x: draw(*x), batch)
    plan, paint = rule.parts
    planned = jax.vmap(lambda key, *label: plan(*(
        (key, *label) if label else drawn_label(rule, key))))(*batch)
    return lax.map(paint, planned)
  return lax.platform_dependent(*arguments, default=jax.vmap(draw), cpu=one_by_one)


def drawn_label(rule: Rule, key: Array) -> tuple[Array, Array | None]:
  """A key for the rest of an example, and its label by the rule's shares, if it has classes."""
  if not rule.class_names:
    return key, None
  rest, mine = jax.random.split(key)
  shares = jnp.array(rule.shares or (1 / len(rule.class_names),) * len(rule.class_names))
  return rest, jax.random.choice(mine, len(rule.class_names), p=shares).astype('int32')


def sampler(rule: Rule) -> Callable[..., Any]:
  """All of the examples, as `Objective.sample` is called: `(params, variables, keys, labels)`."""
  return lambda params, variables, keys, labels: examples(rule, keys, labels)


def kind_of(rule: Rule) -> Kind:
  """What its examples are: pixels as PNG, whole numbers and floats as the rule's `forms` say.

  Of a rule without pictures, models would learn its series, whose range is not known here.
  """
  drawn = jax.eval_shape(lambda key: rule.draw(*drawn_label(rule, key)), jax.random.key(0))
  fields = {name: _field(rule, name, x) for name, x in drawn.items()}

  def to_disk(batch: Mapping[str, Array]) -> dict[str, Array]:
    return {name: on_disk(fields[name], x) for name, x in batch.items() if name != 'label'}
  if 'image' in fields:
    learned = images(fields['image'].shape)
  else:
    shape = fields['series'].shape
    learned = series(shape, [-1.] * shape[-1], [1.] * shape[-1])
  return learned._replace(fields=fields, to_disk=to_disk,
                          condition='label' if rule.class_names else None)


def _field(rule: Rule, name: str, x: Any) -> Field:
  if name == 'label':
    return Field((), 'int64', 'class', len(rule.class_names), rule.class_names)
  form = rule.forms.get(name, 'numbers')
  whole = jnp.issubdtype(x.dtype, jnp.integer)
  if form == 'image':
    return Field((*x.shape, 1) if whole else x.shape)
  return Field(x.shape, 'int64' if whole else 'float32', form)

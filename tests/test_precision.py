"""With --dtype=bfloat16, what is multiplied is bfloat16 and what is summed or kept float32."""
import functools

from common import experiments
from flax import linen as nn
import jax
from jax import export
from jax.interpreters import mlir
import jax.numpy as jnp
from jaxlib.mlir import ir
import numpy as np
import optax
import pytest
import tiers
import training

from jaxsynth import ops, train_step as ts
from jaxsynth.models.classifier import Classifier
from jaxsynth.models.layers import Dense
from jaxsynth.objectives.classify import classify

BATCH = 11  # a size that no other axis has
WIDE = (40, 36, 1)  # more pixels than the classifier's last image may have
GAN = ('--conditional', '--conditional_norm')
# case: program, its flags besides those of a tiny network
CASES = {
    **{name: (name, ('--conditional',)) for name in experiments.names()},
    # each example has a derivative, or those that have would be a batch of another size
    'mnist_meanflow': ('mnist_meanflow', ('--conditional', '--interval_every=1')),
    'labels_norms': ('mnist_dcgan', GAN),
    'groups': ('mnist_dcgan', (*GAN, '--generator_norm=group')),
    'relativistic': ('mnist_dcgan', ('--loss=relativistic_average',)),
    'gaussian': ('mnist_vae', ('--likelihood=gaussian',)),
    'dense': ('mnist_vae', ('--network=mlp', '--conditional')),
    'residual': ('mnist_vae', ('--network=residual', '--kl=sampled')),
    'relativistic_pairs': ('mnist_dcgan', ('--loss=relativistic', '--r1=1', '--r2=1')),
    'spectral': ('mnist_dcgan', ('--conditional', '--spectral_norm', '--loss=hinge')),
    'sngan': ('mnist_gan', ('--conditional', '--network=sngan')),
    'classifier': (None, ())}
ADDS = ('stablehlo.reduce', 'stablehlo.reduce_window', 'stablehlo.scatter',
        'stablehlo.all_reduce', 'stablehlo.reduce_scatter')
PRODUCTS = ('stablehlo.convolution', 'stablehlo.dot_general')


def algorithm_of(name, given, dtype):
  if name is None:
    net = Classifier(10, widths=(4, 8), dtype=jnp.dtype(dtype), features=6)
    return 'image', WIDE, ts.build(classify(net), {'classifier': optax.adam(1e-3)}, ema=ts.EMA())
  config = training.config_of(*given, f'--dtype={dtype}', *training.data_of(name), name=name)
  about = training.about(name)
  return about.kind.name, about.image_shape, experiments.program(name).build(
      config, about).algorithm()


@functools.cache
def program(case, dtype='bfloat16'):
  """A step's shapes in and out, and what a TPU gets: (operation, operands, results) of each."""
  what, shape, algorithm = algorithm_of(*CASES[case], dtype)
  batch = {what: jax.ShapeDtypeStruct((BATCH, *shape), np.float32),
           'label': jax.ShapeDtypeStruct((BATCH,), np.int32)}
  key = jax.random.key(0)
  state = jax.eval_shape(algorithm.init, key, batch)
  text = export.export(ts.jit(algorithm.step), platforms=('tpu',))(state, batch, key).mlir_module()
  return (state, jax.eval_shape(algorithm.step, state, batch, key)), operations(text)


def operations(text):
  """Every operation that a module may run, those of its functions and regions included."""
  every = []
  with mlir.make_ir_context():
    def visit(op):
      every.append((op.name, [types(x) for x in op.operands], [types(x) for x in op.results],
                    {inner.operation.name for region in op.regions for block in region
                     for inner in block}))
      return ir.WalkResult.ADVANCE
    ir.Module.parse(text).operation.walk(visit)
  return every


def types(value):
  """`(element type, shape)` of a tensor, or `(its text, ())` of anything else."""
  if not isinstance(value.type, ir.RankedTensorType):
    return str(value.type), ()
  return str(value.type.element_type), tuple(value.type.shape)


EVERY = tiers.every('case', CASES, ('mnist_dcgan', 'classifier'))


def dtypes_of(tree):
  return {str(x.dtype) for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.floating)}


@EVERY
def test_parameters_optimizers_averages_statistics_and_metrics_are_float32(case):
  (state, (after, metrics)), _ = program(case)
  for tree in (state.params, state.opt_state, state.ema, after.params, after.opt_state, after.ema,
               metrics):
    assert dtypes_of(tree) == {'float32'}
  assert dtypes_of((state.variables, after.variables)) <= {'float32'}


def sums_in_bfloat16(every):
  """Sums, of whatever kind, whose operands or results are bfloat16; maxima are exact."""
  return [(name, operands) for name, operands, results, inside in every
          if name in ADDS and 'stablehlo.add' in inside
          and any(kind == 'bf16' for kind, _ in (*operands, *results))]


@EVERY
def test_nothing_is_summed_in_bfloat16(case):
  _, every = program(case)
  assert not sums_in_bfloat16(every)
  assert any(name in ADDS for name, *_ in every)


@EVERY
def test_what_is_summed_over_the_batch_leaves_as_float32(case):
  """Gradients of kernels: their products are summed wide, and nothing rounds them after."""
  _, every = program(case)
  products = [(operands, results) for name, operands, results, _ in every if name in PRODUCTS]
  kernels = [kind for _, [(kind, shape)] in products if BATCH not in shape]
  assert kernels and set(kernels) == {'f32'}


@EVERY
def test_products_are_of_bfloat16_but_for_the_last_dense_layers(case):
  _, every = program(case)
  products = [(name, operands) for name, operands, _, _ in every if name in PRODUCTS]
  for name, operands in products:
    kinds = {kind for kind, _ in operands}
    assert len(kinds) == 1, 'both alike, or units for mixed products are not used'
    if name == 'stablehlo.convolution':
      assert kinds == {'bf16'}
  # a mixture's likelihood is exact, in float32
  assert case == 'table_mixture' or any(
      name == 'stablehlo.dot_general' and operands[0][0] == 'bf16' for name, operands in products)


@EVERY
def test_in_float32_nothing_is_bfloat16(case):
  _, every = program(case, 'float32')
  assert 'bf16' not in {kind for _, operands, results, _ in every
                        for kind, _ in (*operands, *results)}


def test_a_sum_in_bfloat16_is_seen():
  """What jax makes of a bias added in bfloat16, as of an average of windows."""
  def loss(bias, x):
    return jnp.sum((x + bias[None]).astype(jnp.float32) ** 2)
  shapes = [jax.ShapeDtypeStruct(shape, jnp.bfloat16) for shape in ((3,), (BATCH, 3))]
  text = export.export(jax.jit(jax.grad(loss)), platforms=('tpu',))(*shapes).mlir_module()
  assert sums_in_bfloat16(operations(text))


@pytest.mark.parametrize('layer', ['dense', 'conv', 'conv_transpose'])
def test_a_kernels_gradient_is_not_rounded(layer):
  """It is the sum of 257 ones, which is no bfloat16."""
  n = 257
  if layer == 'dense':
    x, kernel, f = jnp.ones((n, 1)), jnp.ones((1, 1)), ops.dense
  else:
    x, kernel = jnp.ones((n, 1, 1, 1)), jnp.ones((1, 1, 1, 1))
    f = functools.partial(lambda g, x, kernel, dtype: g(x, kernel, dtype=dtype),
                          getattr(ops, layer))
  gradient = jax.jit(jax.grad(
      lambda kernel: jnp.sum(f(x, kernel, dtype=jnp.bfloat16).astype(jnp.float32))))(kernel)
  assert gradient.dtype == jnp.float32 and gradient.item() == n


def test_dense_equals_linens(key):
  """The same parameters, values and gradients, in float32 to the bit."""
  x = jax.random.normal(key, (5, 4, 3))

  def all_of(net):
    params = net.init(key, x)
    loss = lambda params, x: jnp.sum(jnp.sin(net.apply(params, x).astype(jnp.float32)))
    return params, net.apply(params, x), jax.grad(loss, (0, 1))(params, x)
  for dtype, tolerance in ((jnp.float32, 0), (jnp.bfloat16, 2 ** -6)):
    got, want = (jax.jit(all_of, static_argnums=0)(kind(7, dtype=dtype))
                 for kind in (Dense, nn.Dense))
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want)):
      assert a.dtype == b.dtype
      a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
      np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (1 + np.abs(b).max()))


def test_dense_says_what_does_not_fit():
  with pytest.raises(ValueError, match=r'x \[2, 3\], kernel \[4, 5\]: expected \[..., C\]'):
    ops.dense(jnp.ones((2, 3)), jnp.ones((4, 5)))

"""Steps of every family as GPUs and TPUs get them, lowered on a machine that has neither."""
import functools
import re

from common import experiments
import jax
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir, passmanager
import numpy as np
import pytest
import tiers
import training

from jaxsynth import train_step as ts

RESIZED = ('mnist_gan',)  # by products instead of strides
DENSE = ('series_flow', 'table_flow', 'table_mixture')  # without convolutions
OF_TABLES = ('table_flow', 'table_mixture')  # with the positions of values
ON_THE_GPU = 'custom_call @cusolver_potrf_ffi'  # a factor by the GPU's own library
GIVEN = {'plain': (), 'conditional': ('--conditional',), 'bfloat16': ('--dtype=bfloat16',)}
EVERY = tiers.every('name', experiments.names(), experiments.names()[:1])
HOW = pytest.mark.parametrize('given', GIVEN)


@functools.cache
def arguments(name, given):
  """A step, and the shapes of what it takes."""
  config = training.config_of(*GIVEN[given], *training.data_of(name), name=name)
  about = training.about(name)
  run = experiments.program(name).build(config, about)
  algorithm = run.algorithm()
  one_phase = {about.kind.name: jax.ShapeDtypeStruct((8, *about.image_shape), np.float32),
               'label': jax.ShapeDtypeStruct((8,), np.int32)}
  key = jax.random.key(0)
  state = jax.eval_shape(algorithm.init, key, one_phase)
  batch = one_phase if run.phases == 1 else jax.tree.map(
      lambda x: jax.ShapeDtypeStruct((run.phases, *x.shape), x.dtype), one_phase)
  return algorithm.step, (state, batch, key)


@functools.cache
def lowered(name, given, platform):
  """The text of the step's StableHLO for a platform, without branches that it never takes."""
  step, shapes = arguments(name, given)
  text = export.export(ts.jit(step), platforms=(platform,))(*shapes).mlir_module()
  with mlir.make_ir_context():
    module = ir.Module.parse(text)
    passmanager.PassManager.parse('builtin.module(inline,canonicalize)').run(module.operation)
    return str(module)


@EVERY
@HOW
@pytest.mark.parametrize('platform', ['cuda', 'tpu'])
def test_nothing_in_a_step_waits_for_the_host(name, given, platform):
  text = lowered(name, given, platform).replace(ON_THE_GPU, '')
  for word in ('custom_call', 'infeed', 'outfeed', 'stablehlo.send', 'stablehlo.recv', 'f64',
               'stablehlo.while', 'stablehlo.case'):
    assert word not in text, word
  gathers = text.count('stablehlo.gather"') + text.count('stablehlo.dynamic_gather')
  # the rows of a table of labels
  assert gathers == 0 or given == 'conditional' or name in OF_TABLES


def convolutions(text):
  """The types of the two operands of each."""
  lines = [line for line in text.splitlines() if 'stablehlo.convolution' in line]
  return [re.search(r': \((tensor<\S+>), (tensor<\S+>)\) ->', line).groups() for line in lines]


@EVERY
@HOW
def test_convolutions_are_the_platforms_own(name, given):
  """One each, dilated where it is transposed: no phases, windows or shifted sums of CPUs."""
  tpu, cpu = (lowered(name, given, platform) for platform in ('tpu', 'cpu'))
  if name in DENSE:
    assert not convolutions(tpu + cpu + lowered(name, given, 'cuda'))
    return
  assert lowered(name, given, 'cuda') == tpu
  assert ('lhs_dilate = [2, 2]' in tpu) == (name not in RESIZED)
  assert 3 * tpu.count('stablehlo.slice') < 2 * cpu.count('stablehlo.slice')
  kinds = {kind.rpartition('x')[2] for pair in convolutions(tpu) for kind in pair}
  assert kinds == ({'bf16>'} if given == 'bfloat16' else {'f32>'})


@EVERY
def test_every_leaf_of_the_state_is_donated_and_used(name):
  step, shapes = arguments(name, 'plain')
  text = ts.jit(step).lower(*shapes).as_text()
  assert text.count('tf.aliasing_output') == len(jax.tree.leaves(shapes[0]))


@EVERY
@pytest.mark.parametrize('given', ['bfloat16'])
def test_parameters_and_losses_stay_in_float32(name, given):
  step, shapes = arguments(name, given)
  state, metrics = jax.eval_shape(step, *shapes)
  floating = [x.dtype for x in jax.tree.leaves((state, metrics))
              if jax.numpy.issubdtype(x.dtype, np.floating)]
  assert set(floating) == {np.dtype(np.float32)}

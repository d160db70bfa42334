"""Planning numbers: counts against counts by hand, and a plan of the smallest training."""
import functools
import json
import pathlib
import subprocess
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import ops

ROOT = pathlib.Path(__file__).parent.parent
BENCHMARKS = ROOT / 'experiments/benchmarks'
sys.path.insert(0, str(BENCHMARKS))
import chips
import collectives
import cost
import planned
import settings
import steps
from cost import Cost, Product

SMALL = {'generator_width': 4, 'discriminator_width': 4, 'batch_size': 8}


@functools.cache
def shipped():
  return {setting.name: setting for setting in settings.shipped()[0]}


def small(name):
  setting = shipped()[name]
  return setting._replace(config={**setting.config, **SMALL})


def test_every_program_and_every_flagfile_of_one_is_planned():
  names = set(shipped())
  assert {'mnist_dcgan', 'mnist_vae', 'quickstart', 'pipeline_quick_train', 'classifier'} <= names
  assert not {'pipeline_quick', 'pipeline'} & names
  assert shipped()['quickstart'].config['generator_width'] == 32


def by_hand(batch, g, d):
  """FLOPs of a step of the DCGAN: every layer's product forward, and once for each gradient.

  The generator's layers have both gradients but for the latent's; the discriminator's are of
  two batches, and the real images need no gradient. The fakes' gradient for the generator's
  loss and the kernels' for the discriminator's are two passes back, through one forward pass.
  """
  dense = 100 * 49 * g
  transposed = [(49, 25 * g * g), (49, 25 * g * g), (196, 25 * g * g)]  # small places, taps
  last = 784 * 49 * g
  generator = sum(places * taps for places, taps in transposed) + last
  first, second, head = 196 * 25 * d, 49 * 25 * d * d, 49 * d
  discriminator = first + second + head
  of_images = 2 * discriminator + 2 * discriminator  # forward and kernels' gradients, of both
  back = 2 * (second + head)  # to the first layer's output, of both, for the kernels
  for_the_generator = first + second + head  # to the fakes
  return 2 * batch * (2 * dense + 3 * generator + of_images + back + for_the_generator)


def test_a_dcgans_flops_are_those_counted_by_hand():
  algorithm, shapes = settings.step_of(small('mnist_dcgan'))
  for platform in ('tpu', 'cuda'):
    counted = cost.of_step(algorithm.step, shapes, platform).flops
    assert counted == pytest.approx(by_hand(8, 4, 4), rel=.01)


def test_xlas_count_is_the_same_where_nothing_is_padded():
  def step(x, w):
    return jax.value_and_grad(lambda w: jnp.sum(ops.conv(x, w, 2, 'VALID') ** 2))(w)
  shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((3, 9, 9, 8), (3, 3, 8, 16))]
  counted = cost.of_step(step, shapes)
  assert counted.flops == 2 * 2 * 3 * 4 * 4 * 9 * 8 * 16
  assert counted.flops == pytest.approx(counted.xla_flops, rel=.05)


@pytest.mark.parametrize('k, s', [(5, 2), (3, 1), (4, 2)])
def test_a_transposed_convolution_costs_what_its_kernel_does(k, s):
  """No product with a zero of the dilation counts."""
  shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((2, 6, 6, 3), (k, k, 3, 7))]
  counted = cost.of_step(lambda x, w: ops.conv_transpose(x, w, s), shapes)
  assert counted.flops == pytest.approx(2 * 2 * 36 * k * k * 3 * 7)


def test_a_function_that_is_called_twice_counts_twice():
  product = jax.jit(lambda x, w: jnp.tanh(x @ w))
  shapes = [jax.ShapeDtypeStruct((8, 8), jnp.float32)] * 2
  once, twice = (cost.of_step(f, shapes) for f in (
      product, lambda x, w: product(product(x, w), w)))
  assert (once.flops, twice.flops) == (2 * 8 ** 3, 4 * 8 ** 3)


def test_what_is_elementwise_is_read_where_it_is_used():
  """A sum of functions of an array reads it once, and what follows a product reads it again."""
  x = jax.ShapeDtypeStruct((1000,), jnp.float32)
  chain = cost.of_step(lambda x: jnp.sum(jnp.exp(x) + jnp.sin(x) * x.astype(jnp.bfloat16)), [x])
  assert chain.bytes == pytest.approx(4 * 1000, rel=.01)
  a = jax.ShapeDtypeStruct((100, 100), jnp.bfloat16)
  assert cost.of_step(lambda a: (a + 1) @ a, [a]).bytes == 2 * 10 ** 4 * 2  # one array in
  assert cost.of_step(jnp.matmul, [a, a]).bytes == 2 * 10 ** 4 * 3
  assert cost.of_step(lambda a, b: a @ b + 1, [a, a]).bytes == 2 * 10 ** 4 * 5


def test_loops_are_refused():
  with pytest.raises(ValueError, match='stablehlo.while'):
    cost.of_step(lambda x: jax.lax.fori_loop(0, 9, lambda _, x: x * 2, x), [jnp.ones(3)])


def test_padding_makes_narrow_products_as_dear_as_wide_ones():
  wide, narrow = Product(64, 128, 128, 9), Product(64, 32, 1, 9)
  assert wide.padded((128, 128, 8)) == wide.flops
  assert narrow.padded((128, 128, 8)) == 2 * 9 * 128 * 128 * 8  # rows where columns are 128
  assert Product(64, 16, 8, 1, 4).padded((16, 8, 64)) == 4 * 2 * 64 * 16 * 8


def test_a_step_takes_what_is_longest_and_then_what_is_sent():
  chip = chips.CHIPS[0]._replace(flops=100., bandwidth=10., link=5., tile=(1, 1, 1))
  assumed = chips.Assumed(.5, 1., 1., 2.)
  one = Cost((Product(10, 10, 1, 1),), 30., 1, 0., 0.)
  time = chips.predicted(one, chip, assumed, sent=10.)
  assert time == (4., 3., 2., 2.) and time.total == 6. and time.bound == 'compute'
  assert chips.predicted(one._replace(bytes=90.), chip, assumed).bound == 'memory'
  assert chips.predicted(one._replace(launches=9), chip, assumed).bound == 'launches'


def test_the_batch_at_the_ridge_is_where_intensity_is_the_chips():
  chip = chips.CHIPS[0]._replace(flops=100., bandwidth=10.)
  assert chips.batch_at_ridge((1, 20., 9.), (3, 60., 11.), chip) == 8  # 160 FLOPs, 16 bytes
  assert chips.batch_at_ridge((1, 5., 9.), (3, 15., 11.), chip) is None


@pytest.fixture(scope='module')
def sent(tmp_path_factory):
  """What two devices send in small settings, read in a process of its own."""
  file = tmp_path_factory.mktemp('plan') / 'settings.json'
  file.write_text(json.dumps([small('quickstart'), small('mnist_vae')]))
  done = subprocess.run(
      [sys.executable, str(BENCHMARKS / 'collectives.py'), f'--settings={file}', '--devices=2'],
      check=True, capture_output=True, text=True)
  return {row['name']: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.long
@pytest.mark.parametrize('name, most', [('quickstart', 2.), ('mnist_vae', 1.01)])
def test_devices_send_gradients_and_under_fsdp_parameters(sent, name, most):
  """The GAN's discriminator has two sums, of real and of fake images, and statistics beside."""
  row = sent[name]
  _, (state, _, _) = settings.step_of(small(name))
  params = planned.bytes_of(state.params)
  assert row['sharded']['by_hand'] == params  # a ring of two: half there, half back
  assert set(row['sharded']['out']) == {'all-reduce'}
  assert set(row['fsdp']['out']) == {'all-reduce', 'all-gather'}
  for how in ('sharded', 'fsdp'):
    assert 1 <= row[how]['out']['all-reduce'] / params <= most
  assert .8 <= row['fsdp']['out']['all-gather'] / params <= 1


def test_a_plan_as_a_table_says_what_is_predicted():
  algorithm, (state, *_) = shapes = settings.step_of(small('quickstart'))
  each = cost.of_step(algorithm.step, shapes[1])
  both = {how: {'sent': 1e6, 'by_hand': 9e5} for how in ('sharded', 'fsdp')}
  assumed = chips.Assumed()
  row = {'name': 'quickstart', 'collectives': both, 'batches': [
      planned.batch(8, each, both, assumed)], 'ridge': planned.ridges(8, each, 16, each),
      'memory': {'params': 1, 'opt_state': 2, 'ema': 3, 'temporaries_on_cpu': 4, 'batch_size': 8}}
  text = planned.tables([row], 8, assumed)
  on = row['batches'][0]['on']['v5e']
  assert on['not_padded'] >= on['images_per_s'] > on['sharded_images_per_s'] > 0
  assert 'PREDICTIONS' in text and 'v6e' in text and f'{on["images_per_s"]:,.0f}' in text
  assert all(source in text for chip in chips.CHIPS for source in chip.sources)


def test_a_check_holds_the_prediction_and_the_measurement():
  one = Cost((Product(10, 10, 1, 1),), 30., 1, 0., 0.)
  row = planned.compared('x', one, planned.this_machine.Rates(100., 10.), [4., 9., 6.])
  assert (row['predicted_s'], row['measured_s'], row['ratio']) == (3., 6., 2.)


def test_collectives_are_read_with_all_their_parts():
  text = '\n'.join([
      '  %x = f32[4,2]{1,0} all-gather(f32[2,2]{1,0} %a), dimensions={0}',
      '  ROOT %y = (f32[3]{0}, bf16[2]{0}) all-reduce-start(%b, %c), to_apply=%add',
      '  %z = f32[3]{0} add(%all-reduce.1, %b)'])
  every = collectives.of_program(text)
  assert every == [('all-gather', 32), ('all-reduce', 16)]
  assert collectives.sent(every, 4) == 32 * 3 / 4 + 16 * 2 * 3 / 4


def test_this_machine_has_rates():
  rates = planned.this_machine.rates(n=64, size=4096, tries=2)
  assert all(np.isfinite(x) and x > 0 for x in rates)


@pytest.mark.long
def test_a_step_is_timed_as_it_is_queued(monkeypatch):
  flags = types.SimpleNamespace(seconds=.05, repeats=3)
  monkeypatch.setattr(steps, 'FLAGS', flags)
  row = steps.row_of(small('quickstart'), 8, 'float32')
  assert 0 < row['least'] <= row['seconds'] <= row['most']
  assert row['images_per_s'] == 8 / row['seconds'] and not row['predicted_images_per_s']
  algorithm, shapes = settings.step_of(small('quickstart'), 8, 'float32')
  flops = cost.of_step(algorithm.step, shapes).flops
  np.testing.assert_allclose(row['gflops'] * 1e9 * row['seconds'], flops)

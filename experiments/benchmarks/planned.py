"""The numbers of a plan beside one another: a training's rows, and tables of them."""
from collections.abc import Mapping, Sequence
import statistics
from typing import Any

import chips
from cost import Cost
import jax
import this_machine

BY_NAME = {chip.name: chip for chip in chips.CHIPS}


def bytes_of(tree: Any) -> int:
  """Of all arrays of a tree, or of their shapes."""
  return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))


def batch(size: int, cost: Cost, collectives: Mapping[str, Any], assumed: chips.Assumed
          ) -> dict[str, Any]:
  """A step of one batch size on every chip.

  Args:
    size: images a device.
    cost: of a device's step.
    collectives: of the training, a row of `collectives.py`; empty for one device.
    assumed: what no vendor says.

  Returns:
    Counts, and for each chip images/s of one device: with channels padded to the chip's units,
    without, and with the other devices.
  """
  on = {}
  for chip in chips.CHIPS:
    alone = chips.predicted(cost, chip, assumed)
    ideal = chips.predicted(cost, chip, assumed, padded=False)
    on[chip.name] = {'images_per_s': size / alone.total, 'not_padded': size / ideal.total,
                     'bound': alone.bound, 'seconds': alone._asdict(),
                     'padded_by': cost.padded(chip.tile) / cost.flops}
    for how, sent in collectives.items():
      if isinstance(sent, Mapping):
        many = chips.predicted(cost, chip, assumed, sent=sent['sent'])
        on[chip.name] |= {f'{how}_images_per_s': size / many.total}
  return {'batch_size': size, 'flops': cost.flops, 'xla_flops': cost.xla_flops,
          'bytes': cost.bytes, 'xla_bytes': cost.xla_bytes, 'launches': cost.launches,
          'flops_per_byte': cost.flops / cost.bytes, 'on': on}


def ridges(size: int, cost: Cost, larger: int, of_larger: Cost) -> dict[str, float | None]:
  """For each chip the batch size whose FLOPs a byte pass its ridge; `None` for never."""
  points = (size, cost.flops, cost.bytes), (larger, of_larger.flops, of_larger.bytes)
  return {chip.name: chips.batch_at_ridge(*points, chip) for chip in chips.CHIPS}


def compared(name: str, cost: Cost, rates: this_machine.Rates, seconds: Sequence[float]
             ) -> dict[str, Any]:
  """A measured step beside `max(FLOPs / rate, bytes / bandwidth)`; nothing is assumed."""
  compute, memory = cost.flops / rates.flops, cost.bytes / rates.bandwidth
  middle = statistics.median(seconds)
  return {'name': name, 'compute_s': compute, 'memory_s': memory,
          'predicted_s': max(compute, memory), 'measured_s': middle, 'least_s': min(seconds),
          'most_s': max(seconds), 'ratio': middle / max(compute, memory)}


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  """A table in Markdown."""
  lines = [head, ['---'] * len(head), *rows]
  return ''.join(f'| {" | ".join(map(str, line))} |\n' for line in lines)


def tables(rows: Sequence[Mapping[str, Any]], devices: int, assumed: chips.Assumed) -> str:
  """The plan as text: counts, memory, what devices send, and predictions."""
  parts = ['What a step costs\n\n', table(
      ['training', 'batch', 'GFLOP', "XLA's", 'MB', 'not fused', 'FLOP/byte', 'programs'],
      [[row['name'], x['batch_size'], f'{x["flops"] / 1e9:.3g}', f'{x["xla_flops"] / 1e9:.3g}',
        f'{x["bytes"] / 1e6:.0f}', f'{x["xla_bytes"] / 1e6:.0f}', f'{x["flops_per_byte"]:.0f}',
        x['launches']] for row in rows for x in row['batches']])]
  parts += ['\nMB that a device holds; temporaries are those of the CPU\'s program\n\n', table(
      ['training', 'batch', 'parameters', 'optimizers', 'averages', 'temporaries'],
      [[row['name'], row['memory']['batch_size'], *(
          f'{row["memory"][kind] / 1e6:.1f}' for kind in (
              'params', 'opt_state', 'ema', 'temporaries_on_cpu'))] for row in rows])]
  if devices > 1:
    parts += [f'\nMB that each of {devices} devices sends a step, in rings; by hand, of gradients '
              'and parameters alone\n\n', table(
                  ['training', 'sharded', 'by hand', 'fsdp', 'by hand'],
                  [[row['name'], *(f'{row["collectives"][how][kind] / 1e6:.2f}'
                                   for how in ('sharded', 'fsdp') for kind in ('sent', 'by_hand'))]
                   for row in rows])]
  parts += [_assumptions(assumed, devices), table(
      ['training', 'batch', *(f'{chip.name}' for chip in chips.CHIPS)],
      [[row['name'], x['batch_size'], *(_cell(x['on'][chip.name]) for chip in chips.CHIPS)]
       for row in rows for x in row['batches']])]
  parts += ['\nBatch size at which FLOPs a byte pass the ridge\n\n', table(
      ['training', *(f'{chip.name} ({chips.ridge(chip):.0f})' for chip in chips.CHIPS)],
      [[row['name'], *(f'{n:,.0f}' if n else 'never' for n in row['ridge'].values())]
       for row in rows])]
  return ''.join(parts)


def _cell(on: Mapping[str, Any]) -> str:
  """Images/s, not padded, with other devices, and the bound."""
  shared = f', {on["sharded_images_per_s"]:,.0f}' if 'sharded_images_per_s' in on else ''
  return f'{on["images_per_s"]:,.0f} ({on["not_padded"]:,.0f}{shared}) {on["bound"]}'


def _assumptions(assumed: chips.Assumed, devices: int) -> str:
  shared = f'; with {devices} devices, of each of them' if devices > 1 else ''
  lines = [f'\nPREDICTIONS, of nothing measured: images/s (channels not padded{shared}) and the '
           'bound.\n',
           f'Assumed: {assumed.utilisation:.0%} of the peak in products, {assumed.memory:.0%} of '
           f'the bandwidth, {assumed.link:.0%} of the links, {assumed.launch * 1e6:g} us a '
           'program of the device, collectives overlapped with nothing.\n']
  for chip in chips.CHIPS:
    lines.append(f'{chip.name}: {chip.flops / 1e12:g} TFLOP/s bfloat16, '
                 f'{chip.bandwidth / 1e9:g} GB/s, {chip.memory / 1e9:g} GB, '
                 f'{chip.link / 1e9:g} GB/s one way, products padded to '
                 f'{"x".join(map(str, chip.tile))}; {" ".join(chip.sources)}\n')
  return '\n'.join(lines) + '\n'


def check_table(checks: Mapping[str, Any]) -> str:
  """The step's time by this machine's own rates, beside its measured one."""
  rates = [f'{x["flops"] / 1e9:.0f} GFLOP/s and {x["bandwidth"] / 1e9:.1f} GB/s'
           for x in (checks['before'], checks['after'])]
  return (f'\nMEASURED on this machine, float32: a product at {rates[0]} of a stream before the '
          f'steps, {rates[1]} after\n\n' + table(
              ['training', 'compute s', 'memory s', 'predicted s', 'measured s', 'ratio'],
              [[x['name'], f'{x["compute_s"]:.4f}', f'{x["memory_s"]:.4f}',
                f'{x["predicted_s"]:.4f}', f'{x["measured_s"]:.4f} ({x["least_s"]:.4f} to '
                f'{x["most_s"]:.4f})', f'{x["ratio"]:.2f}'] for x in checks['steps']]))

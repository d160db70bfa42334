"""What the devices of a step send to one another, read in programs compiled for virtual ones.

    python experiments/benchmarks/collectives.py --settings=SETTINGS.json

A process of its own, since the number of devices is fixed before anything is computed. Prints
a JSON line a setting: for each way to share a step, what is sent. XLA:CPU compiles it; XLA
divides programs before it knows the platform, so GPUs and TPUs send the same, but for an
all-reduce of which a device keeps a part, which they make a reduce-scatter of: half of it.
"""
import json
import pathlib
import re
import sys
from typing import Any, NamedTuple

from absl import app, flags
import jax

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import settings as settings_
import this_machine
from jaxsynth import parallel

FILE = flags.DEFINE_string('settings', None, 'JSON: a list of settings.', required=True)
DEVICES = flags.DEFINE_integer('devices', 8, 'Virtual ones.', lower_bound=2)
BITS = {'pred': 8, 'bf16': 16}  # others are in their names
# as a share of the bytes that come out, sent by each of n devices in a ring
SENT = {'all-reduce': lambda n: 2 * (n - 1) / n, 'all-gather': lambda n: (n - 1) / n,
        'reduce-scatter': lambda n: n - 1., 'all-to-all': lambda n: (n - 1) / n,
        'collective-permute': lambda n: 1.}


class Collective(NamedTuple):
  """One of them: its kind, and the bytes of what comes out of it on a device."""
  kind: str
  bytes: int


def of_program(text: str) -> list[Collective]:
  """The collectives in the text of a compiled program.

  >>> of_program('%r = (f32[8,4]{1,0}, bf16[]) all-reduce(%a, %b), to_apply=%add')
  [Collective(kind='all-reduce', bytes=130)]
  """
  every = []
  for line in text.splitlines():
    call = re.match(r'\s*(?:ROOT )?%?\S+ = (.*?) (' + '|'.join(SENT) + r')(?:-start)?\(', line)
    if call:
      shapes = re.findall(r'([a-z]+\d*)\[([\d,]*)\]', call[1])
      every.append(Collective(call[2], sum(_bytes(*shape) for shape in shapes)))
  return every


def _bytes(kind: str, shape: str) -> int:
  size = 1
  for n in filter(None, shape.split(',')):
    size *= int(n)
  bits = BITS.get(kind) or int(re.sub(r'\D', '', kind))
  return size * bits // 8


def sent(collectives: list[Collective], n: int) -> float:
  """Bytes that each of `n` devices sends, with every collective as a ring.

  >>> sent([Collective('all-reduce', 1000), Collective('all-gather', 1000)], 4)
  2250.0
  """
  return sum(SENT[each.kind](n) * each.bytes for each in collectives)


def expected(state: Any, n: int) -> dict[str, float]:
  """The same by hand, of gradients and parameters alone.

  Args:
    state: shapes of a `TrainState`.
    n: devices.

  Returns:
    For `'sharded'`, an all-reduce of the gradients; for `'fsdp'`, an all-gather of the
    parameters beside it.
  """
  params = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state.params))
  reduced, gathered = (SENT[kind](n) * params for kind in ('all-reduce', 'all-gather'))
  return {'sharded': reduced, 'fsdp': reduced + gathered}


def measured(setting: settings_.Setting, n: int) -> dict[str, Any]:
  """What a setting's step sends, by kind and together, with its batch size on each device."""
  row: dict[str, Any] = {'name': setting.name}
  algorithm, (state, batch, key) = settings_.step_of(setting, n * setting.config['batch_size'])
  by_hand = expected(state, n)
  for how in ('sharded', 'fsdp'):
    compiled = parallel.compiled(algorithm.step, how, jax.devices()[:n],
                                 phases=settings_.phases(setting), like=state)
    jitted: Any = compiled.step
    text = jitted.lower(state, batch, key).compile(
        this_machine.QUICK).as_text()
    every = of_program(text)
    kinds = {kind: sum(x.bytes for x in every if x.kind == kind)
             for kind in sorted({x.kind for x in every})}
    row[how] = {'out': kinds, 'sent': sent(every, n), 'calls': len(every),
                'by_hand': by_hand[how]}
  return row


def main(argv: list[str]) -> None:
  del argv
  jax.config.update('jax_num_cpu_devices', DEVICES.value)  # before anything is computed
  for fields in json.loads(pathlib.Path(FILE.value).read_text(encoding='utf-8')):
    print(json.dumps(measured(settings_.Setting.of(fields), DEVICES.value)), flush=True)


if __name__ == '__main__':
  app.run(main)

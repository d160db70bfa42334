r"""Says which stylised facts of stock prices the processes of the rule `prices` have.

    python experiments/evaluate_prices.py --real=sp500.csv --out=/tmp/facts

Into --out go report.html, one page that needs nothing else and that says what a stylised fact is,
and facts.json with every number: moments, tails, autocorrelation of returns and of their sizes,
leverage, and the kurtosis of sums, each with a 95 % band. --real is a .csv or .npz file of daily
prices; without it the processes stand alone.
"""
from collections.abc import Mapping
import dataclasses
import json
import pathlib
from typing import Any

from absl import flags
import jax
import jax.numpy as jnp
import numpy as np

from common import paths, program, seeds
from jaxsynth import files, keys, report
from jaxsynth.data import price_file
from jaxsynth.metrics import fact_numbers, fact_study, fact_verdicts
from jaxsynth.pages import prices as prices_page
from jaxsynth.rules import rule, spec as spec_
from jaxsynth.rules.distributions import Choice
from jaxsynth.rules.prices import Prices, PROCESSES, prices

LENGTH = 5000  # of a series where no real one says how long


def define_flags(values: flags.FlagValues) -> None:
  """The real series, the processes, and where the results go."""
  paths.define('real', None, 'A .csv or .npz file of real prices; by default none.', values)
  flags.DEFINE_string('column', 'close', 'The column of --real, or array of an .npz, that has the '
                      'prices.', flag_values=values)
  flags.DEFINE_string('time_column', 'date', 'The column of dates or numbers; empty where rows of '
                      'a .csv are in order and have none.', flag_values=values)
  flags.DEFINE_boolean('returns', False, 'Whether --column has log-returns and not prices.',
                       flag_values=values)
  paths.define('spec', '{}', 'Of the rule prices: JSON, as {"process": "garch", "alpha": 0.1}, or '
               'a file of it; what it lacks takes the default.', values)
  flags.DEFINE_integer('num', 100, 'Series of each process.', lower_bound=20, flag_values=values)
  flags.DEFINE_integer('length', None, f'Returns of a series; by default as many as --real has, '
                       f'or {LENGTH:,}.', lower_bound=fact_numbers.SHORTEST, upper_bound=1 << 19,
                       flag_values=values)
  flags.DEFINE_integer('block', None, 'Returns of a block of the bootstrap, by which the band of '
                       '--real is found; by default 500, or a quarter of the series if that is '
                       'less.', lower_bound=1, flag_values=values)
  seeds.define(values, 'Of the series and the bootstrap.')
  paths.define('out', None, 'Folder of report.html and facts.json; made if missing.', values,
               required=True)


def drawn(spec: Prices, num: int, length: int, seed: int) -> dict[str, np.ndarray]:
  """Log-returns `[num, length]` of each process that the spec names."""
  labels = jnp.zeros(num, jnp.int32)
  series = {}
  for name in spec.process.names:
    process = prices(dataclasses.replace(spec, process=Choice((name,)), length=length + 1))
    key = jax.random.fold_in(keys.of_seed(seed), PROCESSES.index(name))
    draw = jax.jit(lambda k, process=process: rule.examples(process, k, labels)['returns'])
    series[name] = np.asarray(draw(jax.random.split(key, num)), np.float64)[..., 0]
  return series


def main() -> None:
  values = flags.FLAGS
  spec = spec_.read(Prices, values.spec)
  if spec.length != Prices.length:
    raise ValueError(f'--spec: length={spec.length}; say --length instead')
  real = None
  if values.real is not None:
    real = price_file.read(values.real, values.column, values.time_column or None,
                           returns=values.returns, least=fact_numbers.SHORTEST + 1)
  elif values.block is not None:
    raise ValueError('--block: only with --real, whose bootstrap it is of')
  length = values.length or (LENGTH if real is None else len(real.returns))
  subjects = fact_study.compare(
      drawn(spec, values.num, length, values.seed), None if real is None else real.returns,
      block=values.block, seed=values.seed)
  about = {name: values[name].value for name in (
      'column', 'time_column', 'returns', 'num', 'block', 'seed')} | {
          'real': values.real and pathlib.Path(values.real).name, 'length': length,
          'first': real and real.first, 'last': real and real.last,
          'spec': spec_.to_json(dataclasses.replace(spec, length=length + 1))}
  folder = pathlib.Path(values.out)
  folder.mkdir(parents=True, exist_ok=True)
  report.write(folder / 'report.html', prices_page.page(subjects, about))
  with files.write_aside(folder / 'facts.json') as f:
    f.write(json.dumps({'flags': about, **fact_study.to_json(subjects)}, indent=1,
                       allow_nan=False).encode() + b'\n')
  print(table(subjects))
  program.done(folder / 'report.html')


def table(subjects: Mapping[str, Any]) -> str:
  """Verdicts, for a terminal."""
  rows = [['fact', *subjects]] + [
      [fact.name, *(prices_page.verdict(x, fact) for x in subjects.values())]
      for fact in fact_verdicts.FACTS]
  return '\n'.join(f'{row[0]:28}' + ''.join(f'{cell:20}' for cell in row[1:]).rstrip()
                   for row in rows)


if __name__ == '__main__':
  program.run(main, define_flags)

"""Runs of several seeds, one after another in one process, and what they come to together."""
from collections.abc import Iterator, Sequence
import json
import pathlib
import statistics
from typing import Any

from absl import flags

from jaxsynth import files

NAME = 'seeds.json'
LINES = ('metrics.jsonl', 'scores.jsonl')  # of each run, whose last line counts


def define(values: flags.FlagValues) -> None:
  """Defines `--num_seeds`."""
  flags.DEFINE_integer('num_seeds', 1, 'Runs, of --seed and those after it, each in a folder '
                       'seed_K of --workdir, with what they come to in seeds.json.', lower_bound=1,
                       flag_values=values)


def folders(workdir: pathlib.Path, seed: int, num_seeds: int) -> Iterator[tuple[int, pathlib.Path]]:
  """Each seed with the folder of its run: the given one, if it is the only seed.

  >>> [str(folder) for _, folder in folders(pathlib.Path('runs'), 3, 2)]
  ['runs/seed_3', 'runs/seed_4']
  """
  for k in range(seed, seed + num_seeds):
    yield k, workdir / f'seed_{k}' if num_seeds > 1 else workdir


def report(workdir: pathlib.Path, seeds: Sequence[int]) -> dict[str, Any]:
  """Writes seeds.json: each number of the runs' last lines, with mean and standard deviation.

  Args:
    workdir: of all.
    seeds: of the runs, two at least.

  Returns:
    What was written: `{'seeds': [...], 'values': {name: {'mean', 'std', 'seeds'}}}`.
  """
  last: list[dict[str, float]] = []
  for seed in seeds:
    rows = [files.rows(workdir / f'seed_{seed}' / name)[-1:] for name in LINES]
    last.append({name: x for row in rows for line in row for name, x in line.items()
                 if isinstance(x, (int, float)) and name != 'step'})
  common = sorted(set(last[0]).intersection(*last[1:]))
  values = {name: {'mean': statistics.mean(row[name] for row in last),
                   'std': statistics.stdev(row[name] for row in last),
                   'seeds': [row[name] for row in last]} for name in common}
  summary = {'seeds': list(seeds), 'values': values}
  with files.write_aside(workdir / NAME) as f:
    f.write(json.dumps(summary, indent=1).encode() + b'\n')
  return summary


def line_of(summary: dict[str, Any]) -> str:
  """The scores of a summary as a line, or the losses where there are none.

  >>> line_of({'seeds': [0, 1], 'values': {'a/loss': {'mean': 1.5, 'std': .25}}})
  '2 seeds: a/loss 1.5 (standard deviation 0.25)'
  """
  values = summary['values']
  names = [name for name in ('frechet', 'precision', 'recall', 'coverage') if name in values] or [
      name for name in values if name.endswith('/loss')]
  parts = [f'{name} {values[name]["mean"]:.4g} (standard deviation {values[name]["std"]:.2g})'
           for name in names]
  return f'{len(summary["seeds"])} seeds: {", ".join(parts)}'

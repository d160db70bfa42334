"""Times the scores, and other programs on equal features beside them, interleaved.

    python experiments/benchmarks/metrics.py --peers_python=peers/bin/python
    python experiments/benchmarks/metrics.py --sizes=1000,10000,50000 --peers=

On an otherwise idle machine. Every program is a process of its own, with all cores and
with OpenBLAS's settings unset; each score is called once before it is timed, which
compiles ours. `rss_mb` is the process's largest resident size, features included;
`base_mb` the size before the first call. Prints a table and then one JSON line a row.
`tests/goldens/make_metrics.py` says how the peers' environment is made.
"""
import json
import os
import pathlib
import subprocess
import sys

from absl import app, flags
import numpy as np

SIZES = flags.DEFINE_list('sizes', '10000', 'Samples of each set.')
WIDTH = flags.DEFINE_integer('width', 128, 'Features of a sample.', lower_bound=1)
REPEATS = flags.DEFINE_integer('repeats', 3, 'Timed calls of each.', lower_bound=1)
SCORES = flags.DEFINE_list('scores', 'prdc,frechet,kernel', 'Which of these.')
PEERS = flags.DEFINE_list('peers', 'prdc,torch_fidelity', 'Which of these to time too.')
PEERS_PYTHON = flags.DEFINE_string(
    'peers_python', sys.executable, 'An interpreter that has the peers.')
WORKER = pathlib.Path(__file__).with_name('metrics_worker.py')
OFFERS = {'jaxsynth': ('prdc', 'frechet', 'kernel'), 'prdc': ('prdc',),
          'torch_fidelity': ('frechet', 'kernel')}


class Program:
  """A process that computes scores when asked."""

  def __init__(self, name: str, python: str, n: int, width: int):
    unset = ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE')
    self._process = subprocess.Popen(
        [python, str(WORKER), name, str(n), str(width)], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={k: v for k, v in os.environ.items() if k not in unset})
    self.hello = self._answer()

  def ask(self, score: str) -> dict:
    """Seconds, value and memory of one call."""
    assert self._process.stdin
    self._process.stdin.write(f'{score}\n')
    self._process.stdin.flush()
    return self._answer()

  def _answer(self) -> dict:
    assert self._process.stdout
    line = self._process.stdout.readline()
    return json.loads(line) if line else {'error': 'it ended without an answer'}

  def close(self) -> None:
    """Ends the process."""
    self._process.communicate()


def timed(score: str, n: int) -> list[dict]:
  """A row for each program that has the score."""
  programs = {}
  for name in ('jaxsynth', *PEERS.value):
    if score in OFFERS[name]:
      try:
        programs[name] = Program(
            name, sys.executable if name == 'jaxsynth' else PEERS_PYTHON.value, n, WIDTH.value)
      except OSError as error:
        print(f'{name} left out: {error}')
  answers: dict[str, list[dict]] = {name: [] for name in programs}
  for _ in range(1 + REPEATS.value):
    for name, program in programs.items():
      if 'error' not in program.hello:
        answers[name].append(program.ask(score))
  rows = []
  for name, program in programs.items():
    program.close()
    failed = [a for a in (program.hello, *answers[name]) if 'error' in a]
    if failed:
      print(f'{name} left out of {score}, n = {n}: {failed[0]["error"]}')
      continue
    first, *rest = answers[name]
    seconds = [a['seconds'] for a in rest]
    rows.append({'score': score, 'name': name, 'version': program.hello['version'], 'n': n,
                 'width': WIDTH.value, 'median_s': float(np.median(seconds)),
                 'min_s': min(seconds), 'max_s': max(seconds), 'first_s': first['seconds'],
                 'base_mb': program.hello['rss_mb'], 'rss_mb': rest[-1]['rss_mb'],
                 'value': rest[-1]['value']})
  return rows


def main(argv: list[str]) -> None:
  del argv
  for name in PEERS.value:
    if name not in OFFERS:
      raise SystemExit(f'--peers={name}: expected prdc or torch_fidelity')
  rows = []
  for score in SCORES.value:
    for n in map(int, SIZES.value):
      rows += timed(score, n)
  print(f'\n{"":8}{"":16}{"n":>7}{"median s":>10}{"min":>8}{"max":>8}{"first":>8}'
        f'{"MB before":>11}{"MB most":>9}{"ours is":>9}')
  ours = {(r['score'], r['n']): r['median_s'] for r in rows if r['name'] == 'jaxsynth'}
  for r in rows:
    ratio = '' if r['name'] == 'jaxsynth' or (r['score'], r['n']) not in ours else (
        f'{r["median_s"] / ours[r["score"], r["n"]]:.1f}x')
    print(f'{r["score"]:8}{r["name"]:16}{r["n"]:7}{r["median_s"]:10.3f}{r["min_s"]:8.3f}'
          f'{r["max_s"]:8.3f}{r["first_s"]:8.2f}{r["base_mb"]:11.0f}{r["rss_mb"]:9.0f}{ratio:>9}')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)

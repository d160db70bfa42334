r"""Which score to trust: scores of worse and worse images, beside what is true of them.

    python experiments/benchmarks/truth.py --out=experiments/figures/truth.png \
        --runs=gan:/tmp/shapes_gan --runs=vae:/tmp/shapes_vae --runs=flow:/tmp/shapes_flow

The rule `shapes` draws one shape an image, and `jaxsynth.rules.recognise` reads its parameters
back, so that the true precision (the share of images that are shapes of the rule), the true recall
(the share of its modes that they have) and their overlap are known. Sets are made worse in known
ways, and each score of `jaxsynth.metrics`, on each of some features, is held against the truth by
Spearman's rank correlation: over all sets, and over those that were made worse in one way alone,
in the mean of the ways. Runs, trained on --dataset=rule:shapes, are scored and judged as well.
Prints tables, and a JSON line a set.
"""
import functools
import json
import pathlib
import re
import sys
from typing import Any

from absl import flags
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import experiments, paths, program
import ladder
import planned
from jaxsynth import files
from jaxsynth.data import ruled
from jaxsynth.downstream import trained_features
from jaxsynth.metrics import distances, features
from jaxsynth.rules import recognise, truth
from jaxsynth.rules.shapes import Shapes

FLAGS = flags.FLAGS
TRUTHS = ('precision', 'recall', 'overlap')
LOWER = ('frechet', 'kernel')  # of these less is better
LEARNED = 20_000  # examples that a classifier learns from


def define_flags(values: flags.FlagValues) -> None:
  """How many images, on which features, and which runs."""
  paths.define('out', None, 'The PNG; by default none.', values)
  flags.DEFINE_integer('num', 1000, 'Images of a set.', lower_bound=200, flag_values=values)
  flags.DEFINE_list('features', ['random', 'pixels', trained_features.NAME],
                    'What the scores stand on: random, pixels, mnist, files of Inception, or '
                    'trained, a classifier of the shapes.', flag_values=values)
  flags.DEFINE_multi_string('runs', [], 'NAME:FOLDER, a run each.', flag_values=values)


def spearman(a: Any, b: Any) -> float:
  """The rank correlation, ties having their mean rank.

  >>> spearman([1, 2, 3, 4], [10, 20, 40, 30]).__round__(6)
  0.8
  """
  def ranks(x: Any) -> np.ndarray:
    _, places, counts = np.unique(np.asarray(x, float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
  x, y = ranks(a), ranks(b)
  spread = x.std() * y.std()
  return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread else 0.


def runs_of(texts: list[str], num: int) -> list[ladder.Rung]:
  """Images that runs draw, `num` each, by the labels of conditional ones.

  Raises:
    ValueError: it is not as `define_flags` says.
  """
  drawn = []
  for text in texts:
    parts = re.fullmatch(r'([^:]+):(.+)', text)
    if parts is None:
      raise ValueError(f'--runs={text}: expected a name and a folder with a colon between')
    model = experiments.load(str(pathlib.Path(parts[2]).expanduser()))
    pieces = list(model.streamer(0)(0, num))
    labels = None if pieces[0].labels is None else np.concatenate([p.labels for p in pieces])
    drawn.append(ladder.Rung(parts[1], 0., np.concatenate([p.images for p in pieces]), labels))
  return drawn


def net_of(name: str, source: ruled.RuleSource) -> features.Features:
  """One of --features."""
  if name != trained_features.NAME:
    return features.by_name(name, source.image_shape, digits=False)
  return trained_features.trained_features(
      ruled.rule_source('rule:shapes', f'train[:{LEARNED}]', ('image', 'label')))


def main() -> None:
  spec, num = Shapes(), FLAGS.num
  source = ruled.rule_source('rule:shapes', 'endless', ('image', 'label'))
  nets = {name: functools.partial(features.extract_all, net_of(name, source))
          for name in FLAGS.features}
  every = source.take(ruled.SPLITS['train'][1] + np.arange(6 * num))  # that no run has seen
  read = recognise.reader(spec)
  pool = every['image'][:5 * num], every['label'][:5 * num]
  reading = read(pool[0])
  references = {name: distances.Reference(net(every['image'][5 * num:]))
                for name, net in nets.items()}
  rows: list[dict[str, Any]] = []
  for rung in [*ladder.rungs(*pool, reading, spec, num), *runs_of(FLAGS.runs, num)]:
    measured = {name: references[name].measure(net(rung.images)) for name, net in nets.items()}
    true = truth.judged(read(rung.images), spec, rung.labels)
    rows.append({'kind': rung.kind, 'amount': rung.amount, 'truth': true._asdict(), 'scores': {
        name: {score: x.value for score, x in scores.items()}
        for name, scores in measured.items()}})
    print(f'{rung.kind} {rung.amount:g} ...', file=sys.stderr, flush=True)
  worse = rows[:len(rows) - len(FLAGS.runs)]
  tables = {name: correlations(worse, name) for name in nets}
  for name in nets:
    print(f'\n{name}\n')
    scores = list(tables[name])
    print(planned.table(
        ['images', '', *(f'true {x}' for x in TRUTHS), 'wrong label', *scores],
        [[row['kind'], f'{row["amount"]:g}',
          *(_number(row['truth'][x]) for x in (*TRUTHS, 'label_error')),
          *(_number(row['scores'][name][x]) for x in scores)] for row in rows]))
    print(planned.table(
        ['score', *(f'with true {x}' for x in TRUTHS), 'with overlap, in one way'],
        [[score, *(f'{x:.2f}' for x in tables[name][score].values())] for score in scores]))
  for row in rows:
    print(json.dumps(row))
  print(json.dumps({'spearman': tables, 'num': num,
                    'expected_overlap': truth.expected_overlap(spec, num)}))
  if FLAGS.out:
    _draw(worse, tables)
    program.done(FLAGS.out)


def correlations(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, float]]:
  """Score -> truth -> rank correlation, and that with the overlap in the mean over kinds."""
  scores = [x for x in rows[0]['scores'][name] if all(x in row['scores'][name] for row in rows)]
  signed = lambda some, score: [(-1 if score in LOWER else 1) * row['scores'][name][score]
                                for row in some]
  true = lambda some, x: [row['truth'][x] for row in some]
  kinds = [[row for row in rows if row['kind'] in (kind, 'none')]
           for kind in dict.fromkeys(row['kind'] for row in rows) if kind != 'none']
  return {score: {x: spearman(signed(rows, score), true(rows, x)) for x in TRUTHS} | {
      'in one way': float(np.mean([spearman(signed(some, score), true(some, 'overlap'))
                                   for some in kinds]))} for score in scores}


def _number(x: float | None) -> str:
  return '-' if x is None else f'{x:.3f}'


def _draw(rows: list[dict[str, Any]], tables: dict[str, Any]) -> None:
  """A row of panels for the features, a panel a score, a colour a way to be worse."""
  from matplotlib.figure import Figure
  scores = list(dict.fromkeys(score for table in tables.values() for score in table))
  figure = Figure((2.6 * len(scores), 2.4 * len(tables) + .6), layout='constrained')
  panels = figure.subplots(len(tables), len(scores), squeeze=False)
  none = next(row for row in rows if row['kind'] == 'none')
  for (name, table), line in zip(tables.items(), panels):
    for score, axis in zip(scores, line):
      if score not in table:
        axis.set_axis_off()
        continue
      for kind in dict.fromkeys(row['kind'] for row in rows if row['kind'] != 'none'):
        some = [none, *(row for row in rows if row['kind'] == kind)]
        axis.plot([row['truth']['overlap'] for row in some],
                  [row['scores'][name][score] for row in some], 'o-', markersize=3,
                  linewidth=.8, label=kind)
      axis.set_title(f'{name}, {score}: {table[score]["overlap"]:.2f}', fontsize=9)
      axis.tick_params(labelsize=7)
      if score == 'frechet':
        axis.set_yscale('log')
  for axis in panels[-1]:
    axis.set_xlabel('true overlap', fontsize=8)
  figure.legend(*panels[0, 0].get_legend_handles_labels(), loc='outside lower center', ncols=6,
                fontsize=8)
  with files.write_aside(FLAGS.out) as f:
    figure.savefig(f, dpi=90, format='png')


if __name__ == '__main__':
  program.run(main, define_flags)

r"""Which score to trust: scores of worse and worse images, beside what is true of them.

    python experiments/benchmarks/truth.py --out=experiments/figures/truth.png \
        --runs=gan:/tmp/shapes_gan --runs=vae:/tmp/shapes_vae --runs=flow:/tmp/shapes_flow

The rule `shapes` draws one shape an image, and `jaxsynth.rules.recognise` reads its parameters
back, so that the true precision (the share of images that are shapes of the rule), the true recall
(the share of its modes that they have) and their overlap are known. Sets are made worse in known
ways, and each score of `jaxsynth.metrics` is held against the truth by Spearman's rank correlation
over all of them. Runs, trained on --dataset=rule:shapes, are scored and judged as well. Prints
tables, and a JSON line a set.
"""
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
from jaxsynth.metrics import distances, features
from jaxsynth.rules import recognise, truth
from jaxsynth.rules.shapes import Shapes

FLAGS = flags.FLAGS
TRUTHS = ('precision', 'recall', 'overlap')
LOWER = ('frechet', 'kernel')  # of these less is better


def define_flags(values: flags.FlagValues) -> None:
  """How many images, on which features, and which runs."""
  paths.define('out', None, 'The PNG; by default none.', values)
  flags.DEFINE_integer('num', 2000, 'Images of a set.', lower_bound=200, flag_values=values)
  paths.define('features', 'random', 'What the scores stand on: random, pixels, mnist, or a file '
               'of Inception.', values)
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


def main() -> None:
  spec, num = Shapes(), FLAGS.num
  source = ruled.rule_source('rule:shapes', 'endless', ('image', 'label'))
  net = features.by_name(FLAGS.features, source.image_shape, digits=False)
  every = source.take(ruled.SPLITS['train'][1] + np.arange(6 * num))  # that no run has seen
  read = recognise.reader(spec)
  pool = every['image'][:5 * num], every['label'][:5 * num]
  reading = read(pool[0])
  reference = distances.Reference(features.extract_all(net, every['image'][5 * num:]))
  rows: list[dict[str, Any]] = []
  for rung in [*ladder.rungs(*pool, reading, spec, num), *runs_of(FLAGS.runs, num)]:
    measured = reference.measure(features.extract_all(net, rung.images))
    true = truth.judged(read(rung.images), spec, rung.labels)
    rows.append({'kind': rung.kind, 'amount': rung.amount, 'truth': true._asdict(),
                 'scores': {name: score.value for name, score in measured.items()}})
    print(f'{rung.kind} {rung.amount:g} ...', file=sys.stderr, flush=True)
  names = list(rows[0]['scores'])
  number = lambda x: '-' if x is None else f'{x:.3f}'
  print(planned.table(
      ['images', '', *(f'true {name}' for name in TRUTHS), 'wrong label', *names],
      [[row['kind'], f'{row["amount"]:g}', *(number(row['truth'][name]) for name in (
          *TRUTHS, 'label_error')), *(number(row['scores'][name]) for name in names)]
       for row in rows]))
  worse = rows[:len(rows) - len(FLAGS.runs)]
  table = {name: [spearman([(-1 if name in LOWER else 1) * row['scores'][name] for row in worse],
                           [row['truth'][true] for row in worse]) for true in TRUTHS]
           for name in names}
  print(planned.table(['score', *(f'with true {name}' for name in TRUTHS)],
                      [[name, *(f'{x:.2f}' for x in table[name])] for name in names]))
  for row in rows:
    print(json.dumps(row))
  print(json.dumps({'spearman': table, 'features': FLAGS.features, 'num': num,
                    'expected_overlap': truth.expected_overlap(spec, num)}))
  if FLAGS.out:
    _draw(worse, names, table)
    program.done(FLAGS.out)


def _draw(rows: list[dict[str, Any]], names: list[str], table: dict[str, list[float]]) -> None:
  """A panel a score, a colour a way to be worse, against the true overlap."""
  from matplotlib.figure import Figure
  figure = Figure((11, 6), layout='constrained')
  axes = figure.subplots(2, (len(names) + 1) // 2).ravel()
  for name, axis in zip(names, axes):
    for kind in dict.fromkeys(row['kind'] for row in rows):
      some = [row for row in rows if row['kind'] == kind]
      axis.plot([row['truth']['overlap'] for row in some], [row['scores'][name] for row in some],
                'o-', markersize=4, linewidth=.8, label=kind)
    axis.set(title=f'{name}: rank correlation {table[name][2]:.2f}', xlabel='true overlap')
    if name in LOWER:
      axis.set_yscale('log')
  axes[0].legend(fontsize=8)
  with files.write_aside(FLAGS.out) as f:
    figure.savefig(f, dpi=100, format='png')


if __name__ == '__main__':
  program.run(main, define_flags)

r"""Writes synthetic data by a method of a few lines, which a learned engine must beat.

    python experiments/baseline.py --baseline=smote --dataset=adult.csv --label_column=income \
        --num=30000 --out=/tmp/smote.npz
    python experiments/baseline.py --baseline=copula --dataset=breast_cancer --num=1000 \
        --out=/tmp/data --name=cells_copula
    python experiments/baseline.py --baseline=garch --dataset=google.csv --window=24 --split=all \
        --out=/tmp/garch.npz

An --out that ends with .npz is a file as a run's synthetic.npz, another a folder of data sets that
tensorflow-datasets reads; evaluate.py, downstream.py and the others take both as --synthetic, and
both say that they are no real data. Of the rows of a table, independent draws each column on its
own, copula has their rank correlations, and smote lies between real rows that are near to each
other: it trains classifiers well, and shows real rows to whoever looks. Of windows of a long
series, bootstrap joins blocks of its rows, bootstrap_changes blocks of log-returns from a real
price on, and garch draws log-returns by a GARCH model with Student-t innovations.
"""
from collections.abc import Callable
import functools
import pathlib
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from common import dataset_flags, paths, program, quality_flags, seeds
import jaxsynth
from jaxsynth import data
from jaxsynth.baselines import garch
from jaxsynth.baselines.block_bootstrap import resampled, resampled_changes
from jaxsynth.baselines.copula import gaussian_copula
from jaxsynth.baselines.independent import independent
from jaxsynth.baselines.long_series import of_windows
from jaxsynth.baselines.rows import Arrays, of_source
from jaxsynth.baselines.smote import smote
from jaxsynth.data import fingerprint
from jaxsynth.data.kinded import kind_of
from jaxsynth.quality.claiming import check_name, check_place
from jaxsynth.synthesis.in_memory import write_npz, write_records
from jaxsynth.synthesis.metadata import About


class Baseline(NamedTuple):
  """A method.

  Attributes:
    kind: name of the kind of examples that it is for.
    draw: `(values, labels or None, kind, num, seed) -> (values, labels or None)`.
  """
  kind: str
  draw: Callable[..., Arrays]


BASELINES = {
    'independent': Baseline('row', functools.partial(of_source, independent)),
    'copula': Baseline('row', functools.partial(of_source, gaussian_copula)),
    'smote': Baseline('row', functools.partial(
        of_source, smote, within_classes=True)),
    'bootstrap': Baseline('series', functools.partial(of_windows, resampled)),
    'bootstrap_changes': Baseline('series', functools.partial(of_windows, resampled_changes)),
    'garch': Baseline('series', functools.partial(of_windows, garch.windows))}


def define_flags(values: flags.FlagValues) -> None:
  """The data, the method and what it writes."""
  dataset_flags.define(values)
  flags.DEFINE_enum('baseline', None, list(BASELINES), 'The method.', required=True,
                    flag_values=values)
  flags.DEFINE_integer('num', None, 'Examples to draw; by default as many as are learned from.',
                       lower_bound=1, flag_values=values)
  paths.define('out', None, 'An .npz file, or a folder of data sets.', values, required=True)
  flags.DEFINE_string('name', 'baseline', 'Of the data set in a folder.', flag_values=values)
  flags.register_validator('name', quality_flags.is_free_name, 'expected small letters, digits and '
                           '_', flag_values=values)
  seeds.define(values, 'Of what is drawn.')


def main() -> None:
  given = flags.FLAGS
  method, source = BASELINES[given.baseline], data.open_dataset(dataset_flags.spec(given))
  kind, seed = kind_of(source), given.seed or 0
  if kind.name != method.kind:
    fitting = [name for name, other in BASELINES.items() if other.kind == kind.name]
    raise ValueError(f'--baseline={given.baseline}: examples of {source.name} are {kind.plural}, '
                     f'for which there is {" or ".join(fitting) or "none"}')
  batch = source.take(np.arange(source.size))
  labels = batch.get('label')
  values, drawn = method.draw(batch[kind.name], labels, kind, given.num or source.size, seed)
  if given.out.endswith('.npz'):
    write_npz(given.out, kind, values, drawn)
    program.done(given.out)
    return
  out = pathlib.Path(given.out)
  check_name(given.name)
  check_place(out / given.name)
  settings: dict[str, Any] = {
      'seed': seed, 'model': {'baseline': given.baseline, 'digest': fingerprint.digest(source),
                              'data': source.name},
      'versions': {'jaxsynth': jaxsynth.__version__, 'numpy': np.__version__}}
  about = About(given.name, '1.0.0', kind, f'Synthetic {kind.plural} after {source.name} by the '
                f'method {given.baseline} of jaxsynth, which learns nothing, seed {seed}.')
  program.done(write_records(out, about, settings, values, drawn))


if __name__ == '__main__':
  program.run(main, define_flags)

"""The stages of a pipeline: what each runs, reads and leaves, as the flags and the data ask."""
from collections.abc import Mapping, Sequence
import csv
import io
from typing import Any, NamedTuple

from common import audits
from jaxsynth import quality, runs
from jaxsynth.data import DatasetSpec, spec as specs
from stages import collected, judging, rule_engine
from stages.rule_engine import RuleEngine
from stages.stage import Args, named, Stage
from stages.training import Training


class Options(NamedTuple):
  """What the flags of `pipeline.py` say.

  Attributes:
    out: the folder.
    data: the data set.
    splits: `--validation_split` and `--test_split`, as given.
    files: what the files of the data set look like from outside.
    seed: of every stage.
    engine: what is trained, or the rule that draws in its place.
    name: of the synthetic data set.
    num: of images, or `None` for as many as are trained on.
    labels: `'data'`, `'balanced'` or shares.
    sampling: flags of sampling that are not as in training, as `--temperature=1.5`.
    pseudo_labels: whether a classifier labels the images.
    filters: names with commas between, or nothing.
    keep: what filters let pass of real images, or `None`.
    require: what the set must score, or `None`.
    features: that scores and filters stand on.
    downstream: flag -> value of `downstream.py`, those that are given.
    judges: programs beside it, of experiments/ and without .py, see `judging`.
    judge_flags: of each of them, as `--runs=3`.
    synthetic_as_real: whether the data set may itself be drawn from a model.
    audit: whether assessments try to tell who was learned from.
  """
  out: str
  data: DatasetSpec
  splits: Mapping[str, str | None]
  files: str
  seed: int
  engine: Training | RuleEngine
  name: str = 'synthetic'
  num: int | None = None
  labels: str = 'data'
  sampling: Args = ()
  pseudo_labels: bool = False
  filters: str = ''
  keep: float | None = None
  require: str | None = None
  features: str = 'auto'
  downstream: Mapping[str, str] = {}
  judges: Args = ()
  judge_flags: Args = ()
  synthetic_as_real: bool = False
  audit: bool = False


def of_data(spec: DatasetSpec, dataset: str = 'dataset') -> Args:
  """Flags of a data set, its split aside; defaults are left out.

  Args:
    spec: the data set.
    dataset: the flag that names it.

  >>> of_data(DatasetSpec('mnist', image_size=(32, 32), label_key=None), 'real')
  ('--real=mnist', '--label_key=', '--image_size=32,32')
  """
  usual = DatasetSpec._field_defaults
  other = {name: value for name, value in spec._asdict().items()
           if name not in ('dataset', 'split') and value != usual[name]}
  text = lambda x: ','.join(map(str, x)) if isinstance(x, tuple) else '' if x is None else str(x)
  return (f'--{dataset}={spec.dataset}', *(f'--{name}={text(x)}' for name, x in other.items()))


def collect(o: Options) -> Stage:
  """The first stage; all others follow from what it finds."""
  return Stage('collect', (
      ('collect.py', *of_data(o.data), f'--split={o.data.split}', *named(o.splits),
       f'--report={o.out}/collect'),), ('collect/collection.json',), about={'files': o.files})


def after_collect(o: Options, collection: Mapping[str, Any], labelled: bool) -> list[Stage]:
  """All other stages.

  Args:
    o: the flags.
    collection: collection.json.
    labelled: whether samples of the engine carry labels, see `training.gives_labels`.

  Raises:
    ValueError: flags that do not go with the data.
  """
  images, role = collection['sets']['train'], collection['roles']
  if o.pseudo_labels and not images['classes']:
    raise ValueError(f'--pseudo_labels, but {collection["dataset"]} has no labels')
  if o.pseudo_labels and labelled and 'classifier' in o.filters.split(','):
    raise ValueError("--pseudo_labels: with --filters=classifier every label is the classifier's "
                     'already; leave one of them out')
  if (o.filters or o.require or o.pseudo_labels) and not role['validation']:
    raise ValueError('--filters, --pseudo_labels and --require need real images that neither '
                     'training nor the test has: name them by --validation_split')
  if o.audit and not role['train']:
    raise ValueError('--audit needs real images that were not learned from: name them by '
                     '--test_split')
  against = [x for x in (role['validation'], role['test']) if x and x != o.data.split]
  real = (*of_data(o.data, 'real'), *named({'real_split': role['test']}),
          f'--train_split={role["train"] or ""}', f'--seed={o.seed}',
          *(('--synthetic_as_real',) if o.synthetic_as_real else ()))
  split = f'--split={o.data.split}'
  return [
      Stage('preprocess', (
          ('preprocess.py', *of_data(o.data), split, *named(o.splits),
           f'--report={o.out}/preprocess'),),
          ('preprocess/preprocess.json', 'preprocess/report.html'), ('collect',)),
      Stage('analyse', (
          ('analyze.py', *of_data(o.data), split, f'--against={_listed(against)}',
           f'--seed={o.seed}', f'--report={o.out}/analyse'),),
          ('analyse/analysis.json', 'analyse/report.html'), ('collect',)),
      _train(o, images['sha256']),
      *_data_sets(o, collection, labelled, real),
      Stage('report', (('stages/report.py', f'--out={o.out}'),), ('report.html',))]


def _train(o: Options, data: str) -> Stage:
  """The training, on data of this digest; it does not apply where a rule is the engine."""
  if isinstance(o.engine, RuleEngine):
    return Stage('train', (), (), about=o.engine.about, why_not=(
        f'the engine is the rule {o.engine.name}, which is written down and not learned'))
  return Stage('train', (
      (f'{o.engine.experiment}.py', *named({'flagfile': o.engine.path}), *of_data(o.data),
       f'--split={o.data.split}', f'--seed={o.seed}', f'--workdir={o.out}/train'),),
      ('train/config.json', 'train/checkpoints/**'), (),
      {'flags': '\n'.join(o.engine.texts), 'data': data}, ('train',), keeps=runs.RESUMABLE)


def _data_sets(o: Options, collection: Mapping[str, Any], labelled: bool, real: Args
               ) -> list[Stage]:
  """From the engine to what its images are worth."""
  images, role = collection['sets']['train'], collection['roles']
  num = o.num or images['size']
  draw = [*_draw(o, num)]
  counts = _label_counts(o, collection) if labelled else []
  if counts and o.labels == 'data':
    draw.append(f'--labels={",".join(map(str, proportions(counts, num)))}')
  elif o.labels not in ('data', 'balanced'):
    draw.append(f'--labels={o.labels}')
  draw += o.sampling
  if o.pseudo_labels:
    draw.append('--pseudo_labels')
  unseen = named({'features': o.features, 'validation_split': role['validation']})
  gate = (*named({'require': o.require}), *unseen)
  first = gate if o.require and not o.filters else unseen if o.pseudo_labels else ()
  strict = f'{o.name}_filtered'
  last = strict if o.filters else o.name
  folder = lambda name: f'data/{name}/1.0.0'
  held = f'--validation_split={role["validation"] or ""}'
  trained = () if isinstance(o.engine, RuleEngine) else ('train',)
  asked = ('--audit', *(f'--run={o.out}/{x}' for x in trained)) if o.audit else ()
  score = lambda name, report: (
      'evaluate.py', *real, held, f'--features={o.features}', *asked,
      f'--synthetic={o.out}/{folder(name)}', f'--report={o.out}/{report}')
  scored = lambda report: (f'{report}/scores.json', f'{report}/report.html', *(
      (f'{report}/{audits.FILE}',) if o.audit else ()))
  files = lambda name: (f'{folder(name)}/*.json', f'{folder(name)}/*.array_record-*')
  return [
      Stage('synthesise', ((*draw, f'--name={o.name}', *first),), files(o.name),
            ('collect', *trained) if first else trained, owns=(f'data/{o.name}',),
            rejection=None if o.filters else quality.REJECTED),
      Stage('assess', (score(o.name, 'assess'),),
            scored('assess'), ('collect', 'synthesise', *(trained if o.audit else ()))),
      Stage('filter', (
          (*draw, f'--name={strict}', f'--filters={o.filters}', *named({'keep': o.keep}), *gate),
          score(strict, 'filter')),
          (*files(strict), *scored('filter')), ('collect', *trained),
          owns=(f'data/{strict}',), rejection=quality.REJECTED,
          why_not='' if o.filters else 'no --filters' if trained else (
              'a rule draws nothing that is to be filtered out')),
      judging.downstream(o.out, (*real, f'--synthetic={o.out}/{folder(last)}'), o.downstream,
                         o.judges, o.judge_flags, 'filter' if o.filters else 'synthesise',
                         _useless(o, labelled, collection))]


def _draw(o: Options, num: int) -> Args:
  """The command that draws so many images, but for what they are called and for labels."""
  if isinstance(o.engine, RuleEngine):
    return ('synthesize.py', *o.engine.flags, f'--num={num}', f'--out={o.out}/data',
            f'--seed={o.seed}')
  place = o.data.places['dataset']
  moved = (f'--dataset={place}',) if place and specs.is_path(place) else ()
  return ('synthesize.py', f'--run={o.out}/train', f'--num={num}', f'--out={o.out}/data',
          f'--seed={o.seed}', *named({'data_dir': o.data.data_dir}), *moved)


def _label_counts(o: Options, collection: Mapping[str, Any]) -> list[int] | None:
  """Training images of each class of the engine, in its order."""
  if isinstance(o.engine, RuleEngine):
    return rule_engine.label_counts(o.engine, collection)
  return list(collected.class_counts(collection).values())  # a model has no others


def _useless(o: Options, labelled: bool, collection: Mapping[str, Any]) -> str:
  """Why no classifier can be tried; empty where one can."""
  if not collection['sets']['train']['classes']:
    return f'a classifier needs labels, and {collection["dataset"]} has none'
  if not labelled and not o.pseudo_labels:
    return ('a classifier needs labels, and the model gives none (--conditional in '
            '--train_flags, or --pseudo_labels)')
  if not collection['roles']['train']:
    return 'nothing to test on that was not trained on; see --test_split'
  return ''


def _listed(texts: Sequence[str]) -> str:
  """The value of a flag that is a list: a path may have commas.

  >>> _listed(['validation', 'a,b.npz'])
  'validation,"a,b.npz"'
  """
  line = io.StringIO()
  csv.writer(line, lineterminator='').writerow(texts)
  return line.getvalue()


def proportions(counts: Sequence[int], num: int) -> list[int]:
  """How many of `num` images each class gets, as near to `counts` as whole images allow.

  Largest remainders first.

  >>> proportions([1214, 3494], 1000)
  [258, 742]
  """
  whole = [num * n // sum(counts) for n in counts]
  rest = sorted(range(len(counts)), key=lambda k: (-(num * counts[k] % sum(counts)), k))
  for k in rest[:num - sum(whole)]:
    whole[k] += 1
  return whole

"""The stages as values: what each runs, reads and leaves."""
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

NAMES = ('collect', 'preprocess', 'analyse', 'train', 'synthesise', 'assess', 'filter',
         'downstream', 'report')
Args = tuple[str, ...]
# flags that `mnist_dcgan.py` lets change in a run that goes on
RESUMES = ('steps', 'log_every', 'sample_every', 'checkpoint_every', 'num_synthetic',
           'tensorboard', 'eval_every', 'eval_samples', 'eval_split')


class Stage(NamedTuple):
  """One stage.

  Attributes:
    name: of the stage.
    commands: run one after the other: a program of this folder, or the path of one, and its
      arguments; paths below OUT start with it.
    outputs: patterns below OUT; each must match when the stage is done.
    reads: names of earlier stages.
    about: what else the result depends on, by name; a change redoes the stage.
    owns: folders below OUT that are removed when the stage starts anew.
    keeps: flags that the program lets change as it goes on; another change sets what is
      owned aside, rather than removing it.
    gated: whether exit code 3 of a command means written but rejected.
    why_not: why the stage does not apply; empty where it does.
  """
  name: str
  commands: tuple[Args, ...]
  outputs: tuple[str, ...]
  reads: tuple[str, ...] = ()
  about: Mapping[str, str] = {}
  owns: tuple[str, ...] = ()
  keeps: Args = ()
  gated: bool = False
  why_not: str = ''


class Options(NamedTuple):
  """What the flags of `pipeline.py` say.

  Attributes:
    out: the folder.
    data: the flags of the data set, by name.
    splits: `--validation_split` and `--test_split`, as given.
    lies: what the files of the data set look like from outside.
    seed: of every stage.
    train_flags: flagfile of the training, or `None`.
    train: what is in it, a flag an entry.
    name: of the synthetic data set.
    num: of images, or `None` for as many as are trained on.
    labels: `'data'`, `'balanced'` or shares.
    temperature: of the samples.
    pseudo_labels: whether a classifier labels the images.
    filters: names with commas between, or nothing.
    keep: what filters let pass of real images, or `None`.
    require: what the set must score, or `None`.
    features: that scores and filters stand on.
    downstream: flag -> value of `downstream.py`, those that are given.
  """
  out: str
  data: dict[str, Any]
  splits: dict[str, str | None]
  lies: str
  seed: int
  train_flags: str | None
  train: tuple[str, ...]
  name: str
  num: int | None
  labels: str
  temperature: float
  pseudo_labels: bool
  filters: str
  keep: float | None
  require: str | None
  features: str
  downstream: dict[str, str]


DEFAULTS = {'image_key': 'image', 'label_key': 'label', 'image_size': None, 'channels': None,
            'fit': 'crop', 'data_dir': None}


def of_data(data: Mapping[str, Any], dataset: str = 'dataset') -> Args:
  """Flags of the data set, its split aside; defaults are left out."""
  given = [(name, data[name]) for name, usual in DEFAULTS.items() if data[name] != usual]
  return (f'--{dataset}={data["dataset"]}', *(
      f'--{name}={",".join(map(str, x)) if isinstance(x, list) else x}' for name, x in given))


def named(flags: Mapping[str, Any]) -> Args:
  """Flags that have a value."""
  return tuple(f'--{name}={x}' for name, x in flags.items() if x is not None)


def collect(o: Options) -> Stage:
  """The first stage; all others follow from what it finds."""
  return Stage('collect', (
      ('collect.py', *of_data(o.data), f'--split={o.data["split"]}', *named(o.splits),
       f'--report={o.out}/collect'),), ('collect/collection.json',), about={'files': o.lies})


def after_collect(o: Options, found: Mapping[str, Any]) -> list[Stage]:
  """All other stages.

  Args:
    o: the flags.
    found: collection.json.

  Raises:
    ValueError: flags that do not go with the data.
  """
  classes, role = found['sets']['train']['classes'], found['roles']
  conditional = is_conditional(o.train)
  if conditional and not classes:
    raise ValueError(f'{o.train_flags}: --conditional, but {found["dataset"]} has no labels')
  if o.pseudo_labels and not classes:
    raise ValueError(f'--pseudo_labels, but {found["dataset"]} has no labels')
  if o.pseudo_labels and conditional and 'classifier' in o.filters.split(','):
    raise ValueError("--pseudo_labels: with --filters=classifier every label is the classifier's "
                     'already; leave one of them out')
  if (o.filters or o.require or o.pseudo_labels) and not role['validation']:
    raise ValueError('--filters, --pseudo_labels and --require need real images that neither '
                     'training nor the test has: name them by --validation_split')
  against = [x for x in (role['validation'], role['test']) if x and x != o.data['split']]
  real = (*of_data(o.data, 'real'), *named({'real_split': role['test']}),
          f'--train_split={role["train"] or ""}', f'--seed={o.seed}')
  split = f'--split={o.data["split"]}'
  return [
      Stage('preprocess', (
          ('preprocess.py', *of_data(o.data), split, *named(o.splits),
           f'--report={o.out}/preprocess'),),
          ('preprocess/preprocess.json', 'preprocess/report.html'), ('collect',)),
      Stage('analyse', (
          ('analyze.py', *of_data(o.data), split, f'--against={",".join(against)}',
           f'--seed={o.seed}', f'--report={o.out}/analyse'),),
          ('analyse/analysis.json', 'analyse/report.html'), ('collect',)),
      Stage('train', (
          ('mnist_dcgan.py', *named({'flagfile': o.train_flags}), *of_data(o.data), split,
           f'--seed={o.seed}', f'--workdir={o.out}/train'),),
          ('train/config.json', 'train/checkpoints/**'), (),
          {'flags': '\n'.join(o.train), 'data': found['sets']['train']['sha256']}, ('train',),
          keeps=RESUMES),
      *_data_sets(o, found, conditional, real),
      Stage('report', (('pipeline_report.py', f'--out={o.out}'),), ('report.html',))]


def _data_sets(o: Options, found: Mapping[str, Any], conditional: bool, real: Args
               ) -> list[Stage]:
  """From the trained generator to what its images are worth."""
  size, role = found['sets']['train']['size'], found['roles']
  num = o.num or size
  draw = ['synthesize.py', f'--run={o.out}/train', f'--num={num}', f'--out={o.out}/data',
          f'--seed={o.seed}', *named({'data_dir': o.data['data_dir']})]
  if conditional and o.labels == 'data':
    counts = proportions(found['sets']['train']['classes'], num)
    draw.append(f'--labels={",".join(map(str, counts))}')
  elif o.labels not in ('data', 'balanced'):
    draw.append(f'--labels={o.labels}')
  if o.temperature != 1:
    draw.append(f'--temperature={o.temperature}')
  if o.pseudo_labels:
    draw.append('--pseudo_labels')
  unseen = named({'features': o.features, 'validation_split': role['validation']})
  gate = (*named({'require': o.require}), *unseen)
  first = gate if o.require and not o.filters else unseen if o.pseudo_labels else ()
  labelled = conditional or o.pseudo_labels
  strict = f'{o.name}_filtered'
  last = strict if o.filters else o.name
  folder = lambda name: f'data/{name}/1.0.0'
  held = f'--validation_split={role["validation"] or ""}'
  score = lambda name, report: ('evaluate.py', *real, held, f'--features={o.features}',
                                f'--synthetic={o.out}/{folder(name)}', f'--report={o.out}/{report}')
  files = lambda name: (f'{folder(name)}/*.json', f'{folder(name)}/*.array_record-*')
  return [
      Stage('synthesise', ((*draw, f'--name={o.name}', *first),), files(o.name),
            ('collect', 'train') if first else ('train',), owns=(f'data/{o.name}',),
            gated=not o.filters),
      Stage('assess', (score(o.name, 'assess'),),
            ('assess/scores.json', 'assess/report.html'), ('collect', 'synthesise')),
      Stage('filter', (
          (*draw, f'--name={strict}', f'--filters={o.filters}', *named({'keep': o.keep}), *gate),
          score(strict, 'filter')),
          (*files(strict), 'filter/scores.json', 'filter/report.html'), ('collect', 'train'),
          owns=(f'data/{strict}',), gated=True, why_not='' if o.filters else 'no --filters'),
      Stage('downstream', (
          ('downstream.py', *real, f'--synthetic={o.out}/{folder(last)}',
           f'--report={o.out}/downstream', *named(o.downstream)),),
          ('downstream/downstream.json', 'downstream/report.html'),
          ('collect', 'filter' if o.filters else 'synthesise'),
          why_not='' if role['train'] and labelled else 'a classifier needs labels, and the '
          'generator gives none (--conditional in --train_flags, or --pseudo_labels)'
          if not labelled else 'nothing to test on that was not trained on; see --test_split')]


def is_conditional(train: Sequence[str]) -> bool:
  """Whether the training's flags say --conditional, the last one counting.

  >>> is_conditional(['--steps=3', '--conditional', '--noconditional'])
  False
  """
  found = False
  for flag in train:
    name, _, value = flag.lstrip('-').partition('=')
    if name in ('conditional', 'noconditional'):
      found = name == 'conditional' and value.lower() in ('', 'true', 't', '1', 'yes')
  return found


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

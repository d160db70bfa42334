"""What the stages have found, in numbers and a sentence each."""
from collections.abc import Mapping
import json
import pathlib
from typing import Any, NamedTuple

from common import audits, experiments
from common.verdict_file import Verdict
from jaxsynth.data import DatasetSpec
from jaxsynth.data.analysis.findings import plural
from jaxsynth.evaluation.meanings import got_worse
from stages import collected, judging, rule_engine, rule_items
from stages.rule_engine import RuleEngine


class Results(NamedTuple):
  """The stages' own files; an empty one where a stage has not ended.

  Attributes:
    collection, prepared, analysis, config, before, after, downstream: collection.json,
      preprocess.json, analysis.json, config.json, scores.json before and after filtering,
      downstream.json.
    losses: lines of metrics.jsonl.
    scored: lines of scores.jsonl.
    sets: stage -> metadata.json of the data set it wrote.
    places: stage -> folder of that data set, below OUT.
    model: what was trained, as the subject of a sentence.
    sampling: names of the flags of sampling that the model has.
    data: the data set, where the records tell which.
    rule: the engine, if it is a rule.
    verdicts: judge -> what it says, see `judging.verdicts`.
    audit: lines of audit.jsonl of the last set; `None` where none was made.
  """
  collection: dict[str, Any]
  prepared: dict[str, Any]
  analysis: dict[str, Any]
  config: dict[str, Any]
  before: dict[str, Any]
  after: dict[str, Any]
  downstream: dict[str, Any]
  losses: list[dict[str, Any]]
  scored: list[dict[str, Any]]
  sets: dict[str, dict[str, Any]]
  places: dict[str, str]
  model: str = 'A model'
  sampling: tuple[str, ...] = ()
  data: DatasetSpec | None = None
  rule: RuleEngine | None = None
  verdicts: Mapping[str, Verdict] = {}
  audit: list[dict[str, Any]] | None = None

  @property
  def words(self) -> Mapping[str, str]:
    """What the data's kind calls its examples, in the place of the words for images."""
    return collected.kind_of(self.collection).words if self.collection else {}

  @property
  def dataset(self) -> str:
    """Its name."""
    return self.collection.get('dataset', 'a data set')

  def sentence(self, stage: str) -> str:
    """What came of a stage; nothing where it has not ended."""
    if stage == 'train' and self.rule is not None:
      return rule_items.sentence(self.rule, self.data)
    return SENTENCES[stage](self) if stage in SENTENCES and self.has(stage) else ''

  def came_in(self, stage: str) -> str:
    """What went into it, briefly."""
    return {'collect': self.dataset, 'preprocess': 'the images as collected',
            'analyse': 'the images as prepared', 'train': f'{_images(self.trained_on)}',
            'synthesise': self.engine, 'assess': f'{_images(self.num("synthesise"))}',
            'filter': self.engine, 'downstream': 'real and synthetic images'}[stage]

  def came_out(self, stage: str) -> str | None:
    """What came out, briefly."""
    return OUT[stage](self) if self.has(stage) else None

  def has(self, stage: str) -> bool:
    """Whether it has left its numbers."""
    return bool({'collect': self.collection, 'preprocess': self.prepared,
                 'analyse': self.analysis, 'train': self.config, 'assess': self.before,
                 'downstream': self.downstream or self.verdicts}.get(stage) or
                self.sets.get(stage))

  @property
  def engine(self) -> str:
    """What draws."""
    return 'the averaged model' if self.rule is None else f'the rule {self.rule.name}'

  @property
  def trained_on(self) -> int:
    """How many images."""
    return self.config.get('data', self.collection.get('sets', {}).get('train', {})).get('size', 0)

  @property
  def promised(self) -> Mapping[str, Any]:
    """What says of the last set which privacy was promised."""
    return self.sets.get('filter') or self.sets.get('synthesise') or self.config

  def num(self, stage: str) -> int:
    """Images of the data set that it wrote."""
    return sum(self.sets.get(stage, {}).get('splits', {}).values())

  def failed(self, stage: str) -> list[str]:
    """What --require asks for and is not met."""
    return self.sets.get(stage, {}).get('measured', {}).get('failed', ['see its log'])

  @property
  def kept(self) -> dict[str, Any]:
    """What the filters let pass."""
    return self.sets.get('filter', {}).get('measured', {}).get('kept', {})

  def pseudo(self, stage: str) -> dict[str, Any]:
    """What the pseudo-labels of the data set that it wrote came to."""
    return self.sets.get(stage, {}).get('measured', {}).get('pseudo_labels', {})


def read(out: pathlib.Path, done: Mapping[str, Any]) -> Results:
  """Reads what the stages that have ended left below `out`."""
  def content(stage: str, path: str) -> dict[str, Any]:
    there = stage in done and done[stage]['outputs'] and (out / path).is_file()
    return json.loads((out / path).read_text(encoding='utf-8')) if there else {}
  sets, places = {}, {}
  for stage in ('synthesise', 'filter'):
    for path in done.get(stage, {}).get('outputs', ()):
      if path.endswith('/metadata.json'):
        sets[stage], places[stage] = content(stage, path), path.rpartition('/')[0]
  config = content('train', 'train/config.json')
  data = collected.spec_of(done['collect']) if 'collect' in done else None
  return Results(
      content('collect', 'collect/collection.json'),
      content('preprocess', 'preprocess/preprocess.json'),
      content('analyse', 'analyse/analysis.json'), config,
      content('assess', 'assess/scores.json'), content('filter', 'filter/scores.json'),
      content('downstream', 'downstream/downstream.json'),
      _lines(out / 'train/metrics.jsonl') if 'train' in done else [],
      _lines(out / 'train/scores.jsonl') if 'train' in done else [], sets, places,
      *(_model(config) if config else ('A model', ())), data,
      rule_engine.of_about(done.get('train', {}).get('about', {})),
      judging.verdicts(out, [*done.get('downstream', {}).get('outputs', ())]),
      next((rows for stage in ('filter', 'assess') if f'{stage}/{audits.FILE}' in done.get(
          stage, {}).get('outputs', ()) and (rows := _lines(out / stage / audits.FILE))), None))


def _model(config: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
  """What a run's record says was trained, and its flags of sampling."""
  try:
    program = experiments.program(config.get('experiment', experiments.FIRST))
    return experiments.build(config, {}).summary, tuple(program.SAMPLING)
  except ValueError:  # a program that is there no more
    return 'A model', ()


def _lines(path: pathlib.Path) -> list[dict[str, Any]]:
  return [json.loads(x) for x in path.read_text(encoding='utf-8').splitlines()] if (
      path.is_file()) else []


def _images(n: int) -> str:
  return f'{n:,} images'


def _collected(r: Results) -> str:
  train = r.collection['sets']['train']
  n = len(r.collection['names'])
  others = ', '.join(f'{x["size"]:,} for {name}' for name, x in r.collection['sets'].items()
                     if name != 'train')
  return (f'{r.dataset} has {train["size"]:,} images to learn from'
          + (f', of {n} classes' if n else ', without labels')
          + (f' ({others})' if others else '') + '.')


def _analysed(r: Results) -> str:
  level = [f['level'] for f in r.analysis['findings']]
  return (f'Found: {plural(level.count("bad"), "fault")}, '
          f'{plural(level.count("warning"), "warning")}.')


def _trained(r: Results) -> str:
  f = r.config['flags']
  return f'{r.model} learned for {f["steps"]:,} steps of {f["batch_size"]} images.'


def _drawn(r: Results) -> str:
  pseudo, model = r.pseudo('synthesise'), r.sets['synthesise'].get('model', {})
  changed = ' and '.join(f'{name.replace("_", " ")} {model[name]}' for name in r.sampling
                         if name in model)
  return f'It drew {r.num("synthesise"):,} images' + (f' at {changed}.' if changed else '.') + (
      f' A classifier of real ones labelled them{_rightly(pseudo)}.' if pseudo else '')


def _rightly(pseudo: Mapping[str, Any]) -> str:
  right, changed = pseudo['accuracy_on_validation'], pseudo['changed']
  parts = [] if right is None else [f'it is right for {right:.1%} of held-out ones']
  parts += [] if changed is None else [f'{changed:.1%} are not what was asked for']
  return f' ({"; ".join(parts)})' if parts else ''


def _score(scores: Mapping[str, Any], name: str, form: str = '.3g') -> str:
  if name not in scores['scores']:
    return 'not known, of so few images'
  value, floor = (scores['scores'][name][x] for x in ('value', 'floor'))
  return f'{value:{form}} (floor {floor:{form}})'


def _assessed(r: Results) -> str:
  s = r.before
  return (f'Their Frechet distance ({s["features"]["name"]}) to real test images is '
          f'{_score(s, "frechet")}, precision {_score(s, "precision", ".2f")}, recall '
          f'{_score(s, "recall", ".2f")}.')


def _filtered(r: Results) -> str:
  if not r.after:
    return ''
  share = f' {r.kept["share"]:.0%} of what was drawn passed;' if r.kept else ''
  worse = r.before and got_worse(*(
      x['scores'].get('frechet', {}).get('value') for x in (r.before, r.after)))
  return (f'Filters ({", ".join(r.sets["filter"]["filters"]["names"])}):{share} the distance is '
          f'then {_score(r.after, "frechet")}, precision {_score(r.after, "precision", ".2f")}, '
          f'recall {_score(r.after, "recall", ".2f")}.'
          + (f' The filters made the distance worse: it was {_score(r.before, "frechet")}.'
             if worse else ''))


def _worth(r: Results) -> str:
  judged = [x.sentence for x in r.verdicts.values()]
  return ' '.join([_useful(r), *judged] if r.downstream else judged)


def _useful(r: Results) -> str:
  rows = r.downstream['settings']
  real = max((row for row in rows if not row['synthetic']), key=lambda row: row['real'])
  alone = next(row for row in rows if not row['real'])
  mixed = [row for row in rows if row['real'] and row['synthetic']]
  verdicts = [row['against_real']['verdict'] for row in mixed]
  accuracy = lambda row: f'{row["accuracy"]["value"]:.1%}'
  return (f'A classifier of {alone["name"]} images alone is right on {accuracy(alone)} of the real '
          f'test images, one of {real["name"]} ones on {accuracy(real)}; beside real images, '
          f'synthetic ones help in {verdicts.count("helps")} and hurt in '
          f'{verdicts.count("hurts")} of {len(verdicts)} settings.')


SENTENCES = {'collect': _collected, 'analyse': _analysed, 'train': _trained, 'synthesise': _drawn,
             'assess': _assessed, 'filter': _filtered, 'downstream': _worth}
OUT = {
    'collect': lambda r: ', '.join(f'{name} {x["size"]:,}'
                                   for name, x in r.collection['sets'].items()),
    'preprocess': lambda r: 'x'.join(map(str, r.prepared['image_shape'])) + (
        '' if r.prepared['changed'] else ', nothing changed'),
    'analyse': lambda r: _analysed(r)[7:-1],
    'train': lambda r: f'{r.config["flags"]["steps"]:,} steps',
    'synthesise': lambda r: _images(r.num('synthesise')),
    'assess': lambda r: f'Frechet {_score(r.before, "frechet")}',
    'filter': lambda r: _images(r.num('filter')) + (
        f', Frechet {_score(r.after, "frechet")}' if r.after else ''),
    'downstream': lambda r: ', '.join(
        [f'{len(r.downstream["settings"])} settings'] if r.downstream else [
            judge.replace('_', ' ') for judge in r.verdicts])}

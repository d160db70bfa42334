"""A pipeline as a page: what came of it, then stage by stage what went in and out."""
import pathlib
import re
from typing import Any

from jaxsynth.pages import privacy
from jaxsynth.pages.words import worded
from jaxsynth.report import Code, Item, Links, Note, Page, Section, Table
from stages import answers, figures, judging, record as records, result, rule_items
from stages.stage import NAMES

TITLES = {'collect': 'Collect', 'preprocess': 'Preprocess', 'analyse': 'Analyse', 'train': 'Train',
          'synthesise': 'Synthesise', 'assess': 'Assess', 'filter': 'Filter',
          'downstream': 'Downstream'}
WHAT = {
    'collect': 'The data set is opened, counted and fingerprinted, so that a change of it is seen.',
    'preprocess': 'Every image is brought to one size and one number of channels, alike in all '
                  'stages.',
    'analyse': 'What the data are like, and what in them would spoil training or its evaluation.',
    'train': 'A model learns from the training images.',
    'synthesise': 'The averaged model draws a data set that tfds reads.',
    'assess': 'The synthetic images against real ones that nothing learned from, beside what real '
              'training images score in their place (the floor).',
    'filter': 'A second data set, of images that pass the filters; what does not is drawn again.',
    'downstream': 'Classifiers that learn from real, synthetic and both kinds of images, tested on '
                  'real ones.'}
JUDGED = ('What the images are worth, by what learns from them and is tested on real ones, and by '
          'what learns to tell them apart.')
WHAT_OF_RULES = {'train': 'Nothing is trained.',
                 'synthesise': 'The rule draws a data set that tfds reads.'}
PAGES = {'preprocess': 'before and after', 'analyse': 'the analysis', 'assess': 'the evaluation',
         'filter': 'the evaluation after filtering', 'downstream': 'the classifiers'}


def page(out: pathlib.Path) -> Page:
  """The page of the pipeline in this folder.

  Raises:
    FileNotFoundError: no stage has ended there.
  """
  done = {name: x for name in NAMES[:-1] if (x := records.read(out, name)) is not None}
  if not done:
    raise FileNotFoundError(f'{out}: no stage of a pipeline has ended there')
  results = result.read(out, done)
  sections = [_overview(out, done, results)]
  if results.promised:
    sections.append(privacy.of_files(results.promised, results.audit))
  sections += [_section(out, name, record, results) for name, record in done.items()]
  title = f'{results.dataset}: from data to synthetic data and its worth'
  return worded(Page(title, lead(results, done), sections, _foot(done)), results.words)


def lead(results: result.Results, done: dict[str, Any]) -> str:
  """What came of it, in a few sentences."""
  text = [results.sentence(name) for name in ('collect', 'train', 'synthesise', 'assess', 'filter',
                                            'downstream')]
  rejected = [name for name, x in done.items() if x['status'] == 'rejected']
  verdict = 'The data set is REJECTED: it does not score what was required.\n\n' if (
      rejected) else ''
  return verdict + ' '.join(x for x in text if x)


def _overview(out: pathlib.Path, done: dict[str, Any], results: result.Results) -> Section:
  rows = [[TITLES[name], record['status'], results.came_in(name), results.came_out(name),
           record.get('seconds')] for name, record in done.items()
          if name != 'train' or results.rule is None]
  missing = [TITLES[name] for name in NAMES[:-1] if name not in done]
  items: list[Item] = [Table('What went into each stage and what came out, with the seconds of '
                             'its last start', ['stage', 'state', 'in', 'out', 'seconds'], rows)]
  if missing:
    items.append(Note(f'Not run yet: {", ".join(missing)}.', 'warning'))
  resumed = [f'{TITLES[name]} ({x["starts"]} starts)' for name, x in done.items()
             if x.get('starts', 1) > 1]
  if resumed:
    items.append(Note(f'Stopped and taken up again: {", ".join(resumed)}.'))
  code = records.code()
  older = [TITLES[name] for name, x in done.items() if x.get('code', code) != code]
  if older:
    items.append(Note(f'The code has changed since these ran: {", ".join(older)}.', 'warning'))
  return Section('In short', '', [*answers.table(results), *figures.samples(out, results), *items])


def _section(out: pathlib.Path, name: str, record: dict[str, Any], results: result.Results
             ) -> Section:
  what = WHAT[name] if results.rule is None else WHAT_OF_RULES.get(name, WHAT[name])
  if name == judging.NAME and results.verdicts and not results.downstream:
    what = JUDGED
  if name == 'train' and results.rule is not None:
    return Section('The engine', f'{results.sentence(name)} {what}',
                   rule_items.items(results.rule, results.data))
  if record['status'] == 'not applicable':
    return Section(TITLES[name], what, [Note(f'Does not apply: {record["why"]}.')])
  text = results.sentence(name) or what
  items: list[Item] = figures.items_of(name, results)
  if record['status'] == 'rejected':
    items.insert(0, Note('Rejected: ' + '; '.join(results.failed(name)) + '.', 'bad'))
  pages = sorted(p for p in record['outputs'] if p.startswith(f'{name}/') and p.endswith('.html'))
  numbers = sorted(p for p in record['outputs'] if p.startswith(f'{name}/') and '.json' in p and
                   (p.count('/') == 1 or name == judging.NAME))
  links = [(_called(name, p), p) for p in pages]
  links += [(p.rpartition('/')[2], p) for p in numbers if not p.endswith(judging.MARK)]
  if name == 'train':
    grids = sorted(out.glob('train/samples/step_*.png'))
    links += [(p.name, str(p.relative_to(out))) for p in grids[-1:]]
  log = f'logs/{name}.log'
  if (out / log).is_file():
    links.append(('its log', log))
  if links:
    items.append(Links('Read on:', links))
  items.append(Code('\n'.join(re.sub(" ('?--)", r' \\\n  \1', x) for x in record['shown'])))
  return Section(TITLES[name], f'{what} {text}' if text != what else text, items)


def _called(stage: str, path: str) -> str:
  """What a link to a page of a stage says: whose it is, if a judge of the stage has written it."""
  _, *judge, _ = path.split('/')
  return judge[0].replace('_', ' ') if judge else PAGES.get(stage, 'its page')


def _foot(done: dict[str, Any]) -> str:
  seconds = sum(x.get('seconds', 0) for x in done.values())
  versions = sorted({x['version'] for x in done.values() if 'version' in x})
  return (f'The stages took {seconds:,.0f} s together. Each command stands under its stage and '
          'runs by itself, from the folder that the pipeline was started in. What each stage '
          'read and left, with a SHA-256 of every file, is in stages/.\n\n'
          f'jaxsynth {", ".join(versions)}.')

r"""Says how good a synthetic data set is, against real data and its floor.

    python experiments/evaluate.py --real=mnist --data_dir=$TFDS \
        --synthetic=/tmp/mnist --num=10000 --report=/tmp/report

--synthetic is a run's --workdir, its synthetic.npz, a prepared tfds folder or a folder of
images. Into --report go scores.json, every score with what real data gets for it, its
standard error and its protocol; report.html, one page that needs nothing else; and with
--blind=N blind.html, where a person tells real from synthetic.

MNIST: train[:55000] is what was learned from, train[55000:] what nothing saw, test the
reference, to be touched once at the end: while choosing, say --real_split=train[55000:]
and --validation_split=''. Without splits, half of --real is the reference and half the floor.
"""
import clock  # first: it says when

import json
import pathlib
import shutil
import tempfile
import time

from absl import app, flags

import blind
import comparison_options
import data_options
import downstream_page
import evaluate_page
import evaluate_record
import evaluate_scores
import evaluate_sets
from extractors import extractor
from jaxsynth import checkpoint, files, report
from sets import are_digits
import startup

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(comparison_options)
flags.DEFINE_string('validation_split', None, 'Real images that nothing learned from, for the '
                    'floor of memorisation; by default validation, of MNIST train[55000:].')
flags.DEFINE_integer('num', None, 'Synthetic images to score; a run draws as many as it has '
                     'not. By default what is there.', lower_bound=100)
flags.DEFINE_string('features', 'auto', 'What distances are measured on: mnist, random, pixels '
                    'or an .npz file of Inception; auto is mnist for its digits, else random.')
flags.DEFINE_string('downstream', None, 'Folder of downstream.py, whose section the page shows.')
flags.DEFINE_integer('blind', 0, 'Images of blind.html; 0 for no such page.', lower_bound=0)
flags.DEFINE_integer('seed', 0, 'Of what is drawn here, images of the run excepted.',
                     lower_bound=0)
flags.register_validator('blind', lambda n: n % 2 == 0, 'expected an even number')
OWN = ('synthetic', 'train_split', 'validation_split', 'synthetic_split', 'num', 'step',
       'features', 'blind', 'seed')


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  config = data_options.config() | {name: FLAGS[name].value for name in OWN}
  config['real_split'] = config.pop('split')
  startup.quiet()
  startup.keep_compiled()
  startup.keep_memory()
  try:
    sets = evaluate_sets.read(config)
    digits = are_digits(config['dataset'])
    net = extractor(config['features'], sets.real.images.shape[1:], digits)
    found = evaluate_scores.measure(sets, net, digits)
    curve = evaluate_sets.scores_of(config['synthetic'])
    more = [downstream_page.read(FLAGS.downstream)] if FLAGS.downstream else []
    with tempfile.TemporaryDirectory() as scratch:
      out = pathlib.Path(scratch)
      record = evaluate_record.record(sets, found, config)
      (out / 'scores.json').write_text(json.dumps(record, indent=1, allow_nan=False) + '\n')
      report.write(out / 'report.html', evaluate_page.page(sets, found, curve, more))
      if config['blind']:
        (out / 'blind.html').write_text(blind.page(
            sets.real, sets.fake, sets.classes, config['blind'], config['seed']), 'utf-8')
      publish(out, pathlib.Path(FLAGS.report).expanduser())
  except (ValueError, OSError, ImportError, checkpoint.CheckpointError) as error:
    raise app.UsageError(str(error)) from error
  for name, score in found.scores.items():
    print(f'{name:24}{score.value:<12.4g} floor {score.floor:.4g}')
  print(f'done: {FLAGS.report}/report.html ({time.perf_counter() - clock.START:.0f} s)')


def publish(scratch: pathlib.Path, folder: pathlib.Path) -> None:
  """Moves finished files where they are wanted."""
  folder.mkdir(parents=True, exist_ok=True)
  for path in sorted(scratch.iterdir()):
    with files.write_aside(folder / path.name) as f, open(path, 'rb') as whole:
      shutil.copyfileobj(whole, f)


if __name__ == '__main__':
  app.run(main)

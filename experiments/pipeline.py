r"""From a data set to what synthetic images are worth, in one command.

    python experiments/pipeline.py \
        --flagfile=experiments/flags/pipeline_quick.flags --out=/tmp/pipeline

Nine stages: collect, preprocess, analyse, train, synthesise, assess, filter, downstream,
report. Each is a program of this folder with flags of its own, printed so that it can be run by
itself; OUT/report.html says in one page what came of them. The same command goes on where
it was stopped, and skips what would come out the same: a stage is run again when its flags,
what it reads or what it left have changed. Changed code is only told of; --rerun=STAGE
redoes a stage from nothing, and with it what follows from its files.

Exit codes: 0 all is done; 3 it is, but the data set does not score what --require asks for; 1
a stage failed.
"""
import pathlib
import signal
import sys
import time

from absl import app, flags

import data_options
import pipeline_check as check
import pipeline_options
import pipeline_record as records
import pipeline_run as run
import pipeline_stages as stages
from jaxsynth import files

FLAGS = pipeline_options.FLAGS
for _module in (data_options, pipeline_options):
  flags.adopt_module_key_flags(_module)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  signal.signal(signal.SIGTERM, stop)
  start = time.monotonic()
  try:
    options = pipeline_options.options()
    out = pathlib.Path(options.out)
    (out / 'stages').mkdir(parents=True, exist_ok=True)
    with files.lock(out):
      for torn in out.glob('stages/.*.aside'):
        torn.unlink()
      rejected = everything(options, out)
  except KeyboardInterrupt:
    sys.exit('stopped; the same command goes on')
  except (ValueError, OSError, files.Locked) as error:
    raise app.UsageError(str(error)) from error
  except run.Failed as error:
    sys.exit(str(error))
  print(f'done: {out / "report.html"} ({time.monotonic() - start:.0f} s)')
  if rejected:
    print('the data set is rejected: see --require, and its scores in the report')
    sys.exit(run.REJECTED)


def stop(*_: object) -> None:
  """Ends the program that runs, and then this one."""
  print('stopped by SIGTERM; the same command goes on', file=sys.stderr, flush=True)
  sys.exit(128 + signal.SIGTERM)


def everything(options: stages.Options, out: pathlib.Path) -> bool:
  """Runs what is to be run; whether the data set was rejected."""
  first = stages.collect(options)
  if first.name in FLAGS.stages:
    run.execute(first, out, rerun=first.name in FLAGS.rerun)
  found = records.read(out, 'collect')
  if found is None:
    raise ValueError('nothing is collected yet: --stages must begin with collect')
  chosen = [x for x in stages.after_collect(options, check.collection(out))
            if x.name in FLAGS.stages]
  check.arguments([x for x in chosen if x.name != 'report'], out)  # its flags are ours
  rejected = False
  for stage in chosen:
    if stage.name == 'report':
      stage = stage._replace(about={'stages': check.state(out)})
    record = run.execute(stage, out, rerun=stage.name in FLAGS.rerun)
    rejected |= record['status'] == 'rejected'
  return rejected


if __name__ == '__main__':
  app.run(main)

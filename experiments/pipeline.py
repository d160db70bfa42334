r"""From a data set to what synthetic images are worth, in one command.

    python experiments/pipeline.py \
        --flagfile=experiments/flags/pipeline_quick.flags --out=/tmp/pipeline

Nine stages: collect, preprocess, analyse, train, synthesise, assess, filter, downstream,
report. Each is a program of experiments/ with flags of its own, printed so that it can be run by
itself; OUT/report.html says in one page what came of them. --experiment names the program that
trains: any family of models is drawn from and judged alike. With --rule, and --spec for what it
draws, nothing is trained: a rule that is written down draws in the place of a model.

The same command goes on where it was stopped, and skips what would come out the same: a stage
is run again when its flags, what it reads or what it left have changed. Changed code is only
told of; --rerun=STAGE redoes a stage from nothing, and with it what follows from its files.

Exit codes: 0 all is done; 3 it is, but the data set does not score what --require asks for; 1
a stage failed.
"""
from collections.abc import Mapping
import pathlib
import signal
import sys
from typing import Any

from absl import flags
import jax

from common import experiments, program, sampling_flags
from jaxsynth import files, quality
from jaxsynth.data import roles as data_roles
from stages import (
    check, options as pipeline_options, plan, record as records, rule_engine, run, training)
from stages.rule_engine import RuleEngine


def main() -> None:
  """Runs what is to be run."""
  signal.signal(signal.SIGTERM, stop)
  jax.config.update('jax_platforms', 'cpu')  # devices are for the programs that it starts
  try:
    out, rejected = everything(flags.FLAGS)
  except KeyboardInterrupt:
    sys.exit('stopped; the same command goes on')
  except run.Failed as error:
    sys.exit(str(error))
  program.done(out / 'report.html' if 'report' in flags.FLAGS.stages else out)
  if rejected:
    print('the data set is rejected: see --require, and its scores in the report')
    sys.exit(quality.REJECTED)


def stop(*_: object) -> None:
  """Ends the program that runs, and then this one."""
  print('stopped by SIGTERM; the same command goes on', file=sys.stderr, flush=True)
  sys.exit(128 + signal.SIGTERM)


def everything(values: flags.FlagValues) -> tuple[pathlib.Path, bool]:
  """Runs the stages that the flags ask for, those whose result does not hold.

  Returns:
    The pipeline's folder, and whether the data set was rejected.

  Raises:
    ValueError: flags that cannot be; nothing was trained.
    run.Failed: a stage did.
    OSError, files.Locked: the folder cannot be written, or another pipeline is at work there.
  """
  options = pipeline_options.given(values)
  out = pathlib.Path(options.out)
  (out / 'stages').mkdir(parents=True, exist_ok=True)
  with files.lock(out):
    for torn in out.glob('stages/.*.aside'):
      torn.unlink()
    return out, _everything(options, out, values.stages, values.rerun)


def _everything(options: plan.Options, out: pathlib.Path, names: list[str], rerun: list[str]
                ) -> bool:
  """Runs the stages of these names; whether the data set was rejected."""
  first = plan.collect(options)
  if first.name in names:
    run.execute(first, out, rerun=first.name in rerun)
  if records.read(out, 'collect') is None:
    raise ValueError('nothing is collected yet: --stages must begin with collect')
  roles = data_roles.roles_beside(options.data, *options.splits.values())
  collection = {**check.collection(out), 'roles': roles._asdict()}
  labelled = gives_labels(options, collection)
  chosen = [x for x in plan.after_collect(options, collection, labelled) if x.name in names]
  # the training's flags are checked already, and those of the report are ours
  check.arguments([x for x in chosen if x.name not in ('train', 'report')], out, options.sampling)
  rejected = False
  for stage in chosen:
    if stage.name == 'report':
      stage = stage._replace(about={'stages': check.state(out)})
    record = run.execute(stage, out, rerun=stage.name in rerun)
    rejected |= record['status'] == 'rejected'
  return rejected


def gives_labels(options: plan.Options, collection: Mapping[str, Any]) -> bool:
  """Whether samples of the engine carry labels.

  Raises:
    ValueError: it does not go with the data.
  """
  if isinstance(options.engine, RuleEngine):
    rule_engine.check_fits(options.engine, options.data, collection)
    return bool(options.engine.rule.class_names)
  return training.gives_labels(options.engine, options.data, collection)


if __name__ == '__main__':
  program.run(main, pipeline_options.define, compiles=False, define_more=sampling_flags.definer(
      'experiment', pipeline_options.program, default=experiments.FIRST))

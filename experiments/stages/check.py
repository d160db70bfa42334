"""What is looked at before work begins: flags of every stage, so that hours are not lost."""
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
import hashlib
import json
import pathlib
import subprocess
from typing import Any

from stages import record as records, run
from stages.stage import Args, NAMES, Stage


def collection(out: pathlib.Path) -> dict[str, Any]:
  """What was collected."""
  return json.loads((out / 'collect/collection.json').read_text(encoding='utf-8'))


def arguments(stages: Sequence[Stage], out: pathlib.Path, sampling: Args = ()) -> None:
  """Has every program check its flags, where they are other ones than it last ran with.

  Args:
    stages: whose programs are asked.
    out: the pipeline's folder.
    sampling: flags of sampling as they are given to programs. Those know them by the run, which
      is not there yet, so here they are let pass; the pipeline has checked them.

  Raises:
    ValueError: one refuses them.
  """
  asked = [(stage.name, _without(sampling, args)) for stage in stages
           if not stage.why_not and not _known(stage, out) for args in stage.commands]
  with ThreadPoolExecutor(2) as pool:
    for (name, args), text in zip(asked, pool.map(lambda x: refusal(x[1]), asked)):
      if text:
        raise ValueError(f'{name}: {text}')


def _without(sampling: Args, args: Args) -> Args:
  """The command, with the flags of sampling that it has allowed to be unknown."""
  names = [arg.lstrip('-').partition('=')[0] for arg in args if arg in sampling]
  return (*args, f'--undefok={",".join(names)}') if names else args


def refusal(args: Sequence[str]) -> str:
  """What a program says against its flags, or nothing; it does no work."""
  done = subprocess.run([*run.command(tuple(args)), '--only_check_args'], text=True,
                        stdin=subprocess.DEVNULL, capture_output=True, check=False)
  if not done.returncode:
    return ''
  name, text = pathlib.Path(args[0]).name, (done.stderr + done.stdout).strip()
  _, known, said = text.rpartition(f'{name}: ')  # before it, libraries warn
  return f'{name}: {said if known else text or "it cannot be run"}'


def _known(stage: Stage, out: pathlib.Path) -> bool:
  before = records.read(out, stage.name, 'begun') or records.read(out, stage.name)
  now = records.settings(stage, out)
  return before is not None and all(before.get(x) == now[x] for x in ('commands', 'about'))


def state(out: pathlib.Path) -> str:
  """SHA-256 of all that the report says of the stages."""
  ended = [records.read(out, name) for name in NAMES if name != 'report']
  return hashlib.sha256(json.dumps(ended).encode()).hexdigest()

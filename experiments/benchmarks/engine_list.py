"""The generative engines that `engines.py` compares: a line adds one."""
from collections.abc import Sequence
import pathlib
from typing import NamedTuple

from absl import flags

FLAGFILES = pathlib.Path(__file__).resolve().parents[1] / 'flags'


class Engine(NamedTuple):
  """One way to draw images.

  Attributes:
    name: of its folder, and for `--only`.
    title: as tables and pictures call it.
    program: of experiments/, that trains it.
    flagfile: of its training, without `.flags`; empty for the program's defaults.
    flags: of its training, beside those of the flagfile.
    sampling: flags of sampling, changed after the training.
    training: folder of the training, of engines that share one; by default the engine's name.
    teacher: the engine that it learns from, given as `--teacher`, which is trained before it.
  """
  name: str
  title: str
  program: str
  flagfile: str = ''
  flags: tuple[str, ...] = ()
  sampling: tuple[str, ...] = ()
  training: str = ''
  teacher: str = ''

  @property
  def trained_in(self) -> str:
    """Name of the folder of its training.

    >>> Engine('a', 'A', 'mnist_vae').trained_in
    'a'
    """
    return self.training or self.name

  def training_flags(self) -> list[str]:
    """Of its training, flagfiles opened: the lines of those that it names, then its flags."""
    named = [f'--flagfile={FLAGFILES / self.flagfile}.flags'] if self.flagfile else []
    return [*flags.FlagValues().read_flags_from_files(named), *self.flags]


def euler(evaluations: int) -> tuple[str, ...]:
  """Flags of a flow that evaluates its network so often a sample: once a step of Euler."""
  return '--solver=euler', f'--solver_steps={evaluations}'


HEUN = '--solver=heun', '--solver_steps=5'  # 9 evaluations: the last step takes one
ENGINES = (
    Engine('dcgan', 'DCGAN', 'mnist_dcgan', 'mnist_dcgan'),
    Engine('conditional_dcgan', 'conditional DCGAN', 'mnist_dcgan', 'mnist_conditional'),
    Engine('vae', 'conditional VAE', 'mnist_vae', 'conditional_vae'),
    Engine('flow', 'flow, 9 evaluations', 'mnist_flow', 'mnist_flow', (), HEUN),
    Engine('flow_1', 'flow, 1 evaluation', 'mnist_flow', 'mnist_flow', (), euler(1), 'flow'),
    Engine('reflow', 'reflow of that flow, 1 evaluation', 'mnist_flow', 'mnist_reflow',
           teacher='flow'),
    Engine('meanflow', 'MeanFlow, 1 evaluation', 'mnist_meanflow', 'mnist_meanflow'),
    Engine('codes', 'codes and a prior', 'mnist_vqvae', 'mnist_vqvae'))


def chosen(engines: Sequence[Engine], names: Sequence[str] | None) -> list[Engine]:
  """Those of these names, in the order of the list; all of them without names.

  Raises:
    ValueError: a name that no engine has.

  >>> [engine.name for engine in chosen(ENGINES, ['vae', 'dcgan'])]
  ['dcgan', 'vae']
  """
  known = [engine.name for engine in engines]
  if wrong := sorted(set(names or ()) - set(known)):
    raise ValueError(f'--only: no engine {", ".join(map(repr, wrong))}; there are '
                     f'{", ".join(known)}')
  return [engine for engine in engines if not names or engine.name in names]

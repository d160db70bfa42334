r"""Writes OUT/report.html: a pipeline in one page.

    python experiments/stages/report.py --out=/tmp/pipeline

`pipeline.py` runs it last; it reads what the stages left and changes nothing of it.
"""
import pathlib
import sys

if __name__ == '__main__':  # started by its path, it imports as pipeline.py does
  sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from absl import flags

from common import paths, program
from jaxsynth import report
from stages import page


def define_flags(values: flags.FlagValues) -> None:
  """Its one flag."""
  paths.define('out', None, "The pipeline's folder.", values, required=True)


def main() -> None:
  """Writes the page."""
  out = pathlib.Path(flags.FLAGS.out)
  report.write(out / 'report.html', page.page(out))
  program.done(out / 'report.html')


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)

r"""Writes OUT/report.html: a pipeline in one page.

    python experiments/pipeline_report.py --out=/tmp/pipeline

`pipeline.py` runs it last; it reads what the stages left and changes nothing of it.
"""
import pathlib

from absl import app, flags

import pipeline_page
from jaxsynth import report
import startup

FLAGS = flags.FLAGS
flags.DEFINE_string('out', None, "The pipeline's folder.", required=True)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  out = pathlib.Path(FLAGS.out).expanduser()
  try:
    report.write(out / 'report.html', pipeline_page.page(out))
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  print(f'done: {out / "report.html"}')


if __name__ == '__main__':
  app.run(main)

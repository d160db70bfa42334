r"""Times the synthesis engine: the generator alone, and all of it writing to disk.

    python experiments/benchmarks/synthesis.py --run=/tmp/quickstart --num=20000

On an otherwise idle machine. Generator and engine take turns, on the same samples; then
come the parts alone: PNG as ours and Pillow's, records, and the engine with a generator
that costs nothing, which is what it can write at most. Prints a table, then JSON lines.
"""
import io
import json
import pathlib
import resource
import sys
import tempfile
import time
from typing import Any

from absl import app, flags
import jax
import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import experiments
from jaxsynth.kinds import image_kind, message, png
from jaxsynth.synthesis import draw, engine, metadata, plan, records

RUN = flags.DEFINE_string('run', None, "A trained run's --workdir.", required=True)
NUM = flags.DEFINE_integer('num', 4096, 'Images of each timing.', lower_bound=1)
BLOCKS = flags.DEFINE_list('blocks', '32,256', 'Images computed together.')
REPEATS = flags.DEFINE_integer('repeats', 3, 'Turns.', lower_bound=1)
PARTS = flags.DEFINE_bool('parts', True, 'Time the parts too.')


def timed(f) -> float:
  start = time.perf_counter()
  f()
  return time.perf_counter() - start


def written(stream: draw.Stream, num: int, about: metadata.About, shards: int = 1) -> None:
  """A data set on disk, and gone."""
  with tempfile.TemporaryDirectory(dir='.') as folder:
    form = records.array_record(folder, about)
    files = plan.shards({'train': num}, shards, 1)
    engine.write(stream, files, form)
    engine.finish(files, form)


def alone(stream: draw.Stream, num: int) -> None:
  for piece in stream(0, num):
    del piece


def pillow(image: np.ndarray) -> bytes:
  file = io.BytesIO()
  Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, 'PNG')
  return file.getvalue()


def parts(images: np.ndarray, about: metadata.About) -> list[dict[str, Any]]:
  """Microseconds and bytes an image, of one thread."""
  rows: list[dict[str, Any]] = []
  files = [png.encode(image) for image in images]
  cases = {'png': lambda: [png.encode(x) for x in images],
           'png by pillow': lambda: [pillow(x) for x in images],
           'example': lambda: [message.serialize({'image': x, 'label': np.array(3)})
                               for x in files]}
  for name, f in cases.items():
    best = min(timed(f) for _ in range(3))
    rows.append({'part': name, 'us': best / len(images) * 1e6,
                 'bytes': sum(map(len, f())) / len(images)})
  labels = np.arange(len(images), dtype=np.int32) % 10

  def free(start: int, stop: int):
    for k in range(start, stop, len(images)):
      yield draw.Piece(k, {'image': images[:stop - k], 'label': labels[:stop - k]})
  num = 64 * len(images)
  best = min(timed(lambda: written(free, num, about)) for _ in range(3))
  rows.append({'part': 'engine without a generator', 'us': best / num * 1e6,
               'images_per_s': num / best})
  return rows


def main(argv: list[str]) -> None:
  del argv
  model = experiments.load(RUN.value)
  about = metadata.About('timed', '1.0.0', image_kind.images(
      model.image_shape, model.run.num_classes))
  num = NUM.value
  rows: list[dict[str, Any]] = []
  print(f'jax {jax.__version__}, {jax.devices()}, {num:,} images a turn')
  print(f'{"block":>6}{"generator":>11}{"engine":>9}{"share":>7}   images/s, median')
  for block in map(int, BLOCKS.value):
    stream = model.streamer(0, model.run.num_classes, block=block)
    alone(stream, block)  # compiles
    times: dict[str, list[float]] = {'generator': [], 'engine': []}
    for _ in range(REPEATS.value):
      times['generator'].append(timed(lambda: alone(stream, num)))
      times['engine'].append(timed(lambda: written(stream, num, about)))
    rates = {name: num / float(np.median(seconds)) for name, seconds in times.items()}
    ratio = rates['engine'] / rates['generator']
    print(f'{block:6}{rates["generator"]:11,.0f}{rates["engine"]:9,.0f}{ratio:7.0%}')
    rows.append({'block': block, 'num': num, **rates, 'share': ratio, 'seconds': times})
  memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  rows.append({'peak_memory_mb': memory / (2 ** 20 if sys.platform == 'darwin' else 2 ** 10)})
  if PARTS.value:
    images = np.concatenate([piece.images for piece in stream(0, 256)])
    for row in parts(images, about):
      print(f'{row["part"]:28}{row["us"]:8.1f} us an image' +
            (f'{row["bytes"]:9.1f} bytes' if 'bytes' in row else
             f'{row["images_per_s"]:9,.0f} images/s'))
      rows.append(row)
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)

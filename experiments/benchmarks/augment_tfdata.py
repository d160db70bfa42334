"""The tf.data side of `augment.py`: a process of its own, asked line by line.

Reads `[task, [B, H, W, C], seconds]`, writes images/s. `policy` is written as a careful
user would for speed: everything on whole batches, with one draw an image, and one
`ImageProjectiveTransformV3` for flip, crop and affine together. `rand_augment` chooses
operations, which TensorFlow can do for single images alone: a parallel `map` over
`switch_case`, and then `batch`.
"""
import json
import math
import os
import sys
import time
from typing import Any

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import tensorflow as tf

U = tf.random.uniform


def warp(x, rows, fill):
  """`rows` [B, 8]: (x, y) of the output to (x, y) of the input."""
  return tf.raw_ops.ImageProjectiveTransformV3(
      images=x, transforms=rows, output_shape=tf.shape(x)[1:3], fill_value=fill,
      interpolation='BILINEAR', fill_mode='CONSTANT')


def times(a, b):
  return tf.matmul(a, b)


def matrix(n, *entries):
  rows = [tf.broadcast_to(tf.cast(e, tf.float32), [n]) for e in (*entries, 0, 0, 1)]
  return tf.reshape(tf.stack(rows, 1), [n, 3, 3])


def moved(x):
  n, (h, w) = tf.shape(x)[0], x.shape[1:3]
  sign = tf.where(U([n]) < .5, -1., 1.)
  flip = matrix(n, sign, 0, 0, 0, 1, 0)
  pad = h // 8
  offset = tf.cast(U([2, n], -pad, pad + 1, tf.int32), tf.float32)
  crop = matrix(n, 1, 0, offset[0], 0, 1, offset[1])
  turn, sx, sy = (U([n], -a, a) * (math.pi / 180) for a in (15., 5., 5.))
  scale = U([n], .9, 1.1)
  c, s = tf.cos(turn) / scale, tf.sin(turn) / scale
  affine = times(times(matrix(n, 1, tf.tan(sx), 0, 0, 1, 0), matrix(n, 1, 0, 0, tf.tan(sy), 1, 0)),
                 times(matrix(n, c, s, 0, -s, c, 0),
                       matrix(n, 1, 0, U([n], -.1, .1) * w, 0, 1, U([n], -.1, .1) * h)))
  cx, cy = (w - 1) / 2, (h - 1) / 2
  whole = times(matrix(n, 1, 0, cx, 0, 1, cy), times(times(flip, times(crop, affine)),
                                                    matrix(n, 1, 0, -cx, 0, 1, -cy)))
  return warp(x, tf.reshape(whole, [n, 9])[:, :8], 0.)


def each(n, low, high):
  return U([n, 1, 1, 1], low, high)


def jittered(x):
  """Pixels in [0, 1]."""
  n, channels = tf.shape(x)[0], x.shape[3]
  clip = lambda x: tf.clip_by_value(x, 0., 1.)
  gray = tf.image.rgb_to_grayscale if channels == 3 else tf.identity
  x = clip(x * each(n, .8, 1.2))
  mean = tf.reduce_mean(gray(x), [1, 2, 3], keepdims=True)
  x = clip(mean + each(n, .8, 1.2) * (x - mean))
  if channels == 1:
    return x
  g = gray(x)
  x = clip(g + each(n, .8, 1.2) * (x - g))
  hue, saturation, value = tf.split(tf.image.rgb_to_hsv(x), 3, -1)
  hue = tf.math.floormod(hue + each(n, -.05, .05), 1.)
  return tf.image.hsv_to_rgb(tf.concat([hue, saturation, value], -1))


def cut(x):
  n, (h, w) = tf.shape(x)[0], x.shape[1:3]
  side = h // 4
  y, left = (U([n], 0, size, tf.int32) - side // 2 for size in (h, w))
  rows, columns = tf.range(h)[None] - y[:, None], tf.range(w)[None] - left[:, None]
  hidden = (((rows >= 0) & (rows < side))[:, :, None]
            & ((columns >= 0) & (columns < side))[:, None])
  return tf.where(hidden[..., None], .5, x)


def policy(x):
  return cut(jittered(moved(tf.cast(x, tf.float32) / 255))) * 2 - 1


def blend(a, b, factor):
  return tf.cast(tf.clip_by_value(a + factor * (b - a), 0., 255.), tf.uint8)


def operated(x, m=.3):
  """One of fourteen operations on a uint8 image `[H, W, C]`."""
  h, w, channels = x.shape
  sign = tf.where(U([]) < .5, -1., 1.)
  real = lambda: tf.cast(x, tf.float32)
  gray = lambda: tf.image.rgb_to_grayscale(real()) if channels == 3 else real()
  factor = 1 + sign * .9 * m
  level, shift, angle = sign * .3 * m, sign * m * 150 / 331, sign * m * 30 * math.pi / 180

  def affine(*rows):
    return lambda: warp(x[None], tf.reshape(tf.stack([*rows, 0., 0.]), [1, 8]), 0.)[0]

  def rotate():
    c, s, cx, cy = tf.cos(angle), tf.sin(angle), (w - 1) / 2, (h - 1) / 2
    return affine(c, s, cx - c * cx - s * cy, -s, c, cy + s * cx - c * cy)()

  def sharpness():
    kernel = tf.constant([1, 1, 1, 1, 5, 1, 1, 1, 1], tf.float32, [3, 3, 1, 1]) / 13
    inner = tf.nn.depthwise_conv2d(real()[None], tf.tile(kernel, [1, 1, channels, 1]),
                                   [1] * 4, 'VALID')[0]
    inside = tf.pad(tf.ones_like(inner), [[1, 1], [1, 1], [0, 0]])
    smooth = tf.where(inside > 0, tf.pad(inner, [[1, 1], [1, 1], [0, 0]]), real())
    return blend(smooth, real(), factor)

  def autocontrast():
    low, high = (f(real(), [0, 1]) for f in (tf.reduce_min, tf.reduce_max))
    scale = 255 / tf.maximum(high - low, 1)
    return tf.cast(tf.clip_by_value((real() - low) * scale, 0., 255.), tf.uint8)

  def equalize():
    def equalized(plane):
      count = tf.histogram_fixed_width(tf.cast(plane, tf.int32), [0, 255], 256)
      last = tf.gather(count, tf.cast(tf.reduce_max(plane), tf.int32))
      step = (tf.size(plane) - last) // 255
      table = (tf.cumsum(count, exclusive=True) + step // 2) // tf.maximum(step, 1)
      table = tf.cast(tf.clip_by_value(table, 0, 255), tf.uint8)
      return tf.where(step > 0, tf.gather(table, tf.cast(plane, tf.int32)), plane)
    return tf.stack([equalized(x[..., i]) for i in range(channels)], -1)

  unit, zero = tf.constant(1.), tf.constant(0.)
  return tf.switch_case(U([], 0, 14, tf.int32), [
      lambda: x, affine(unit, level, zero, zero, unit, zero),
      affine(unit, zero, zero, level, unit, zero),
      affine(unit, zero, shift * w, zero, unit, zero),
      affine(unit, zero, zero, zero, unit, shift * h), rotate,
      lambda: blend(0., real(), factor), lambda: blend(gray(), real(), factor),
      lambda: blend(tf.reduce_mean(gray()), real(), factor), sharpness,
      lambda: tf.bitwise.bitwise_and(x, tf.constant(0xFE, tf.uint8)),
      lambda: tf.where(real() < 255 * (1 - m), x, 255 - x), autocontrast, equalize])


def randomly(x):
  shape = x.shape
  for _ in range(2):
    x = tf.ensure_shape(operated(x), shape)
  return tf.cast(x, tf.float32) / 127.5 - 1


def batches(task, shape):
  b, *image = shape
  images = tf.cast(tf.random.uniform(shape, 0, 256, tf.int32), tf.uint8)
  whole = tf.data.Dataset.from_tensors(images).cache().repeat()
  if task == 'policy':
    data = whole.map(policy, num_parallel_calls=2)
  else:
    data = tf.data.Dataset.from_tensor_slices(images).cache().repeat().map(
        randomly, num_parallel_calls=2, deterministic=False).batch(
            b, drop_remainder=True)
  return data.prefetch(1)


def main():
  print(f'tensorflow {tf.__version__}, {os.cpu_count()} cores', flush=True)
  now: Any = None
  data: Any = None
  for line in sys.stdin:
    task, shape, seconds = json.loads(line)
    if now != (task, shape):
      now, data = (task, shape), batches(task, shape)
    turn = iter(data)
    for _ in range(4):  # what is made ready while it starts does not count
      next(turn)
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or not n:
      n += next(turn).shape[0]
    rate = n / (time.perf_counter() - start)
    del turn  # ends its threads, who would work on while others are timed
    print(json.dumps(rate), flush=True)


if __name__ == '__main__':
  main()

"""Samplers as files: the same samples, where there is no code of ours."""
import importlib.util
import json
import pathlib
import subprocess
import sys

from common import experiments
import export as program
import jax
import numpy as np
import pytest
import tiny

from jaxsynth import ops
from jaxsynth.synthesis import exported

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
  """A run, and its sampler of 8 images."""
  root = tmp_path_factory.mktemp('exported')
  tiny.workdir(root / 'run', '--conditional')
  assert tiny.called(program, root / 'run', f'--out={root / "sampler"}', '--batch_size=8') == 0
  return root


@pytest.fixture(scope='module')
def sampler(folders):
  return exported.load(folders / 'sampler')


def test_the_sampler_is_the_models_without_flax_or_us(folders, tmp_path):
  """A copy of one file reads it, and draws what a data set of its block would hold."""
  model = experiments.load(folders / 'run')
  (tmp_path / 'reader.py').write_text(pathlib.Path(exported.__file__).read_text())
  code = ('import sys, numpy as np, reader; f = reader.load(sys.argv[1]); '
          'at = np.arange(16, 24); np.save(sys.argv[2], f(7, at, at % 10)); '
          'assert not {"flax", "jaxsynth", "orbax"} & set(sys.modules)')
  subprocess.run([sys.executable, '-c', code, folders / 'sampler', tmp_path / 'x.npy'],
                 cwd=tmp_path, check=True)
  (piece,) = model.streamer(7, 10, block=8, devices=jax.devices()[:1])(16, 24)
  images = np.load(tmp_path / 'x.npy')
  # four virtual devices here and one there: other threads, so a rounding may differ
  assert images.dtype == np.uint8 and images.std() > 1
  assert np.abs(images.astype(int) - piece.images).max() <= 1
  config = json.loads((folders / 'sampler/config.json').read_text())
  assert config['platforms'] == ['cpu', 'cuda', 'tpu'] and config['model']['digest'] == model.digest


@pytest.mark.parametrize('name', ['sampler.bin', 'params.npz'])
def test_a_flipped_bit_is_found(folders, tmp_path, name):
  for path in (folders / 'sampler').iterdir():
    (tmp_path / path.name).write_bytes(path.read_bytes())
  raw = bytearray((tmp_path / name).read_bytes())
  raw[len(raw) // 2] ^= 1
  (tmp_path / name).write_bytes(raw)
  with pytest.raises(ValueError, match=f'{name} is not the file that was exported'):
    exported.load(tmp_path)


def test_every_platform_is_lowered_for_its_own_convolutions(folders):
  """On CUDA and TPU the transposed convolution is XLA's own, dilated; on CPU it is not."""
  from jax import export
  found = export.deserialize(bytearray((folders / 'sampler/sampler.bin').read_bytes()))
  text = found.mlir_module()
  assert 'lhs_dilate = [2, 2]' in text and 'stablehlo.case' in text
  assert found.platforms == ('cpu', 'cuda', 'tpu')


@pytest.mark.parametrize('channels', [1, 5])
def test_cpu_forms_have_no_dilation_and_no_choice(channels):
  x, kernel = np.ones((1, 4, 4, 4), np.float32), np.ones((3, 3, 4, channels), np.float32)

  def f():
    return lambda x: ops.conv_transpose(x, kernel, 2)
  with ops.cpu_forms():
    text, found = str(jax.make_jaxpr(f())(x)), f()(x)
  assert 'platform_index' not in text and 'lhs_dilation=(2, 2)' not in text
  assert 'platform_index' in str(jax.make_jaxpr(f())(x))
  np.testing.assert_allclose(found, f()(x), atol=1e-5)


@pytest.mark.parametrize('given, message', [
    ((0, np.arange(8), np.arange(8) + 3), r'labels: 10, expected integers in \[0, 10\)'),
    ((0, np.arange(8), np.arange(8) - 1), r'labels: -1, expected integers in \[0, 10\)'),
    ((0, np.arange(8), np.full(8, .9)), r'labels: float64\[8\], expected integers \[8\]'),
    ((0, np.arange(8), np.arange(7)), r'labels: int64\[7\], expected integers \[8\]'),
    ((0, np.arange(8)), '0 arrays of labels: expected one, as the model is conditional'),
    ((0, np.arange(8) - 1, np.arange(8)), 'indices: -1, expected integers in'),
    ((0, np.arange(16), np.arange(8)), r'indices: int64\[16\], expected integers \[8\]'),
    ((.5, np.arange(8), np.arange(8)), r'seed: float64\[\], expected integers \[\]')])
def test_what_was_never_trained_is_not_drawn(sampler, given, message):
  with pytest.raises(ValueError, match=message):
    sampler(*given)


def test_without_flatbuffers_the_extra_is_named(folders, monkeypatch):
  monkeypatch.setitem(sys.modules, 'flatbuffers', None)
  with pytest.raises(ImportError, match=r"pip install 'jaxsynth\[export\]'"):
    exported.load(folders / 'sampler')


def test_a_temperature_is_the_samplers(folders, tmp_path):
  assert tiny.called(program, folders / 'run', f'--out={tmp_path}', '--batch_size=8',
                     '--temperature=2', '--platforms=cpu') == 0
  config = json.loads((tmp_path / 'config.json').read_text())
  assert config['model']['temperature'] == 2. and config['platforms'] == ['cpu']
  model = experiments.load(folders / 'run', sampling={'temperature': 2.})
  (piece,) = model.streamer(0, 10, block=8, devices=jax.devices()[:1])(0, 8)
  images = np.asarray(exported.load(tmp_path)(0, np.arange(8), np.arange(8)))
  assert np.abs(images.astype(int) - piece.images).max() <= 1


def test_a_model_gives_batches_of_its_own_classes(folders):
  model = experiments.load(folders / 'run')
  batch = next(model.batches(20, 7))
  assert batch['label'].tolist() == [*range(10)] * 2
  (piece,) = model.streamer(7, block=20, devices=jax.devices()[:1])(0, 20)
  drawn = np.rint((np.asarray(batch['image']) + 1) * 127.5)
  assert np.abs(drawn - piece.images).max() <= 1
  for shares in (12, [1, 2]):
    with pytest.raises(ValueError, match='expected one for each of the 10 classes'):
      model.batches(20, 7, shares)


def test_a_run_that_is_no_network_of_a_latent_has_no_onnx(folders, tmp_path, monkeypatch):
  load = experiments.load

  def without_decoder(*args):
    model = load(*args)
    return model._replace(run=model.run._replace(decoder=None))
  monkeypatch.setattr(experiments, 'load', without_decoder)
  with pytest.raises(ValueError, match='--onnx: .* sampler.bin draws its samples'):
    tiny.called(program, folders / 'run', f'--out={tmp_path / "a"}', '--onnx')
  assert not (tmp_path / 'a').exists()


def test_onnx(folders, tmp_path):
  flags = [f'--run={folders / "run"}', f'--out={tmp_path}', '--onnx', '--batch_size=3']
  done = subprocess.run([sys.executable, 'experiments/export.py', *flags], cwd=ROOT, text=True,
                        capture_output=True)
  if importlib.util.find_spec('jax2onnx') is None:
    text = done.stderr + done.stdout
    assert done.returncode == 1 and "pip install 'jaxsynth[onnx]'" in text, text
    assert 'Traceback' not in text and not list(tmp_path.iterdir())
    pytest.skip('jax2onnx is not installed')
  assert done.returncode == 0, done.stderr
  import onnxruntime
  session = onnxruntime.InferenceSession(str(tmp_path / 'generator.onnx'))
  z, label = np.ones((3, 3), np.float32), np.arange(3, dtype=np.int32)
  (x,) = session.run(None, dict(zip([i.name for i in session.get_inputs()], (z, label))))
  assert x.shape == (3, 28, 28, 1) and np.abs(x[0] - x[1]).max() > 1e-3

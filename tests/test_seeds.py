"""Every seed in [0, 2^63) has a stream of its own, and those below 2^32 the one they had."""
import json

from absl import flags
import jax
import numpy as np
import pytest
from test_paths import flags_of, PROGRAMS
import training

from jaxsynth import data, keys, runs
from jaxsynth.data import batches
from jaxsynth.runs.run import keys_of
from jaxsynth.synthesis import draw, exported

SEEDS = (0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 62, 2 ** 63 - 1)
OTHERS = (-1, 2 ** 63, 2 ** 64)
UNSEEDED = ('collect', 'export', 'preprocess')  # they draw nothing


def sample(params, variables, each, cond):
  return jax.vmap(lambda key: jax.random.uniform(key, (4, 4, 1), minval=-1.))(each)


def all_differ(arrays):
  return len({np.asarray(x).tobytes() for x in arrays}) == len(arrays)


def test_every_seed_has_its_key_and_small_ones_the_key_they_had():
  raw = [jax.random.key_data(keys.of_seed(seed)) for seed in SEEDS]
  assert all_differ(raw)
  for seed in (x for x in SEEDS if x < 2 ** 32):
    assert keys.of_seed(seed) == jax.random.key(seed)
  both = jax.jit(keys.of_words)
  for seed, key in zip(SEEDS, raw):
    at = np.array(keys.words(seed), np.uint32)
    np.testing.assert_array_equal(jax.random.key_data(both(at)), key)


def test_no_seed_begins_with_a_key_that_is_folded_from_another():
  """That of scores, and that of samples, of seed 0."""
  for word in (3, draw.STREAM):
    folded = jax.random.fold_in(jax.random.key(0), word)
    assert keys.of_seed(word << 32) != folded


def test_every_seed_has_its_order_of_the_data_in_every_epoch():
  first = [batches.indices(50, 50, seed, k) for seed in SEEDS for k in range(3)]
  assert all_differ(first)
  for seed in (0, 2 ** 32 - 1):
    old = np.random.Generator(np.random.Philox([seed, 1])).permutation(50)
    np.testing.assert_array_equal(batches.indices(50, 50, seed, 1), old)


def test_runs_and_data_sets_draw_by_the_whole_seed():
  assert all_differ([jax.random.key_data(x) for seed in SEEDS[2:6]
                     for x in (*keys_of(seed), draw.key_of(seed))])


def test_an_exported_sampler_draws_by_the_whole_seed(tmp_path):
  pytest.importorskip('flatbuffers')
  for name, raw in exported.exported(sample, {}, {}, batch_size=2, conditional=False,
                                     platforms=('cpu',)).items():
    (tmp_path / name).write_bytes(raw)
  sampler, at, drawn = exported.load(tmp_path), np.arange(2), draw.drawer(sample, block=2)
  for seed in (0, 2 ** 32 - 1, 2 ** 32, 2 ** 63 - 1):
    images = data.to_uint8(drawn({}, {}, draw.key_of(seed), 0, 2))
    np.testing.assert_array_equal(sampler(seed, at), images)
  for seed in OTHERS:
    with pytest.raises(ValueError, match=rf'seed: {seed}, expected integers in \[0, {2**63}\)'):
      sampler(seed, at)
  config = json.loads((tmp_path / 'config.json').read_text())
  del config['seed_words']  # as older versions, whose seeds are of 32 bits, left it
  (tmp_path / 'config.json').write_text(json.dumps(config))
  with pytest.raises(ValueError, match=rf'expected integers in \[0, {2**32}\)'):
    exported.load(tmp_path)(2 ** 32, at)


@pytest.mark.parametrize('seed', OTHERS)
def test_other_seeds_are_refused_in_the_library(seed):
  for use in (keys.of_seed, keys_of, draw.key_of,
              lambda x: data.batch_at(data.mnist5k('test'), 4, x)):
    with pytest.raises(ValueError, match=rf'seed={seed}: expected an integer in \[0, 2\^63\)'):
      use(seed)


def test_only_programs_that_draw_nothing_have_no_seed():
  assert {name for name in PROGRAMS if 'seed' not in flags_of(name)} == set(UNSEEDED)


@pytest.mark.parametrize('name', sorted(set(PROGRAMS) - set(UNSEEDED)))
def test_other_seeds_are_refused_by_the_flags_name(name):
  values = flags_of(name)
  values['seed'].parse(str(2 ** 63 - 1))
  for seed in OTHERS:
    with pytest.raises(flags.Error, match=f'flag --seed={seed}'):
      values['seed'].parse(str(seed))


def test_a_run_keeps_its_large_seed():
  config = training.config_of(f'--seed={2 ** 63 - 1}')
  assert runs.Settings.of(config).seed == 2 ** 63 - 1

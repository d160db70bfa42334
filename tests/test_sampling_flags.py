"""Flags of sampling, which a program has once it knows the run."""
import sys

from absl import flags
from common import experiments, sampling_flags


def test_help_lists_the_flags_of_sampling():
  values = flags.FlagValues()
  sampling_flags.define(experiments.program('mnist_dcgan'), values)
  listed = {flag.name: flag for flag in values.get_key_flags_for_module(sys.argv[0])}
  assert list(listed) == ['temperature']
  assert listed['temperature'].default is None
  assert listed['temperature'].help.endswith('By default as in training.')

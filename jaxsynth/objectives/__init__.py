"""Networks and losses bound into objectives: `from jaxsynth.objectives.gan import gan`."""

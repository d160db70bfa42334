"""Differential privacy: what is promised, what it costs, and training that keeps to it."""
from jaxsynth.privacy.budget import Budget, calibrated
from jaxsynth.privacy.guarantee import Guarantee
from jaxsynth.privacy.plan import Plan

__all__ = ('Budget', 'Guarantee', 'Plan', 'calibrated')

"""A training run as a folder: made, resumed, scored as it learns, loaded again."""
from jaxsynth.runs import collapse
from jaxsynth.runs.loading import best_step, load, own_samples, Trained
from jaxsynth.runs.preemption import Preempted
from jaxsynth.runs.record import About, RESUMABLE, RunError
from jaxsynth.runs.run import Decoder, Density, Release, Run
from jaxsynth.runs.settings import Settings

__all__ = ('About', 'Decoder', 'Density', 'Preempted', 'RESUMABLE', 'Release', 'Run', 'RunError',
           'Settings', 'Trained', 'best_step', 'collapse', 'load', 'own_samples')

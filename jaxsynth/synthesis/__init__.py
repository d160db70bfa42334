"""From a trained model to data."""
from jaxsynth.synthesis.candidates import proposer
from jaxsynth.synthesis.draw import drawer, streamer
from jaxsynth.synthesis.labels import labels_for
from jaxsynth.synthesis.pseudo_labels import pseudo_labelled
from jaxsynth.synthesis.strict import passing

__all__ = ('drawer', 'labels_for', 'passing', 'proposer', 'pseudo_labelled', 'streamer')

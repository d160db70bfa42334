"""Strict filtering: pure scores of candidates, and thresholds chosen on held-out real data."""
from jaxsynth.synthesis.filters.base import (
    Candidates, Filter, fit, kept, scores, threshold, to_float)
from jaxsynth.synthesis.filters.classifier import classifier
from jaxsynth.synthesis.filters.copies import copies, fit_copies
from jaxsynth.synthesis.filters.discriminator import (
    calibrate, Calibration, discriminator, gamma)
from jaxsynth.synthesis.filters.duplicates import duplicate_threshold
from jaxsynth.synthesis.filters.neighbourhood import density, realism

__all__ = ('Calibration', 'Candidates', 'Filter', 'calibrate', 'classifier', 'copies', 'density',
           'discriminator', 'duplicate_threshold', 'fit', 'fit_copies', 'gamma', 'kept',
           'realism', 'scores', 'threshold', 'to_float')

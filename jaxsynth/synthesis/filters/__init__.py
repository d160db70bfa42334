"""Strict filtering: pure scores of candidates, and thresholds chosen on held-out real data."""
from jaxsynth.synthesis.filters.base import (
    Candidates, Filter, fit, kept, scores, threshold)
from jaxsynth.synthesis.filters.agreement import classifier
from jaxsynth.synthesis.filters.train_copies import copies, fit_copies
from jaxsynth.synthesis.filters.rejection import (
    calibrate, Calibration, discriminator, gamma)
from jaxsynth.synthesis.filters.duplicates import duplicate_threshold
from jaxsynth.synthesis.filters.neighbourhood import density, realism

__all__ = ('Calibration', 'Candidates', 'Filter', 'calibrate', 'classifier', 'copies', 'density',
           'discriminator', 'duplicate_threshold', 'fit', 'fit_copies', 'gamma', 'kept',
           'realism', 'scores', 'threshold')

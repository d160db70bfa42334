"""Data sets drawn from a trained model: filtered, labelled, scored, and accepted or not.

A few lines make one:

    from jaxsynth import quality, runs

    model = runs.load('/tmp/quickstart', build)
    selection = quality.Selection(filters=('copies', 'duplicates'))
    real = quality.read_real(model, selection)
    order = quality.Order.of(model, '/tmp/data', {'train': 9000, 'test': 1000}, name='digits')
    quality.begin(order, model, real, selection).write()
    measured = quality.measure(order, model, real, selection,
                               quality.parse_requirements('frechet<=20,recall>=.5'))
    print(quality.summary(measured))
"""
from jaxsynth.quality.fitting import fit_filters, FittedFilters
from jaxsynth.quality.gate import parse_requirements, REJECTED, Requirement, verdict
from jaxsynth.quality.labeller import (
    Labeller, load_labeller, save_labeller, train_labeller)
from jaxsynth.quality.labelling import label_counts, label_stream
from jaxsynth.quality.material import labeller_of, Material, spare_samples
from jaxsynth.quality.measuring import measure, measured_before, summary
from jaxsynth.quality.order import is_version, Order, parse_shares, parse_splits
from jaxsynth.quality.real import read_real, RealData
from jaxsynth.quality.scorer import Scorer
from jaxsynth.quality.selection import FILTERS, Selection
from jaxsynth.quality.writing import begin, filtered_stream, kept_counts, Work

__all__ = ('FILTERS', 'FittedFilters', 'Labeller', 'Material', 'Order', 'REJECTED', 'RealData',
           'Requirement', 'Scorer', 'Selection', 'Work', 'begin', 'filtered_stream',
           'fit_filters', 'is_version', 'kept_counts', 'label_counts', 'label_stream',
           'labeller_of', 'load_labeller', 'measure', 'measured_before', 'parse_requirements',
           'parse_shares', 'parse_splits', 'read_real', 'save_labeller', 'spare_samples',
           'summary', 'train_labeller', 'verdict')

"""How good a synthetic data set is, against real data and its floor.

Of arrays, with any images `[N, H, W, C]`:

    from jaxsynth import evaluation
    scores = evaluation.score_arrays(synthetic, real)
    for name, score in scores.items():
      print(name, score.value, score.floor, score.standard_error)

Of a run, a file or a folder: `read_synthetic`, `read_comparison`, `evaluate`, and `record`
is what scores.json holds.
"""
from jaxsynth.evaluation.comparison import compare, Comparison, read_comparison
from jaxsynth.evaluation.meanings import better, got_worse, mark, MEANINGS
from jaxsynth.evaluation.of_arrays import score_arrays
from jaxsynth.evaluation.scores_file import record
from jaxsynth.evaluation.scoring import evaluate, Evaluation
from jaxsynth.evaluation.synthetic import read_synthetic, Synthetic

__all__ = ('Comparison', 'Evaluation', 'MEANINGS', 'Synthetic', 'better', 'compare', 'evaluate',
           'got_worse', 'mark', 'read_comparison', 'read_synthetic', 'record',
           'score_arrays')

"""How good the samples are: scores, the features they stand on, and their protocols."""

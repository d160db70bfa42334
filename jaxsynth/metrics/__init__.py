"""Scores of synthetic data, on features `[N, D]` of real and fake samples.

Import the score that is needed:

    from jaxsynth.metrics import frechet, kernel, prdc
    frechet.frechet_distance(real, fake)
    kernel.kernel_distance(real, fake)        # value and standard error
    prdc.prdc(real, fake, k=5)

`classifier_score`, `modes` and `balance` take probabilities or labels; `statistics` compares
dimension by dimension; `memorisation` and `duplicates` look for training samples among the
fakes; `floor` scores real samples against real ones. Arrays may be numpy's or jax's; they are
checked and results are returned on the host.
"""

"""Generative models that prove their data is worth training on.

Import what is needed: `import jaxsynth.train_step as ts`,
`from jaxsynth.objectives import gan`. Nothing is loaded here, so that
`import jaxsynth` costs nothing.
"""
__version__ = '0.1.0'

"""What XLA does not do well everywhere, written so that it does.

Each function has XLA's own form on GPU and TPU and a faster equal one on CPU;
which of the two runs is decided when the program is lowered.
"""
from jaxsynth.ops.convolution import conv
from jaxsynth.ops.convolution import conv_transpose
from jaxsynth.ops.convolution import cpu_forms
from jaxsynth.ops.grouped import grouped_conv
from jaxsynth.ops.precision import summed
from jaxsynth.ops.product import dense

__all__ = ('conv', 'conv_transpose', 'cpu_forms', 'dense', 'grouped_conv', 'summed')

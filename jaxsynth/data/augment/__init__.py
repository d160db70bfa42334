"""Augmentation on device: pure functions of one example and its key.

    augment = data.augment.batched(data.augment.compose(
        random_horizontal_flip(), random_crop(padding=4), color_jitter(brightness=0.2)))
    batch = augment(keys, batch)  # keys [B], {'image': [B, H, W, C] in [-1, 1], ...}

An augmentation is `(key, example) -> example`; an example holds `'image'` `[H, W, C]`
in [-1, 1] and, if any, `'label'`, `'mask'` `[H, W]` and `'boxes'` `[n, 4]`, which move
along. Other entries are passed on. Strengths and probabilities may be traced.
"""
from jaxsynth.data.augment.blur import gaussian_blur
from jaxsynth.data.augment.boxes import valid
from jaxsynth.data.augment.color import (
    adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, color_jitter, grayscale)
from jaxsynth.data.augment.composition import Mixing, batched, compose, maybe
from jaxsynth.data.augment.differentiable import diff_augment
from jaxsynth.data.augment.erase import cutout
from jaxsynth.data.augment.elastic import elastic_transform
from jaxsynth.data.augment.example import Augmentation, Example
from jaxsynth.data.augment.geometric import Geometric
from jaxsynth.data.augment.levels import autocontrast, equalize, posterize, solarize
from jaxsynth.data.augment.mix import cutmix, mixup, one_hot
from jaxsynth.data.augment.moves import Move
from jaxsynth.data.augment.noise import gaussian_noise
from jaxsynth.data.augment.randaugment import rand_augment
from jaxsynth.data.augment.spatial import (
    random_affine, random_crop, random_horizontal_flip, random_resized_crop, random_rotation,
    random_vertical_flip)
from jaxsynth.data.augment.resample import warp

__all__ = (
    'Augmentation', 'Example', 'Geometric', 'Mixing', 'Move', 'adjust_brightness',
    'adjust_contrast', 'adjust_hue', 'adjust_saturation', 'autocontrast', 'batched',
    'color_jitter', 'compose', 'cutmix', 'cutout', 'diff_augment', 'elastic_transform',
    'equalize', 'gaussian_blur', 'gaussian_noise', 'grayscale', 'maybe', 'mixup', 'one_hot',
    'posterize', 'rand_augment', 'random_affine', 'random_crop', 'random_horizontal_flip',
    'random_resized_crop', 'random_rotation', 'random_vertical_flip', 'solarize', 'valid',
    'warp')

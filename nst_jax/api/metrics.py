"""Metrics whose networks are loaded by name: LPIPS and SIFID."""

from pathlib import Path

from nst_jax.analysis import frechet, perceptual
from nst_jax.types import Image, Scalar


def lpips(image: Image, reference: Image, *, net: str = "alex", path: str | Path | None = None) -> Scalar:
    """How far apart two images look to people: 0 for equal ones, and seldom above 1. See `analysis.perceptual`.

    It is LPIPS of version 0.1. Its gradient is defined: it can be a part of a loss.

    Args:
      image, reference: of one shape, (height, width, 3) in [0, 1].
      net: alex, as the package lpips and ArtFID have it; vgg or squeeze.
      path: torchvision's weight file of that network. If not said, it is downloaded once: 244, 553 or 5 MB.

    Raises:
      UserError: an unknown network, weights that are not to be had, or a file that is not torchvision's.
      ValueError: the images differ in shape, or are too small.
    """
    from nst_jax.shell.running.measures import load_trunk, silence

    seen = load_trunk(net, None if path is None else str(path), silence)
    return perceptual.lpips(seen.extractor, seen.params, seen.linear, image, reference)


def sifid(image: Image, style: Image, *, path: str | Path | None = None) -> Scalar:
    """How far apart the features of two single images are: 0 for equal ones. See `analysis.frechet`.

    It is SIFID as SinGAN's authors compute it, by torchvision's Inception v3. Sizes may differ, but compare only
    values of one size: the features of an enlarged picture are others.

    Args:
      image, style: (height, width, 3) in [0, 1].
      path: torchvision's weight file of Inception v3. If not said, it is downloaded once: 109 MB.

    Raises:
      UserError: weights that are not to be had.
      ValueError: an image is too small.
    """
    from nst_jax.shell.running.measures import load_inception, silence

    seen = load_inception(None if path is None else str(path), silence)
    return frechet.sifid(seen.extractor, seen.params, image, style)

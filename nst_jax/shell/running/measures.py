"""Measures of a result by name, for tables: each compares it with the photograph or with the painting."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nst_jax.analysis.frechet import LAYER, sifid
from nst_jax.analysis.metrics import ssim
from nst_jax.analysis.perceptual import TRUNKS, lpips
from nst_jax.extractors import architecture
from nst_jax.extractors.base import Extractor
from nst_jax.losses.term import Blend
from nst_jax.shell.errors import NoWeights, UserError
from nst_jax.shell.io import formats, preprocessing, weights
from nst_jax.shell.names import look_up
from nst_jax.shell.places import package_file
from nst_jax.shell.running import judge
from nst_jax.types import Image, Scalar

LINEAR = "trained/lpips.safetensors"  # written by tools/lpips_weights.py
INCEPTION = "inception_v3"
JUDGE_LAYER = "relu3_1"  # of judge_frechet: a quarter of the picture's sides, as SIFID's layer

Files = Mapping[str, str]  # a trunk, or inception -> a weight file in place of the download
Log = Callable[[str], object]


def silence(text: str) -> None:
    """A log that keeps nothing."""


class Seen(NamedTuple):
    """A network that is ready to look at pictures."""

    extractor: Extractor
    params: Any
    linear: Mapping[str, Array]  # of LPIPS, by layer; else empty


class Measure(NamedTuple):
    """A measure of a result, in a table."""

    of: str  # what the result is compared with: content or style
    compare: Callable[[Image, Image, Files, Log], Scalar]  # (result, that picture, weight files, log)
    better: str  # lower or higher: where the result is more like that picture


def load_trunk(net: str, path: str | None, log: Log) -> Seen:
    """A trunk of LPIPS with its linear weights.

    Args:
      net: a name in `perceptual.TRUNKS`.
      path: torchvision's file of the network; None: from the cache, or downloaded once.
      log: receives what happens on the way, a line each.

    Raises:
      UserError: an unknown name, weights that are not to be had, or not torchvision's.
    """
    return _load_trunk(look_up({name: name for name in TRUNKS}, net, "LPIPS' network"), path, log)


@functools.cache
def _load_trunk(net: str, path: str | None, log: Log) -> Seen:
    trunk, contents = TRUNKS[net], formats.read(package_file(LINEAR))
    linear = {tap: contents.arrays[f"{net}.{tap}"].read() for tap in trunk.taps}
    seen = load_network(trunk.network, trunk.taps, trunk.rounding, path, log)
    own, theirs = seen.params["input"], preprocessing.layer("torchvision")
    if not all(np.allclose(own[part], theirs[part], rtol=1e-5) for part in theirs):
        raise UserError(
            f"{path}: not torchvision's weights of {net}; LPIPS is fitted to those, and has no meaning with others"
        )
    with jax.ensure_compile_time_eval():
        return seen._replace(linear={tap: jnp.asarray(numbers) for tap, numbers in linear.items()})


@functools.cache
def load_inception(path: str | None, log: Log) -> Seen:
    """Inception v3 with torchvision's weights, tapped where SIFID is taken. Args and Raises as of `load_trunk`."""
    return load_network(INCEPTION, (LAYER,), architecture(INCEPTION).rounding, path, log)


def load_network(name: str, taps: tuple[str, ...], rounding: str, path: str | None, log: Log) -> Seen:
    """A network with torchvision's weights, or those of a file, as far as the taps need it."""
    arch = architecture(name)
    source = "file" if path else "torchvision"
    try:
        loaded = weights.load(source, network=name, needed=arch.needs(taps), path=path, log=log)
    except NoWeights as error:
        tried = str(error).partition("\nThree ways on")[0]
        raise NoWeights(f"{name}: {tried}\nGive torchvision's file of {name}, or leave this measure out") from None
    wanted = ("input", *arch.needs(taps))
    with jax.ensure_compile_time_eval():  # a first call may be within a traced function
        params = {n: {part: jnp.asarray(a) for part, a in loaded.params[n].items()} for n in wanted}
    return Seen(arch.tap(taps, pool=arch.pool, rounding=rounding, padding="zero"), params, {})


def compare_lpips(net: str) -> Callable[[Image, Image, Files, Log], Scalar]:
    """LPIPS by one trunk."""

    def compare(result: Image, photo: Image, files: Files, log: Log) -> Scalar:
        seen = load_trunk(net, files.get(net), log)
        return lpips(seen.extractor, seen.params, seen.linear, result, photo)

    return compare


def compare_sifid(result: Image, style: Image, files: Files, log: Log) -> Scalar:
    """SIFID, with torchvision's Inception v3, as SinGAN's authors have it."""
    seen = load_inception(files.get("inception"), log)
    return sifid(seen.extractor, seen.params, result, style)


def compare_judge(result: Image, style: Image, files: Files, log: Log) -> Scalar:
    """The relative distance of Gram matrices by texnet: `judge.distance`."""
    return jnp.asarray(judge.distance(result, Blend((style,), jnp.ones(1))))


def compare_judge_frechet(result: Image, style: Image, files: Files, log: Log) -> Scalar:
    """SIFID's formula on another network: texnet. Its weights come with the package."""
    net = judge.network()
    return sifid(net.extractor.clone(taps=(JUDGE_LAYER,)), net.params, result, style)


MEASURES = {
    "ssim": Measure("content", lambda result, photo, files, log: ssim(result, photo), "higher"),
    "lpips_alex": Measure("content", compare_lpips("alex"), "lower"),
    "lpips_vgg": Measure("content", compare_lpips("vgg"), "lower"),
    "lpips_squeeze": Measure("content", compare_lpips("squeeze"), "lower"),
    "sifid": Measure("style", compare_sifid, "lower"),
    "judge_distance": Measure("style", compare_judge, "lower"),
    "judge_frechet": Measure("style", compare_judge_frechet, "lower"),
}

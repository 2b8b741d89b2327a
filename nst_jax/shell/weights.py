"""Weights: a source -> parameters, with the preprocessing that belongs to them and where they come from.

Sources: own is the network's own, a file of the package (texnet) or else keras; keras, torchvision and
matconvnet are downloaded once, verified, and converted to .safetensors beside the download; file is any of these
formats on disk; random is an untrained network, a published method (He, Wang & Hopcroft 2016, arXiv 1606.04801);
auto takes what it can get, and says what that is.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nst_jax.shell import cache, fetch, fit, formats, preprocessing
from nst_jax.shell.errors import NoWeights, UserError
from nst_jax.shell.places import PACKAGED
from nst_jax.shell.published import PUBLISHED, Published

SOURCES = ("own", "keras", "torchvision", "matconvnet", "file", "random", "auto")
ORDER = ("keras", "matconvnet", "torchvision")  # auto: the original values first


class Weights(NamedTuple):
    """Parameters and their provenance."""

    params: Mapping[str, Mapping[str, np.ndarray]]  # input and conv1_1 ...: kernel, bias; float32
    source: str  # what these weights are and the input they expect, in words
    sha256: str  # of the file the values come from; of the values themselves where there is none
    path: str  # where that file lies; "" where there is none


class Request(NamedTuple):
    """What is wanted, as it travels from one source to the next."""

    network: str
    needed: tuple[str, ...]
    path: str | None
    mirror: str | None
    seed: int
    preprocessing: str
    log: Callable[[str], object]


def load(
    source: str,
    *,
    network: str,
    needed: tuple[str, ...],
    path: str | None = None,
    mirror: str | None = None,
    seed: int = 0,
    preprocessing: str = "auto",
    random_from: int | None = None,
    log: Callable[[str], object] = print,
) -> Weights:
    """The weights of `network` (vgg19, vgg16) with at least the convolutions named in `needed`.

    path: the file, for source=file. mirror: an address to try before the published ones. seed: of what is untrained.
    preprocessing: auto, or caffe / torchvision for a file that does not say it. random_from: a block; it and the
    deeper ones are left untrained, whatever the source holds of them. Raises UserError.
    """
    if source not in SOURCES:
        raise UserError(f"weights={source} is unknown; there are {', '.join(SOURCES)}")
    if path and source != "file":
        raise UserError(f"weights.path={path} has no effect with weights={source}; say weights=file as well")
    fit.shapes(network)  # an unknown network is told before anything is downloaded
    request = Request(network, needed, path, mirror, seed, preprocessing, log)
    return sourced(source, request) if random_from is None else partly(source, request, random_from)


def partly(source: str, request: Request, first: int) -> Weights:
    """The source's shallow blocks, and from block `first` on an untrained network; only the former are needed of it."""
    shapes = fit.shapes(request.network)
    deeper = [name for name in shapes if int(name.removeprefix("conv").partition("_")[0]) >= first]
    if source == "random" or first < 1 or not deeper:
        why = "weights=random has no trained blocks" if source == "random" else f"{request.network} has no such block"
        raise UserError(f"weights.random_from={first}: {why}")
    trained = sourced(source, request._replace(needed=tuple(n for n in request.needed if n not in deeper)))
    drawn = untrained(request._replace(preprocessing="auto"))
    kept = {n: layer for n, layer in trained.params.items() if n not in deeper}
    params = kept | {n: layer for n, layer in drawn.params.items() if n in deeper}
    told = f"blocks {first} and deeper untrained: He-normal, seed {request.seed}"
    request.log(f"weights: {told}")
    return Weights(params, f"{trained.source}; {told}", _digest(params), trained.path)


def sourced(source: str, request: Request) -> Weights:
    """The weights of one source, and of nothing else."""
    network = request.network
    if source in ("own", "auto") and network in PACKAGED:
        return packaged(request)
    if source not in ("own", "file", "random") and network in PACKAGED:
        raise UserError(f"weights={source} has nothing for {network}, whose weights come with nst_jax: weights=own")
    named = {"file": from_file, "random": untrained, "auto": whatever}
    return named[source](request) if source in named else published("keras" if source == "own" else source, request)


def packaged(request: Request) -> Weights:
    """The file that comes with the package: nothing to download."""
    loaded = from_file(request._replace(path=str(PACKAGED[request.network])))
    return loaded._replace(source=f"{request.network}, the weights that come with nst_jax; {loaded.source}")


def from_file(request: Request) -> Weights:
    """A file in any known format, told by its content."""
    if not request.path:
        raise NoWeights("weights=file needs the file: weights.path=FILE (.h5, .pth, .mat or .safetensors)")
    path = Path(request.path).expanduser()
    contents, where = formats.read(path), str(path)
    layers = fit.fit(contents, network=request.network, needed=request.needed, where=where)
    asked = request.preprocessing
    ready = preprocessing.prepare(layers, contents, network=request.network, asked=asked, where=where)
    sha256 = contents.notes.get("sha256") or cache.digest(path, "sha256").removeprefix("sha256:")
    return Weights({"input": ready.input, **ready.layers}, ready.words, sha256, where)


def published(source: str, request: Request) -> Weights:
    """A published set: from the cache, or else downloaded, verified and converted."""
    files = PUBLISHED[request.network, source]
    ready = cached(source, request)
    if ready is None:
        ready = convert(fetch.fetch(files, mirror=request.mirror, log=request.log), request)
    return from_file(request._replace(path=str(ready)))


def cached(source: str, request: Request) -> Path | None:
    """The converted file in the cache, made anew (aloud) from the download where it is missing or damaged."""
    for file in PUBLISHED[request.network, source]:
        converted = converted_path(file)
        if cache.intact(converted):
            return converted
        if converted.is_file():
            request.log(f"{converted}: damaged, its checksum is wrong; it is made again")
        original = cache.folder() / file.file
        if cache.matches(original, file.digest):
            return convert(original, request)
        if original.is_file():
            request.log(f"{original}: damaged, its hash is wrong; it is downloaded again")
    return None


def converted_path(file: Published) -> Path:
    """Where the converted form of a published file lies."""
    return cache.folder() / f"{file.file}.safetensors"


def convert(original: Path, request: Request) -> Path:
    """Convert a download once, with a checksum beside it."""
    request.log(f"converting {original.name} to .safetensors")
    weights = from_file(request._replace(path=str(original), needed=(), preprocessing="auto"))
    converted = original.with_name(original.name + ".safetensors")
    cache.write_checked(converted, lambda draft: _write(weights, draft))
    return converted


def untrained(request: Request) -> Weights:
    """He-normal kernels from `seed`, of the layers that are needed: those of a whole VGG-19 take over a second."""
    import jax

    if request.preprocessing != "auto":
        raise UserError("weights.preprocessing has no effect with weights=random: it has an input of its own")
    draw = jax.jit(_drawn, static_argnames=("network", "needed"))
    drawn = draw(jax.random.key(request.seed), network=request.network, needed=request.needed)
    params = {n: {p: np.asarray(a, np.float32) for p, a in layer.items()} for n, layer in drawn.items()}
    words = f"{request.network}, untrained: He-normal, seed {request.seed}; input RGB, 0..255, minus 127.5"
    return Weights(params, words, _digest(params), "")


def _drawn(key: Any, *, network: str, needed: tuple[str, ...]) -> Any:
    """Of an untrained network the input and the needed layers, all if none is named: the same values either way."""
    from nst_jax import extractors, vgg

    whole = vgg.random_params(key, blocks=extractors.BLOCKS[network])
    return {name: layer for name, layer in whole.items() if not needed or name in ("input", *needed)}


def whatever(request: Request) -> Weights:
    """What is in the cache, whoever published it, else a download; it says which one it took. Never other weights."""
    for source in ORDER:
        if (ready := cached(source, request)) is not None:
            request.log(f"weights=auto: taking {source}, from the cache ({ready})")
            return _chosen(from_file(request._replace(path=str(ready))), f"{source} from the cache")
    weights = _chosen(published(ORDER[0], request), f"{ORDER[0]}, downloaded")
    request.log(f"weights=auto: took {ORDER[0]}, downloaded")
    return weights


def _chosen(weights: Weights, how: str) -> Weights:
    return weights._replace(source=f"{weights.source} (chosen by weights=auto: {how})")


def save(weights: Weights, path: str | Path) -> None:
    """Write .safetensors with the input layer and the provenance; complete under its name, or not there."""
    with cache.complete(Path(path).expanduser()) as draft:
        _write(weights, draft)


def _write(weights: Weights, draft: Path) -> None:
    from safetensors.numpy import save_file

    flat = {f"{n}.{part}": np.ascontiguousarray(a) for n, layer in weights.params.items() for part, a in layer.items()}
    notes = {"source": weights.source, "preprocessing": "input.kernel, input.bias", "sha256": weights.sha256}
    save_file(flat, draft, metadata=notes)


def _digest(params: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    total = hashlib.sha256()
    for name in sorted(params):
        for part in sorted(params[name]):
            total.update(np.ascontiguousarray(params[name][part]).tobytes())
    return total.hexdigest()

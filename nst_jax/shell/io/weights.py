"""A network's parameters from one of several sources, with their preprocessing and where they come from.

Sources:
  own: the network's own: a file of the package (distilled, texnet), or else what the first publisher of ORDER has.
  keras, torchvision, matconvnet: downloaded once, verified, and converted to .safetensors beside the download.
  file: any of these formats on disk.
  random: an untrained network, a published method (He, Wang & Hopcroft 2016, arXiv 1606.04801).
  auto: a published set from the cache, or else downloaded; the log says which.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nst_jax.extractors import METRICS, MODULES, architecture
from nst_jax.shell.errors import NoWeights, UserError
from nst_jax.shell.io import atomic, cache, fetch, fit, formats, preprocessing
from nst_jax.shell.io.preprocessing import STANDS_FOR
from nst_jax.shell.names import find
from nst_jax.shell.places import package_file

if TYPE_CHECKING:
    from nst_jax.extractors.base import Architecture  # imports jax

SOURCES = ("own", "keras", "torchvision", "matconvnet", "file", "random", "auto")
ORDER = ("keras", "matconvnet", "torchvision")  # own and auto: the original values first


class NetworkParams(NamedTuple):
    """A network's parameters and their provenance."""

    params: Mapping[str, Mapping[str, np.ndarray]]  # input and each convolution: kernel, bias; float32
    source: str  # what these values are and the input that they expect
    sha256: str  # of the file that the values come from; of the values themselves where there is none
    path: str  # of that file; "" where there is none


class Request(NamedTuple):
    """A request to a source."""

    architecture: "Architecture"
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
) -> NetworkParams:
    """Load a network's parameters.

    Args:
      source: one of SOURCES.
      network: its name, one of nst_jax.extractors.MODULES, or package.module:NAME.
      needed: the convolutions that must be there.
      path: the file, for source=file.
      mirror: an address to try before the published ones.
      seed: of what is untrained.
      preprocessing: auto; caffe or torchvision for a file that does not say it; pystiche or unit for what a program
        gives the network instead.
      random_from: a stage of the network, counted from 1. It and the deeper ones are left untrained.
      log: receives what happens on the way, a line each.

    Raises:
      UserError: a wrong name or file, or no file to be had.
    """
    if source not in SOURCES:
        raise UserError(f"weights={source} is unknown; there are {', '.join(SOURCES)}")
    if path and source != "file":
        raise UserError(f"weights.path={path} has no effect with weights={source}; say weights=file as well")
    found = find(architecture, MODULES | METRICS, network, "network")  # before anything is downloaded
    request = Request(found, needed, path, mirror, seed, STANDS_FOR.get(preprocessing, preprocessing), log)
    loaded = (
        load_source(source, request) if random_from is None else load_partly(source, request, random_from=random_from)
    )
    return change_input(loaded, preprocessing) if preprocessing in STANDS_FOR else loaded


def change_input(loaded: NetworkParams, kind: str) -> NetworkParams:
    """The same parameters behind another input: that of a program which gives a network something else."""
    params = {**loaded.params, "input": preprocessing.layer(kind)}
    return loaded._replace(params=params, source=f"{loaded.source}; here {preprocessing.describe(kind)}")


def load_partly(source: str, request: Request, *, random_from: int) -> NetworkParams:
    """Load the source's shallow stages, and leave stage `random_from` and the deeper ones untrained."""
    stages = request.architecture.stages
    if source == "random" or not 1 <= random_from <= len(stages):
        known = f"{request.architecture.name} has blocks 1 to {len(stages)}"
        reason = "weights=random has no trained blocks" if source == "random" else known
        raise UserError(f"weights.random_from={random_from}: {reason}")
    deeper = {name for stage in stages[random_from - 1 :] for name in stage}
    trained = load_source(source, request._replace(needed=tuple(n for n in request.needed if n not in deeper)))
    drawn = draw(request._replace(preprocessing="auto"))
    kept = {n: layer for n, layer in trained.params.items() if n not in deeper}
    params = kept | {n: layer for n, layer in drawn.params.items() if n in deeper}
    words = f"blocks {random_from} and deeper untrained: He-normal, seed {request.seed}"
    request.log(f"weights: {words}")
    return NetworkParams(params, f"{trained.source}; {words}", _digest(params), trained.path)


def load_source(source: str, request: Request) -> NetworkParams:
    """Load from one source, and from nothing else."""
    if source == "file":
        return read_file(request)
    if source == "random":
        return draw(request)
    network = request.architecture
    if source in ("own", "auto") and network.packaged:
        return read_packaged(request)
    publishers = [name for name in ORDER if name in network.sources]
    if source not in ("own", "auto") and source not in publishers:
        raise UserError(f"weights={source} has nothing for {network.name}{_other_ways(network)}")
    if not publishers:
        raise NoWeights(f"weights={source}: no publisher of {network.name} is known{_other_ways(network)}")
    if source == "auto":
        return load_any(request, publishers)
    return load_published(publishers[0] if source == "own" else source, request)


def _other_ways(network: "Architecture") -> str:
    if network.packaged:
        return ", whose weights come with nst_jax: weights=own"
    known = "".join(f"weights={name}, " for name in network.sources)
    return f"; there are {known}weights=file weights.path=FILE and weights=random"


def read_packaged(request: Request) -> NetworkParams:
    """Read the file that comes with the package. Nothing is downloaded."""
    network = request.architecture
    loaded = read_file(request._replace(path=str(package_file(str(network.packaged)))))
    return loaded._replace(source=f"{network.name}, the weights that come with nst_jax; {loaded.source}")


def read_file(request: Request) -> NetworkParams:
    """Read a file in any known format, which its content tells."""
    if not request.path:
        raise NoWeights("weights=file needs the file: weights.path=FILE (.h5, .pth, .mat or .safetensors)")
    path = Path(request.path).expanduser()
    contents, where, network = formats.read(path), str(path), request.architecture
    layers = fit.fit(contents, architecture=network, needed=request.needed, where=where)
    ready = preprocessing.prepare(
        layers, contents, architecture=network, preprocessing=request.preprocessing, where=where
    )
    sha256 = contents.notes.get("sha256") or cache.sha256(path)
    return NetworkParams({"input": ready.input, **ready.layers}, ready.words, sha256, where)


def load_published(publisher: str, request: Request) -> NetworkParams:
    """Load a published set from the cache; otherwise download, verify and convert it."""
    ready = find_cached(publisher, request)
    if ready is None:
        files = request.architecture.sources[publisher]
        ready = convert(fetch.fetch(files, mirror=request.mirror, log=request.log), request)
    return read_file(request._replace(path=str(ready)))


def find_cached(publisher: str, request: Request) -> Path | None:
    """The converted file in the cache. It is made again from the download, with a log, if it is missing or damaged."""
    for file in request.architecture.sources[publisher]:
        converted = cache.converted_path(file.file)
        if cache.is_intact(converted):
            return converted
        if converted.is_file():
            request.log(f"{converted}: damaged, its checksum is wrong; it is made again")
        original = cache.folder() / file.file
        if cache.matches(original, file.digest):
            return convert(original, request)
        if original.is_file():
            request.log(f"{original}: damaged, its hash is wrong; it is downloaded again")
    return None


def convert(original: Path, request: Request) -> Path:
    """Convert a download once, with a checksum beside it."""
    request.log(f"converting {original.name} to .safetensors")
    loaded = read_file(request._replace(path=str(original), needed=(), preprocessing="auto"))
    converted = cache.converted_path(original.name)
    cache.write_with_checksum(converted, partial(_write, loaded))
    return converted


def draw(request: Request) -> NetworkParams:
    """Draw an untrained network from the seed: of its layers those that are needed, all if none is named.

    The values are the same either way; to draw a whole VGG-19 takes over a second.
    """
    import jax

    if request.preprocessing != "auto":
        raise UserError("weights.preprocessing has no effect with weights=random: it has an input of its own")
    network = request.architecture
    compiled = jax.jit(_draw, static_argnames=("random", "needed"))
    layers = compiled(jax.random.key(request.seed), random=network.random, needed=request.needed)
    params = {n: {p: np.asarray(a, np.float32) for p, a in layer.items()} for n, layer in layers.items()}
    words = f"{network.name}, untrained: He-normal, seed {request.seed}; input RGB, 0..255, minus 127.5"
    return NetworkParams(params, words, _digest(params), "")


def _draw(key: Any, *, random: Callable[[Any], Any], needed: tuple[str, ...]) -> Any:
    return {name: layer for name, layer in random(key).items() if not needed or name in ("input", *needed)}


def load_any(request: Request, publishers: list[str]) -> NetworkParams:
    """Load what is in the cache, whoever published it; otherwise download the first. Never other weights."""
    for publisher in publishers:
        if (ready := find_cached(publisher, request)) is not None:
            request.log(f"weights=auto: taking {publisher}, from the cache ({ready})")
            return _note_choice(read_file(request._replace(path=str(ready))), f"{publisher} from the cache")
    loaded = _note_choice(load_published(publishers[0], request), f"{publishers[0]}, downloaded")
    request.log(f"weights=auto: took {publishers[0]}, downloaded")
    return loaded


def _note_choice(loaded: NetworkParams, choice: str) -> NetworkParams:
    return loaded._replace(source=f"{loaded.source} (chosen by weights=auto: {choice})")


def save(loaded: NetworkParams, path: str | Path) -> None:
    """Write .safetensors with the input layer and the provenance. The folder is made if need be. Raises UserError."""
    path = Path(path).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    with atomic.draft(path) as part:
        _write(loaded, part)


def _write(loaded: NetworkParams, part: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    flat = {f"{n}.{role}": np.ascontiguousarray(a) for n, layer in loaded.params.items() for role, a in layer.items()}
    notes = {"source": loaded.source, "preprocessing": "input.kernel, input.bias", "sha256": loaded.sha256}
    try:
        save_file(flat, part, metadata=notes)
    except SafetensorError as error:  # a full disk, for instance
        raise OSError(str(error)) from error


def _digest(params: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    total = hashlib.sha256()
    for name in sorted(params):
        for part in sorted(params[name]):
            total.update(np.ascontiguousarray(params[name][part]).tobytes())
    return total.hexdigest()

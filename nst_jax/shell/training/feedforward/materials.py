"""The materials of a feed-forward training: the network that sees, the pictures, the styles, the goal."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from nst_jax import published
from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Architecture, Extractor
from nst_jax.images.size import resize, target_shape
from nst_jax.losses import term
from nst_jax.losses.term import Aim, Terms
from nst_jax.methods import transfer
from nst_jax.methods.feedforward import decoders, training
from nst_jax.methods.feedforward.training import Batch, Goal, Schedule, Settings
from nst_jax.parallel import layout
from nst_jax.published import CONVENTIONS
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import weights
from nst_jax.shell.io.cache import digest
from nst_jax.shell.io.pictures import read
from nst_jax.shell.names import find, look_up
from nst_jax.shell.running import device
from nst_jax.shell.training import corpus
from nst_jax.shell.training.corpus import Corpus, Piece
from nst_jax.shell.training.feedforward.config import IMAGE, Config, content_of, names_in, style_of
from nst_jax.shell.training.feedforward.networks import check_network, make_painter
from nst_jax.shell.training.pictures import find as find_pictures

LOG = logging.getLogger(__name__)
CONTENT, STYLE, LABEL = 1, 2, 3  # streams of random numbers


class Style(NamedTuple):
    """A painting."""

    name: str  # of its file
    sha256: str
    image: np.ndarray  # RGB in [0, 1]


class Made(NamedTuple):
    """The parts of a training before its first step."""

    method: str
    config: Config
    record: Any  # of the network that learns
    settings: Settings
    goal: Goal
    source: weights.NetworkParams  # of the network that sees
    contents: Corpus
    styles: tuple[Style, ...]  # those that are learnt
    paintings: Corpus | None  # where any style may come
    mesh: Mesh | None


def make(method: str, config: Config) -> Made:
    """Load the network that sees, the styles and the pictures. Raises UserError if one is missing or does not fit."""
    check_network(method, config)
    mesh = make_mesh(config)
    arch = find(architecture, MODULES, config.network.name, "network.name")
    terms, weigh = compare(config, arch)
    network = tap(config, arch, terms)
    source = load_network(config, arch, network)
    convolution = device.convolution(config.network.convolution)
    params = arch.ready(dict(source.params), convolution=convolution, dtype="float32")
    styles = read_styles(config) if method in ("johnson", "cin") else ()
    contents = load_corpus("data", config.data, config)
    sizes = measure_sizes(config, network, params, contents)
    weigh = normalise(weigh, terms, sizes) if config.normalise else weigh
    record, painter = make_painter(method, config, styles=len(styles), divisor=sizes.get(config.level, 1.0))
    schedule = Schedule(config.schedule, config.learning_rate, config.decay, config.every, config.warmup)
    settings = Settings(painter, network, terms, schedule, config.clip, config.ema, config.learns)
    goal = Goal(params, {}, weigh, transfer.aims_key(seed=config.seed))
    goal = goal._replace(aims=aim_at(settings, goal, styles, side=config.side) if styles else {})
    paintings = load_corpus("styles", config.styles, config) if method == "adain" else None
    return Made(method, config, record, settings, goal, source, contents, styles, paintings, mesh)


def make_mesh(config: Config) -> Mesh | None:
    """The devices that share a batch; None for one. Raises UserError where there are not so many."""
    there = len(jax.local_devices())
    wanted = config.devices or there
    if wanted > there:
        raise UserError(f"devices={wanted}: there {'is one' if there == 1 else f'are {there}'} here")
    if config.batch % wanted:
        raise UserError(f"batch={config.batch}: {wanted} devices share it evenly; give a multiple")
    return layout.make_mesh(lanes=wanted, rows=1) if wanted > 1 else None


def compare(config: Config, arch: Architecture) -> tuple[Terms, dict[str, Any]]:
    """The terms that have a weight, and each one's weight by name."""
    name = config.convention.name
    found = find(published.convention, CONVENTIONS, name, "convention.name")
    if config.tv_weight and found.smooth_term is None:
        raise UserError(f"tv_weight={config.tv_weight:g}: convention={name} has no smoothness term")
    found = found if config.tv_weight else found._replace(smooth_term=None)
    content = {layer: factor for layer, factor in content_of(config).items() if factor}
    style = {layer: factor for layer, factor in style_of(config).items() if factor and config.style_weight}
    if not content and not style:
        raise UserError("content_weight and style_weight are both 0, or have no layers: there is nothing to learn")
    for layer in {*content, *style} - {IMAGE}:
        look_up(dict.fromkeys(arch.layers), layer, f"layers, of network={arch.name}")
    if config.level and config.styles is not None and set(content) != {config.level}:
        raise UserError(f"layers.content={content}: AdaIN's output is aimed at; it has one layer, level={config.level}")
    network = tap(config, arch, found.terms(content, style))
    channels = {layer: shape[2] for layer, shape in arch.shapes(network, height=64, width=64).items()}
    numbers = {"content_weight": 1.0, "style_weight": config.style_weight, "tv_weight": config.tv_weight}
    weigh = found.weights(channels, **numbers, content_layers=content, style_layers=style)
    return found.terms(content, style), weigh


def tap(config: Config, arch: Architecture, terms: Terms) -> Extractor:
    """The network that sees, tapped at the layers of the terms and at the level of a decoder."""
    more = [config.level] if config.level else []
    for layer in more:
        look_up(dict.fromkeys(arch.layers), layer, f"level, of network={arch.name}")
    n = config.network
    try:
        taps = {*term.taps(terms), *more}
        return arch.tap(taps, pool=n.pool, rounding=n.rounding, padding=n.padding, checkpoint=False)
    except ValueError as error:
        raise UserError(f"network={n.name}: {error}") from None


def load_network(config: Config, arch: Architecture, network: Extractor) -> weights.NetworkParams:
    """The parameters of the network that sees, as far as its taps need them."""
    needed, w = arch.needs(network.taps), config.weights
    given = {"path": w.path, "mirror": w.mirror, "seed": w.seed, "preprocessing": w.preprocessing}
    source = weights.load(w.source, network=config.network.name, needed=needed, log=LOG.info, **given)
    LOG.info("%s: %s", config.network.name, source.source)
    return source._replace(params={name: source.params[name] for name in ("input", *needed)})


def measure_sizes(config: Config, network: Extractor, params: Any, contents: Corpus) -> dict[str, float]:
    """The mean activation of each layer of an encoder, in two digits. The result is empty if no layer is decoded."""
    if config.level is None:
        return {}
    images = jnp.asarray(corpus.pieces(contents, piece_of(config), seed=config.seed, stream=CONTENT, step=0, count=4))

    @jax.jit
    def look(params: Any, images: Any) -> dict[str, jax.Array]:
        seen = decoders.encode(network, params, training.as_floats(images), taps=network.taps)
        return {layer: jnp.mean(jnp.abs(found)) for layer, found in seen.items()}

    return {layer: float(f"{float(size):.1e}") or 1.0 for layer, size in look(params, images).items()}


def normalise(weigh: dict[str, Any], terms: Terms, sizes: dict[str, float]) -> dict[str, Any]:
    """The weights for layers whose mean activation is 1, as the normalised VGG has them."""
    return {t.name: weigh[t.name] / sizes.get(t.tap, 1.0) ** 2 for t in terms}


def read_styles(config: Config) -> tuple[Style, ...]:
    """The paintings that are learnt, at their size. Raises UserError if there is no painting."""
    paths: list[Path] = []
    for name in names_in(config.style if config.styles is None else config.styles):
        place = Path(name).expanduser()
        folder = config.styles is not None and (place.is_dir() or not place.suffix)
        paths += [path for _, path in find_pictures([name], key="styles")] if folder else [place]
    if not paths:
        raise UserError(f"styles={config.styles}: there is no picture in it")
    if config.styles is None and len(paths) > 1:
        raise UserError(f"style={config.style}: a network of one style. Several: nst-train cin styles={config.style}")
    return tuple(read_style(path, size=config.style_size) for path in paths)


def read_style(path: Path, *, size: int | None) -> Style:
    """A painting, its longer side `size` pixels; None: its own size."""
    picture = read(path)
    height, width, _ = picture.image.shape
    rule = "original" if size is None else "long"
    height, width = target_shape(height=height, width=width, size=size or 1, rule=rule)
    return Style(path.name, picture.sha256, np.asarray(resize(jnp.asarray(picture.image), height=height, width=width)))


def aim_at(settings: Settings, goal: Goal, styles: tuple[Style, ...], *, side: int) -> dict[str, Aim]:
    """The aims of the style terms, with an entry for each style."""
    found = [training.style_aims(settings, goal, jnp.asarray(style.image), side=side) for style in styles]
    shapes = [jax.tree.map(jnp.shape, aims) for aims in found]
    if any(shape != shapes[0] for shape in shapes):
        raise UserError("this convention's aims have the sizes of the paintings: give paintings of one size, or one")
    return jax.tree.map(lambda *each: jnp.stack(each), *found)


def load_corpus(key: str, folders: Any, config: Config) -> Corpus:
    """Pictures to learn from."""
    numbers = {"side": config.side, "largest": config.largest, "held_out": config.held_out, "memory": config.memory}
    found = corpus.load(key, names_in(folders), **numbers, threads=config.threads, log=LOG.warning)
    LOG.info("%s: %d pictures, %d of them held out", key, found.number, len(found.held))
    return found


def piece_of(config: Config) -> Piece:
    """How pieces are taken."""
    low, high = map(float, config.crop)
    return Piece(config.side, (low, high), config.flip)


def fresh(made: Made, number: int) -> Batch:
    """The input of step `number`."""
    config = made.config
    piece, which = piece_of(config), {"seed": config.seed, "step": number, "count": config.batch}
    images = corpus.pieces(made.contents, piece, stream=CONTENT, **which)
    rng = np.random.default_rng((config.seed, LABEL, number))
    labels = rng.integers(max(1, len(made.styles)), size=config.batch).astype(np.int32)
    paintings = None if made.paintings is None else corpus.pieces(made.paintings, piece, stream=STYLE, **which)
    return place(made.mesh, Batch(images, labels, paintings))  # pyright: ignore[reportArgumentType]


def place(mesh: Mesh | None, batch: Batch) -> Batch:
    """The batch on the devices: each has a part of it."""
    if mesh is None:
        return jax.tree.map(jnp.asarray, batch)
    return layout.put(batch, jax.tree.map(lambda a: layout.of_leaf(mesh, a.shape, lane=True, rows=None), batch))


def everywhere(mesh: Mesh | None, tree: Any) -> Any:
    """The arrays whole on each of the devices."""
    return tree if mesh is None else layout.put(tree, jax.tree.map(lambda _: layout.whole(mesh), tree))


FREE = ("folder", "checkpoint", "report", "sheet", "threads", "patience", "steps", "memory", "precision", "licence")
FILES = ("data", "style", "styles", "start", "weights")  # their hashes count, not their places


def fingerprint(made: Made, plain: Mapping[str, Any]) -> str:
    """The identity of a checkpoint: the settings, the network that sees, the pictures and the styles.

    plain: the settings as a dict.
    """
    facts = {key: value for key, value in plain.items() if key not in (*FREE, *FILES)}
    facts["start"] = made.config.start and digest(Path(made.config.start).expanduser(), "sha256")
    facts |= {"method": made.method, "network": made.source.sha256, "styles": [s.sha256 for s in made.styles]}
    for name, pictures in (("data", made.contents), ("paintings", made.paintings)):
        facts[name] = pictures and [pictures.sha256, pictures.number, pictures.kept is not None, len(pictures.held)]
    return json.dumps(facts, sort_keys=True, default=str)

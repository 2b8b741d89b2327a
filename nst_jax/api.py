"""What a researcher types: load a network, state a problem, run it. Made of the pure functions of the package.

>>> import nst_jax as nst
>>> net = nst.load("texnet")
>>> image = nst.stylise(net, "landscape", "brush", size=32, steps=3, progress=False).image
>>> image.shape
(24, 32, 3)

What reads or writes files is imported by the function that needs it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import Extractor, shapes
from nst_jax.images import starts
from nst_jax.images.size import cover, resize, target_shape
from nst_jax.losses import term as losses
from nst_jax.losses.term import Aim, Term, Terms
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim import solvers
from nst_jax.parallel import lanes
from nst_jax.published import LOSSES, PROFILES
from nst_jax.published.base import Losses
from nst_jax.types import Image

PARTS = {"content_weight": "content", "style_weight": "style", "tv_weight": "tv"}  # a keyword -> the part it weighs
CHUNK = 256  # steps between two looks at the state, at most


class Network(NamedTuple):
    """A feature extractor with its parameters, and the layers and convention that suit it.

    For a network of your own: Network(extractor, params, content_layers={...: 1.0}, style_layers={...: 1.0}).
    """

    extractor: Extractor
    params: Any
    content_layers: Mapping[str, float]  # each layer's factor
    style_layers: Mapping[str, float]
    convention: str = "relative"
    source: str = "a network of your own"  # what the parameters are, in words


class Method(NamedTuple):
    """An optimiser with its settings."""

    solver: Any
    options: tuple[tuple[str, Any], ...]  # they shape the program
    numbers: Mapping[str, Any]  # they do not; an array of one dimension has a number for each lane


class Task(NamedTuple):
    """A problem: what is minimised, and everything that it is made of. The image and the optimiser come with `run`."""

    extractor: Extractor  # tapped at the layers of the terms
    terms: Terms
    params: Any
    aims: Mapping[str, Aim]  # by the term's name
    units: Mapping[str, Any]  # each term's weight if its part has the weight 1
    parts: Mapping[str, Any]  # each part's weight; an array of one dimension has a number for each lane
    content: Image | None
    style: Image | None
    facts: Mapping[str, Any]  # what a saved picture says it came from

    @property
    def weights(self) -> dict[str, Array]:
        """Each term's weight, by name."""
        return {name: jnp.float32(unit * self.parts[losses.part(name)]) for name, unit in self.units.items()}


class Result(NamedTuple):
    """Where a run ended. With several lanes every array has a leading axis."""

    image: Array  # (height, width, 3), RGB in [0, 1] up to what the optimiser left outside
    terms: Mapping[str, Array]  # the unweighted value of each term, by name
    curve: Mapping[str, Array]  # total, grad_norm and evaluations of each iteration
    facts: Mapping[str, Any]

    def save(self, path: str | Path, *, lane: int = 0) -> Path:
        """Write the image as PNG, JPEG or WebP, with what it came from in its metadata; returns the path."""
        from nst_jax.shell.io.saving import write
        from nst_jax.shell.running.provenance import text_chunks, versions

        image = self.image if self.image.ndim == 3 else self.image[lane]
        return write(path, image, metadata=text_chunks({**self.facts, "versions": versions()}))

    def _repr_png_(self) -> bytes:
        """The image, or the lanes side by side, as a notebook shows it."""
        import io

        from PIL import Image as Pillow

        row = np.asarray(self.image if self.image.ndim == 3 else np.concatenate([*self.image], 1))
        data = io.BytesIO()
        Pillow.fromarray((np.clip(row, 0, 1) * 255 + 0.5).astype(np.uint8)).save(data, "PNG")
        return data.getvalue()


def load(
    name: str | Path = "vgg19",
    *,
    network: str | None = None,
    weights: str = "own",
    preprocessing: str = "auto",
    seed: int = 0,
    pool: str | None = None,
    rounding: str = "floor",
    padding: str = "zero",
    convolution: str = "auto",
    dtype: str = "float32",
) -> Network:
    """A network by name, or one whose weights are in a file.

    Args:
      name: vgg19, vgg16, texnet or squeezenet; or the path of a weight file (.h5, .pth, .mat, .safetensors).
      network: which network the file holds; vgg19 if not said.
      weights: own (the network's own, downloaded once), keras, torchvision, matconvnet, random or auto.
      preprocessing: auto, or caffe or torchvision for a file that does not say what it was trained on.
      seed: of random weights.
      pool: max, avg or l2; the network's own if not said.
      rounding: floor or ceil: what pooling makes of an odd side.
      padding: zero, reflect or replicate.
      convolution: auto, direct or winograd.
      dtype: of the convolutions, float32 or bfloat16.

    Raises:
      UserError: a name, a setting or a file that does not fit.
    """
    from nst_jax.shell.errors import UserError
    from nst_jax.shell.io import weights as files
    from nst_jax.shell.names import look_up
    from nst_jax.shell.running import device

    path = str(name) if str(name) not in MODULES and Path(name).expanduser().exists() else None
    known = network or ("vgg19" if path else str(name))
    look_up(dict(MODULES), known, "load")
    arch = architecture(known)
    given = {"path": path, "preprocessing": preprocessing, "seed": seed}
    loaded = files.load("file" if path else weights, network=known, needed=(), log=lambda text: None, **given)
    whole = set(arch.kernels) <= loaded.params.keys()
    if not whole and not arch.shallow:
        raise UserError(f"{name}: it holds a part of {known} only, and no layers are known that suit it")
    profile = PROFILES[arch.profile if whole else arch.shallow]
    content, style = profile.content, profile.style
    settings = {"pool": pool or arch.pool, "rounding": rounding, "padding": padding}
    make = jax.jit(arch.prepare, static_argnames=("convolution", "dtype"))
    params = make(dict(loaded.params), convolution=device.convolution(convolution), dtype=dtype)
    return Network(arch.tap({*content, *style}, **settings), params, content, style, arch.convention, loaded.source)


def picture(name: str | Path, *, size: int = 512) -> Image:
    """A bundled picture (landscape, portrait; brush, mosaic, ink) or a file, its longer side `size` pixels.

    Raises UserError for a file that cannot be read.
    """
    from nst_jax import pictures
    from nst_jax.shell.io import pictures as files

    image = files.read(pictures.path(str(name)) if name in pictures.NAMES else name).image
    height, width = target_shape(height=image.shape[0], width=image.shape[1], size=size, rule="long")
    return resize(jnp.asarray(image), height=height, width=width)


def problem(
    net: Network,
    content: Any,
    style: Any,
    *,
    convention: str | None = None,
    content_weight: Any = None,
    style_weight: Any = None,
    tv_weight: Any = None,
    content_layers: Mapping[str, float] | Sequence[str] | None = None,
    style_layers: Mapping[str, float] | Sequence[str] | None = None,
    seed: int = 0,
) -> Task:
    """What is minimised: terms, aims and weights.

    Args:
      net: the network.
      content: an image (height, width, 3) in [0, 1], or None with content_weight=0.
      style: an image, of any size, or None with style_weight=0.
      convention: a published way to compute the losses; the network's own if not said.
      content_weight, style_weight, tv_weight: the parts' weights; the convention's published ones if not said.
      content_layers, style_layers: layers, or layers with their factors; the network's own if not said.
      seed: of what a convention draws.

    Raises:
      ValueError: a picture or a layer that does not fit.
    """
    record = losses_of(convention or net.convention)
    chosen = {"content_weight": content_weight, "style_weight": style_weight, "tv_weight": tv_weight}
    numbers = {k: getattr(record, k) if v is None else v for k, v in chosen.items()}
    pictures = as_pictures({"content": content, "style": style}, numbers)
    factors = {
        "content_layers": with_factors(content_layers, net.content_layers) if "content" in pictures else {},
        "style_layers": with_factors(style_layers, net.style_layers) if "style" in pictures else {},
    }
    compared = record.convention
    if compared.smooth_term is None and np.any(numbers["tv_weight"]):
        raise ValueError(f"tv_weight has no effect: {convention or net.convention} has no smoothness term")
    terms = compared.terms(factors["content_layers"], factors["style_layers"])
    extractor = net.extractor.clone(taps=losses.taps(terms))
    height, width = next(iter(pictures.values())).shape[:2]
    channels = {k: s[2] for k, s in shapes(extractor, net.params, height=height, width=width).items()}
    units = compared.weights(channels, content_weight=1.0, style_weight=1.0, tv_weight=1.0, **factors)
    found = transfer.aims(
        extractor, terms, net.params, pictures, pixels=height * width, key=jax.random.fold_in(jax.random.key(seed), 1)
    )
    facts = {
        "weights": net.source,
        "convention": convention or net.convention,
        **{k: str(v) for k, v in numbers.items()},
    }
    parts = {PARTS[k]: v for k, v in numbers.items()}
    return Task(
        extractor, terms, net.params, found, units, parts, pictures.get("content"), pictures.get("style"), facts
    )


def add(problem: Task, term: Term, *, weight: Any, aim: Aim | None = None) -> Task:
    """The problem with one more term.

    Args:
      problem: the problem.
      term: of a name that no other term has.
      weight: of the term.
      aim: what it compares with; None: made from the problem's pictures, by the term.
    """
    terms = (*problem.terms, term)
    extractor = problem.extractor.clone(taps=losses.taps(terms))
    if aim is None:
        pictures = {k: v for k, v in (("content", problem.content), ("style", problem.style)) if v is not None}
        first = next(iter(pictures.values()))
        pixels = first.shape[0] * first.shape[1]
        own = transfer.aims(extractor, (term,), problem.params, pictures, pixels=pixels)
    else:
        own = {term.name: aim}
    return problem._replace(
        extractor=extractor,
        terms=terms,
        aims={**problem.aims, **own},
        units={**problem.units, term.name: weight},
        parts={losses.part(term.name): 1.0, **problem.parts},
    )


def over(problem: Task, **numbers: Any) -> Task:
    """Many problems that differ in weights: lanes of one program.

    Args:
      problem: the problem.
      **numbers: content_weight, style_weight, tv_weight, or another part's name; arrays of one length.

    Raises:
      ValueError: a name that is none, or arrays of several lengths.
    """
    changed = {PARTS.get(name, name): jnp.asarray(value) for name, value in numbers.items()}
    for name, value in changed.items():
        if name not in problem.parts:
            raise ValueError(f"over: there is no {name}; the parts: {', '.join(problem.parts)}")
        if value.ndim != 1:
            raise ValueError(f"over: {name} must be an array of one dimension, a number for each lane")
    if len({len(value) for value in changed.values()}) > 1:
        raise ValueError("over: all arrays must have one length, the number of lanes")
    return problem._replace(parts={**problem.parts, **changed})


def run(
    problem: Task,
    start: Any = None,
    solver: Method | None = None,
    *,
    steps: int = 300,
    at_once: int | None = None,
    mesh: Mesh | None = None,
    progress: bool = True,
) -> Result:
    """Minimise: from a start, by an optimiser, so many iterations.

    Args:
      problem: by `problem`, or many by `over`.
      start: an image, or one for each lane (lanes, height, width, 3); None: the content picture.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations.
      at_once: lanes computed side by side at most; None: all.
      mesh: devices to spread the lanes over.
      progress: show a progress bar. False: the whole run is one pure function, to be jitted and differentiated.
    """
    method = lbfgs() if solver is None else solver
    spec, numbers = split(problem, method)
    begin = problem.content if start is None else start
    if begin is None:
        raise ValueError("start=None starts from the content picture, and there is none: give a start")
    facts = {**problem.facts, "optimiser": solver_name(method), "steps": steps}
    begin, many = as_starts(begin), count_lanes(problem, method, begin)
    if many is None:
        image, values, infos = (step_through if progress else transfer_once)(spec, numbers, begin, steps)
    else:
        axes = lane_axes(numbers)
        begins = begin if begin.ndim == 4 else jnp.broadcast_to(begin, (many, *begin.shape))
        if progress and mesh is None and at_once is None:
            image, values, infos = step_through_lanes(spec, numbers, begins, axes, steps)
        else:
            image, values, infos = lanes.run(spec, numbers, begins, steps=steps, axes=axes, lanes=at_once, mesh=mesh)
    curve = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
    return Result(image, values, curve, facts)


def split(problem: Task, solver: Method | None = None) -> tuple[Spec, Problem]:
    """What shapes the program, and what is a number: for the pure functions `values`, `objective`, `begin`, `advance`.

    Args:
      problem: by `problem`.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
    """
    method = lbfgs() if solver is None else solver
    spec = Spec(problem.extractor, problem.terms, method.solver, method.options)
    return spec, Problem(problem.params, dict(problem.aims), problem.weights, dict(method.numbers))


def stylise(
    net: Network,
    content: Any,
    style: Any,
    *,
    size: int = 512,
    style_scale: float = 1.0,
    start: str | Any = "content",
    solver: Method | None = None,
    steps: int = 300,
    seed: int = 0,
    progress: bool = True,
    **settings: Any,
) -> Result:
    """Paint a photograph in the style of a painting.

    Args:
      net: by `load`.
      content, style: files, bundled pictures by name, or images (height, width, 3) in [0, 1], which keep their size.
      size: of a file's longer side, in pixels.
      style_scale: the style picture's size relative to `size`; larger strokes for larger values.
      start: content, style, noise, gray, white, or an image.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations.
      seed: of noise, and of what a convention draws.
      progress: show a progress bar.
      **settings: of `problem`: convention, style_weight, ...
    """
    photo, painting = read(content, size), read(style, max(1, round(size * style_scale)))
    posed = problem(net, photo, painting, seed=seed, **settings)
    shape = {"height": photo.shape[0], "width": photo.shape[1]}
    named = {
        "content": lambda: photo,
        "style": lambda: cover(painting, **shape),
        "noise": lambda: starts.noise(jax.random.key(seed), sigma=0.1, **shape),
        "gray": lambda: starts.plain(level=0.5, **shape),
        "white": lambda: starts.plain(level=1.0, **shape),
    }
    if isinstance(start, str) and start not in named:
        raise ValueError(f"start={start!r}: {', '.join(named)}, or an image")
    first = named[start]() if isinstance(start, str) else start
    return run(posed, first, solver, steps=steps, progress=progress)


def sweep(*words: str) -> list[dict[str, Any]]:
    """Run the jobs of a line of `nst -m`, and return a row of the table for each.

    A row has the swept keys, the status, the last terms, the metrics, and the `folder` of the job. The line is the one
    of the command: nst.sweep("content=a.jpg", "style=b.jpg", "style_weight=1e2,1e4"). The same line again runs only
    what is missing.

    Raises UserError for a mistake in the line.
    """
    from nst_jax.shell.cli.sweep import sweep

    return sweep(words)


def lbfgs(*, memory: int = 50, evaluations: int = 20) -> Method:
    """L-BFGS with a zoom line search of at most `evaluations` a step. The defaults are those of the command."""
    return Method(solvers.lbfgs, (("memory", memory), ("evaluations", evaluations)), {})


def lbfgs_torch(*, learning_rate: Any = 1.0, memory: int = 100, unit: Any = 255.0) -> Method:
    """L-BFGS without a line search, with torch.optim.LBFGS's defaults, on a picture in 0..unit."""
    return method_of(solvers.lbfgs_torch, {"memory": memory}, {"learning_rate": learning_rate, "unit": unit})


def adam(learning_rate: Any = 0.02, *, b1: Any = 0.9, b2: Any = 0.99, eps: Any = 1e-8, clamp: bool = True) -> Method:
    """Adam; b2 and the rate are those of crowsonkb/style-transfer-pytorch. clamp: clip the image to [0, 1]."""
    numbers = {"learning_rate": learning_rate, "b1": b1, "b2": b2, "eps": eps}
    return method_of(solvers.adam, {"clamp": clamp}, numbers)


def sgd(learning_rate: Any, *, momentum: Any = 0.0, clamp: bool = True) -> Method:
    """Gradient descent with heavy-ball momentum."""
    return method_of(solvers.sgd, {"clamp": clamp}, {"learning_rate": learning_rate, "momentum": momentum})


def adagrad(learning_rate: Any = 0.1, *, eps: Any = 1e-10, clamp: bool = True) -> Method:
    """AdaGrad; eps is torch's."""
    return method_of(solvers.adagrad, {"clamp": clamp}, {"learning_rate": learning_rate, "eps": eps})


def rmsprop(learning_rate: Any = 0.01, *, decay: Any = 0.99, eps: Any = 1e-8, clamp: bool = True) -> Method:
    """RMSprop; the defaults are torch's."""
    numbers = {"learning_rate": learning_rate, "decay": decay, "eps": eps}
    return method_of(solvers.rmsprop, {"clamp": clamp}, numbers)


def method_of(solver: Any, options: Mapping[str, Any], numbers: Mapping[str, Any]) -> Method:
    """A method: options in the order of the solver's own."""
    return Method(solver, tuple(options.items()), {k: jnp.asarray(v, jnp.float32) for k, v in numbers.items()})


def solver_name(method: Method) -> str:
    """The optimiser and its settings, in words."""
    given = {**dict(method.options), **{k: np.asarray(v).tolist() for k, v in method.numbers.items()}}
    return f"{method.solver.__name__}({', '.join(f'{k}={v}' for k, v in given.items())})"


def losses_of(name: str) -> Losses:
    """A convention's record: its terms and its published weights. Raises ValueError for a name that is none."""
    if name not in LOSSES:
        from nst_jax.shell.names import suggest

        raise ValueError(f"there is no convention {name}.{suggest(name, LOSSES)} The names: {', '.join(LOSSES)}")
    return LOSSES[name]


def as_image(name: str, image: Any) -> Image:
    """An image as float32. Raises ValueError for another shape or range."""
    array = jnp.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"{name}: an image is (height, width, 3), not {array.shape}; a file is read by nst.picture")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{name}: an image is RGB in [0, 1] as floats, not {array.dtype}; divide by 255")
    return array.astype(jnp.float32)


def as_pictures(given: Mapping[str, Any], weights: Mapping[str, Any]) -> dict[str, Image]:
    """The pictures that are there, by name. Raises ValueError where one is missing that counts."""
    for name, image in given.items():
        if image is None and np.any(weights[f"{name}_weight"]):
            raise ValueError(f"{name}=None needs {name}_weight=0")
    if all(image is None for image in given.values()):
        raise ValueError("content=None and style=None: there is nothing to aim at")
    return {name: as_image(name, image) for name, image in given.items() if image is not None}


def as_starts(image: Any) -> Array:
    """One start, or one for each lane."""
    array = jnp.asarray(image, jnp.float32)
    if array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise ValueError(f"start: (height, width, 3), or (lanes, height, width, 3); not {array.shape}")
    return array


def with_factors(layers: Mapping[str, float] | Sequence[str] | None, own: Mapping[str, float]) -> Mapping[str, float]:
    """Layers with their factors: 1 where none is said, the network's own where no layer is said."""
    if layers is None:
        return own
    return layers if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)


def read(image: Any, size: int) -> Image:
    """A picture by name or path at `size`; an array stays as it is."""
    return picture(image, size=size) if isinstance(image, str | Path) else image


def count_lanes(problem: Task, method: Method, start: Array) -> int | None:
    """How many lanes there are; None for a single run. Raises ValueError where the lengths differ."""
    lengths = {len(start)} if start.ndim == 4 else set()
    for value in (*problem.parts.values(), *method.numbers.values()):
        lengths |= {len(value)} if jnp.ndim(value) == 1 else set()
    if len(lengths) > 1:
        raise ValueError(f"the lanes of weights, numbers and starts differ: {', '.join(map(str, sorted(lengths)))}")
    return lengths.pop() if lengths else None


def lane_axes(numbers: Problem) -> lanes.Axes:
    """Which leaves have a number for each lane: weights and the solver's numbers of one dimension."""
    by_rank = lambda tree: jax.tree.map(lambda x: int(jnp.ndim(x) == 1), tree)
    flags = jax.tree.map(lambda _: 0, numbers)
    flags = flags._replace(weights=by_rank(numbers.weights), hyper=by_rank(numbers.hyper))
    return tuple(0 if flag else None for flag in jax.tree.leaves(flags))


def transfer_once(spec: Spec, numbers: Problem, start: Image, steps: int) -> transfer.Result:
    """The whole run as one pure function."""
    return transfer.stylise(spec, numbers, start, steps=steps)


def step_through(spec: Spec, numbers: Problem, start: Image, steps: int) -> transfer.Result:
    """The run in chunks of about a second, with a progress bar."""
    axes: lanes.Axes = (None,) * len(jax.tree.leaves(numbers))
    image, values, infos = step_through_lanes(spec, numbers, start[None], axes, steps)
    return transfer.Result(image[0], {k: v[0] for k, v in values.items()}, jax.tree.map(lambda a: a[0], infos))


def step_through_lanes(spec: Spec, numbers: Problem, begins: Array, axes: lanes.Axes, steps: int) -> transfer.Result:
    """The lanes' runs in chunks of about a second, with a progress bar."""
    import time

    from tqdm.auto import tqdm

    states, chunks, turns = lanes.begin(spec, numbers, begins, axes=axes), [], 1
    advance = partial(lanes.advance, spec, numbers, axes=axes, room=CHUNK)
    with tqdm(total=steps * len(begins), unit="step", disable=steps == 0) as bar:
        while (left := np.where(np.asarray(states.finite), steps - np.asarray(states.steps), 0)).any():
            before, began = np.asarray(states.evaluations), time.perf_counter()
            done = np.asarray(states.steps)
            wanted = jnp.asarray(np.minimum(left, CHUNK), jnp.int32)
            states, infos = jax.block_until_ready(advance(states=states, steps=wanted, turns=jnp.int32(turns)))
            seconds = max(time.perf_counter() - began, 1e-6)
            turns = max(1, min(CHUNK, round((np.asarray(states.evaluations) - before).max() / seconds)))
            taken = np.asarray(states.steps) - done
            chunks.append((done, taken, jax.tree.map(np.asarray, infos)))
            bar.update(int(taken.sum()))
    shape = (len(begins), steps)
    blank = (np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32), np.zeros(shape, np.int32))
    curve = solvers.Info(*blank)  # pyright: ignore[reportArgumentType]
    for done, taken, infos in chunks:
        for lane, (first, many) in enumerate(zip(done, taken, strict=True)):
            for whole, part in zip(curve, infos, strict=True):
                whole[lane, first : first + many] = part[lane, :many]
    last = lanes.images(states)
    return transfer.Result(last, lanes.values(spec, numbers, last, axes=axes), jax.tree.map(jnp.asarray, curve))

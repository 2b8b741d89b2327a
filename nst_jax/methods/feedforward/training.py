"""A step of the training of a feed-forward network, and the state that it changes.

    total = mean over the pictures of a batch of  sum over terms of  weights[term] * value(term, picture, its aims)

The terms are the same as for an optimisation: any convention, any network. A content term aims at the picture's own
activations. A style term aims at a painting. Its aims are computed once; with a conditional network each picture of a
batch has a painting of its own. AdaIN's content terms aim at what its decoder was given, and its style terms at a style
picture that comes with the batch.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from flax import traverse_util
from jax import Array
from jaxtyping import Float, Int, UInt8

from nst_jax.extractors.base import Extractor, activations
from nst_jax.losses import term
from nst_jax.losses.term import IMAGE, Aim, Terms, View
from nst_jax.methods import transfer
from nst_jax.nn.lifted import dense
from nst_jax.types import Image, Scalar

Images = Float[Array, "n h w 3"]
Bytes = UInt8[Array, "n h w 3"]
Codes = Float[Array, "n _ _ _"] | None  # what a decoder takes
Labels = Int[Array, " n"]

SCHEDULES = ("constant", "inverse", "steps")
PARTS = ("all", "norms")  # what of a network learns
NORMS = ("scale", "offset")  # the parameters of its normalisations
FLOOR = 10  # a mean of parameters has the decay (1 + t) / (FLOOR + t) until it is `decay`


class Schedule(NamedTuple):
    """The learning rate by steps, t = 0, 1, ...

    constant: rate. inverse: rate / (1 + decay t), torch7's learningRateDecay. steps: rate * decay^(t // every).
    """

    kind: str
    rate: float
    decay: float
    every: int
    warmup: int  # steps of a linear rise before: (t + 1) / warmup of it

    def __call__(self, count: Array | int) -> Array:
        """The learning rate of step t."""
        t = jnp.asarray(count, jnp.float32)
        falls = {
            "constant": lambda: jnp.ones(()),
            "inverse": lambda: 1 / (1 + self.decay * t),
            "steps": lambda: jnp.float32(self.decay) ** (t // self.every),
        }
        return self.rate * falls[self.kind]() * jnp.minimum(1.0, (t + 1) / max(self.warmup, 1))


class Code(NamedTuple):
    """A decoder's input: the encoder's activation at a layer, of the content or with the style in it."""

    tap: str
    mix: Any = None  # (content, style) -> the activation with the style in it: `painters.Adain`; None: the content's


@runtime_checkable
class Painter(Protocol):
    """The network that learns. It is hashable."""

    @property
    def code(self) -> Code | None:
        """The decoder's input from the encoder; None: it takes the picture itself."""
        ...

    def init(self, key: Array, images: Images, codes: Codes, labels: Labels) -> Any:
        """The variables before the first step: {"params": ...} and what changes without a gradient."""
        ...

    def paint(
        self, variables: Any, images: Images, codes: Codes, labels: Labels, *, training: bool
    ) -> tuple[Images, Any]:
        """The painted pictures, and the variables that change without a gradient."""
        ...


class Settings(NamedTuple):
    """The static settings of a step."""

    painter: Painter
    network: Extractor  # sees; tapped at the layers of the terms
    terms: Terms
    schedule: Schedule
    clip: float  # of the gradient's norm; 0: none
    ema: float  # decay of the mean of the variables
    learns: str  # all; norms: its normalisations alone, for another style of a network that has learnt one


class Goal(NamedTuple):
    """The numbers that do not change while it learns."""

    params: Any  # of the network that sees
    aims: Mapping[str, Aim]  # of the style terms, by name, an entry for each style; {}: they are `Batch.styles`
    weights: Mapping[str, Scalar]  # by the term's name
    key: Array  # of what aims draw


class Batch(NamedTuple):
    """The input of a step."""

    images: Bytes
    labels: Labels  # of each picture, the number of its style
    styles: Bytes | None = None  # a style picture for each, where any style may come


class State(NamedTuple):
    """All that a step changes."""

    variables: Any
    opt_state: Any
    ema: Any  # the mean of the variables: what is kept at the end
    step: Int[Array, ""]


class Metrics(NamedTuple):
    """The report of a step."""

    values: Mapping[str, Scalar]  # the unweighted mean value of each term, by name
    total: Scalar
    slope: Scalar  # norm of the gradient
    rate: Scalar  # learning rate
    clipped: Scalar  # share of the painted numbers outside of [0, 1]
    finite: Array  # whether the step counts


def optimiser(settings: Settings) -> optax.GradientTransformation:
    """Adam behind a limit of the gradient's norm."""
    clip = optax.clip_by_global_norm(settings.clip) if settings.clip else optax.identity()
    rate: Any = settings.schedule
    return optax.chain(clip, optax.adam(rate, b1=0.9, b2=0.999, eps=1e-8))


def as_floats(pictures: Bytes) -> Images:
    """RGB in [0, 1]."""
    return pictures.astype(jnp.float32) / 255


@partial(jax.jit, static_argnames="settings")
def begin(key: Array, settings: Settings, batch: Batch, goal: Goal) -> State:
    """The state before the first step. batch: any; its shapes count."""
    images = as_floats(batch.images)
    codes, _ = look(settings, batch, goal)
    variables = settings.painter.init(key, images, codes, batch.labels)
    opt_state = optimiser(settings).init(variables["params"])
    return State(variables, opt_state, jax.tree.map(jnp.copy, variables), jnp.int32(0))


def style_aims(settings: Settings, goal: Goal, style: Image, *, side: int) -> dict[str, Aim]:
    """The aims of the style terms at one painting, for pictures of side x side pixels."""
    own = tuple(t for t in settings.terms if t.of == "style")
    sizes = {"pixels": side * side, "shape": (side, side)}
    return transfer.aims(settings.network, own, goal.params, {"style": style}, key=goal.key, **sizes)


def look(settings: Settings, batch: Batch, goal: Goal) -> tuple[Codes, dict[str, Aim]]:
    """The decoder's input and the aims of the terms, each with an entry for each picture. It has no gradient."""
    one = partial(look_at_one, settings, goal)
    styles = None if batch.styles is None else as_floats(batch.styles)
    found = jax.vmap(one, in_axes=(0, 0, None if styles is None else 0))(as_floats(batch.images), batch.labels, styles)
    return jax.lax.stop_gradient(found)


def look_at_one(
    settings: Settings, goal: Goal, image: Image, label: Array, style: Image | None
) -> tuple[Array | None, dict[str, Aim]]:
    """The decoder's input and the aims, of one picture."""
    code, own = settings.painter.code, () if settings.painter.code is None else (settings.painter.code.tap,)
    seen: dict[str, Any] = {"content": see(settings, goal.params, image, of="content", more=own)}
    if style is not None:
        seen["style"] = see(settings, goal.params, style, of="style", more=own)
    given = None
    if code is not None:
        given = dense(seen["content"][code.tap])
        given = code.mix(given, dense(seen["style"][code.tap])) if code.mix else given
        seen["content"][code.tap] = given
    height, width, _ = image.shape
    aims = {}
    keys = dict(zip([t.name for t in settings.terms], jax.random.split(goal.key, len(settings.terms)), strict=True))
    for t in settings.terms:
        if t.name in goal.aims:
            aims[t.name] = jax.tree.map(lambda leaf: leaf[label], goal.aims[t.name])
        elif t.of:
            aims[t.name] = t.aim(View(t.see(seen[t.of][t.tap]), height * width, keys[t.name], (height, width)))
    return given, aims


def see(settings: Settings, params: Any, image: Image, *, of: str, more: tuple[str, ...]) -> dict[str, Any]:
    """The activations of a picture at the layers of the terms that aim at it, and at `more`; the picture itself."""
    taps = tuple(dict.fromkeys((*term.taps(settings.terms, of=of), *more)))
    found = activations(settings.network.clone(taps=taps), params, image) if taps else {}
    return {**found, IMAGE: image}


def measure(settings: Settings, goal: Goal, images: Images, aims: Mapping[str, Aim]) -> dict[str, Float[Array, " n"]]:
    """The unweighted value of each term, by name, of each painted picture."""

    def one(image: Image, aims: Mapping[str, Aim]) -> dict[str, Scalar]:
        network = settings.network.clone(taps=term.taps(settings.terms))
        found = activations(network, goal.params, image) if network.taps else {}
        return term.values(settings.terms, aims, found, image)

    return jax.vmap(one)(images, aims)


def choose(settings: Settings, new: Any, old: Any) -> Any:
    """The new values of the parameters that learn, and the old ones of the others, to the bit."""
    if settings.learns == "all":
        return new
    return jax.tree_util.tree_map_with_path(lambda path, a, b: a if path[-1].key in NORMS else b, new, old)


def restart(state: State, variables: Any) -> State:
    """The state before the first step with the variables of a trained network.

    A table of a conditional network's normalisations keeps its first values where the number of styles differs.

    Raises:
      ValueError: it is another network.
    """
    flat: dict[str, Any]
    known: dict[str, Any]
    flat, known = (traverse_util.flatten_dict(dict(tree), sep="/") for tree in (state.variables, variables))
    if flat.keys() != known.keys():
        raise ValueError(f"it has {', '.join(sorted(flat.keys() ^ known.keys())[:3])}, which only one of the two has")
    taken = {}
    for name, values in flat.items():
        table = name.split("/")[-1] in NORMS and values.ndim == 2
        if values.shape != known[name].shape and not (table and values.shape[1:] == known[name].shape[1:]):
            raise ValueError(f"its {name} is {known[name].shape}, and not {values.shape}")
        taken[name] = jnp.asarray(known[name]) if values.shape == known[name].shape else values
    own = traverse_util.unflatten_dict(taken, sep="/")
    return state._replace(variables=own, ema=jax.tree.map(jnp.copy, own))


def loss(
    params: Any, settings: Settings, variables: Any, batch: Batch, goal: Goal, codes: Codes, aims: Mapping[str, Aim]
) -> tuple[Scalar, tuple[dict[str, Scalar], Any, Scalar]]:
    """The loss, the mean value of each term, the other variables, and the share of numbers outside of [0, 1]."""
    given = {**variables, "params": params}
    painted, others = settings.painter.paint(given, as_floats(batch.images), codes, batch.labels, training=True)
    values = {name: jnp.mean(v) for name, v in measure(settings, goal, painted, aims).items()}
    return term.total(goal.weights, values), (values, others, jnp.mean((painted < 0) | (painted > 1)))


@partial(jax.jit, static_argnames="settings", donate_argnames="state")
def step(settings: Settings, state: State, batch: Batch, goal: Goal) -> tuple[State, Metrics]:
    """One step. Where the loss or its gradient is not finite, only the step's number changes.

    Args:
      settings: static.
      state: what the last step returned. Its memory is donated.
      batch: pictures. On several devices each has a part of it, and all of the rest: `parallel.layout`.
      goal: what the terms compare with.
    """
    codes, aims = look(settings, batch, goal)
    params = state.variables["params"]
    slopes = jax.value_and_grad(loss, has_aux=True)
    (total, (values, others, clipped)), slope = slopes(params, settings, state.variables, batch, goal, codes, aims)
    slope = choose(settings, slope, jax.tree.map(jnp.zeros_like, slope))
    norm = optax.tree.norm(slope)
    finite = jnp.isfinite(total) & jnp.isfinite(norm)
    updates, opt_state = optimiser(settings).update(slope, state.opt_state, params)
    variables = {**others, "params": optax.apply_updates(params, updates)}
    t = state.step.astype(jnp.float32)
    decay = jnp.minimum(settings.ema, (1 + t) / (FLOOR + t))
    ema: Any = optax.incremental_update(variables, state.ema, 1 - decay)
    ema = {**ema, "params": choose(settings, ema["params"], state.ema["params"])}
    number = state.step + 1
    after = State(variables, opt_state, ema, number)
    kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state._replace(step=number))
    return kept, Metrics(values, total, norm, settings.schedule(state.step), clipped, finite)


@partial(jax.jit, static_argnames="settings")
def paint(settings: Settings, variables: Any, batch: Batch, goal: Goal) -> tuple[Images, dict[str, Float[Array, " n"]]]:
    """The painted pictures of a batch, within [0, 1], and the value of each term of each of them.

    variables: those that are kept, `State.ema`.
    """
    codes, aims = look(settings, batch, goal)
    painted, _ = settings.painter.paint(variables, as_floats(batch.images), codes, batch.labels, training=False)
    painted = jnp.clip(painted, 0, 1)
    return painted, measure(settings, goal, painted, aims)


def wrong_terms(metrics: Metrics) -> tuple[str, ...]:
    """The terms whose value is not finite; the gradient, where it alone is not. metrics: fetched."""
    names = tuple(name for name, value in metrics.values.items() if not jnp.isfinite(value))
    return names or (() if metrics.finite else ("the gradient",))

"""A step length that satisfies the strong Wolfe conditions, by interval search and zoom.

Nocedal & Wright 2006, algorithms 3.5 and 3.6, decision by decision as optax's scale_by_zoom_linesearch, which the
tests compare it with; also its approximate decrease of Hager & Zhang 2006 for values near rounding. Written anew
because optax evaluates the objective at two places, under a lax.cond: the program holds the network three times with
the first evaluation, and under vmap every lane takes both branches, with copies of the network's weights. Here the
search is a value: `proposed` says where to look, the caller evaluates, `judged` takes note.
"""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from nst_jax.types import Mask, Scalar

T = TypeVar("T")
Variable = Float[Array, "..."]

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2: Nocedal & Wright, section 3.1, for quasi-Newton methods
ROUNDING = 1e-6  # a value higher by this part counts as no higher: Hager & Zhang 2006, eq. 4.1
NARROW = 1e-5  # an interval of steps that is not worth searching
GROWTH = 2.0  # of a step that is too short


class Point(NamedTuple):
    """A step along the line, the objective there, and its derivative along the line."""

    at: Scalar
    value: Scalar
    slope: Scalar


class Search(NamedTuple):
    """All that the next turn needs."""

    turns: Int[Array, ""]
    start: Point  # step 0
    last: Point
    gradient: Variable  # at `last`
    low: Point  # of the two ends of the interval the one with the lower value
    high: Point
    third: Point  # for the cubic
    safe: Point  # the best step with sufficient decrease, 0 if none was met
    safe_gradient: Variable
    outside: Bool[Array, ""]  # the last value was not finite
    bracketed: Bool[Array, ""]
    done: Bool[Array, ""]
    failed: Bool[Array, ""]


def begun(value: Scalar, gradient: Variable, way: Variable) -> Search:
    """A search along `way` from a point where the objective and its gradient are known."""
    start, no = Point(jnp.float32(0), value, along(gradient, way)), jnp.bool_(False)
    return Search(jnp.int32(0), start, start, gradient, start, start, start, start, gradient, no, no, no, no)


def proposed(search: Search) -> Scalar:
    """The step at which the next evaluation is wanted; the first one is 1."""
    growing = jnp.where(search.turns == 0, 1.0, GROWTH * search.last.at)
    return jnp.where(search.bracketed, between(search), growing)


def over(search: Search) -> Bool[Array, ""]:
    """Whether no more evaluation is wanted."""
    return search.done | search.failed


def found(search: Search) -> tuple[Scalar, Scalar, Variable]:
    """The step, the value and the gradient where a search that is over has ended.

    If no step satisfied both conditions, the best one with sufficient decrease; without such a one the last tried,
    or 0 if that left the objective's domain.
    """
    retreat = search.failed & ((search.safe.at > 0) | search.outside)
    last = (search.last.at, search.last.value, search.gradient)
    return chosen(retreat, (search.safe.at, search.safe.value, search.safe_gradient), last)


def along(gradient: Variable, way: Variable) -> Scalar:
    """The derivative along the line."""
    return jnp.vdot(gradient, way, precision=lax.Precision.HIGHEST)


def chosen(condition: Mask, yes: T, no: T) -> T:
    """One of two trees."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def judged(old: Search, at: Scalar, value: Scalar, gradient: Variable, way: Variable, *, evaluations: int) -> Search:
    """What the objective and its gradient at the step `at` along `way` decide; the search fails after `evaluations`."""
    start, new = old.start, Point(at, value, along(gradient, way))
    decrease, curvature = lacking_decrease(new, start), lacking_curvature(new, start)
    done = (decrease <= 0) & (curvature <= 0)
    first = old.turns == 0
    grown = bracket(old, new, too_high=(decrease > 0) | ((new.value >= old.last.value) & ~first))
    shrunk = zoomed(old, new, too_high=(decrease > 0) | (new.value >= old.low.value))
    low, high, third = chosen(old.bracketed, shrunk, grown[:3])
    better = (decrease <= 0) & ((new.value < old.safe.value) | ~old.bracketed)
    safe, safe_gradient = chosen(better, (new, gradient), (old.safe, old.safe_gradient))
    narrow = old.bracketed & (jnp.abs(old.high.at - old.low.at) <= NARROW) & (safe.at > 0)
    failed = ((old.turns + 1 >= evaluations) | narrow) & ~done
    flags = jnp.isinf(decrease), old.bracketed | grown[3] | done, done, failed
    return Search(old.turns + 1, start, new, gradient, low, high, third, safe, safe_gradient, *flags)


def lacking_decrease(new: Point, start: Point) -> Scalar:
    """How far the point is from sufficient decrease, 0 if it has it: eq. 3.6a, or Hager & Zhang, eq. 4.1."""
    armijo = new.value - start.value - DECREASE * new.at * start.slope
    flat = new.slope - (2 * DECREASE - 1.0) * start.slope
    level = new.value - start.value - ROUNDING * jnp.abs(start.value)
    lacking = jnp.maximum(jnp.minimum(jnp.maximum(flat, level), armijo), 0.0)
    return jnp.where(jnp.isnan(lacking), jnp.inf, lacking)


def lacking_curvature(new: Point, start: Point) -> Scalar:
    """How far the point is from the strong curvature condition: eq. 3.7b."""
    lacking = jnp.maximum(jnp.abs(new.slope) - CURVATURE * jnp.abs(start.slope), 0.0)
    return jnp.where(jnp.isnan(lacking), jnp.inf, lacking)


def bracket(old: Search, new: Point, *, too_high: Array) -> tuple[Point, Point, Point, Array]:
    """Algorithm 3.5: the last two points, once an acceptable step lies between them, and whether it does."""
    rising = (new.slope >= 0) & ~too_high
    low, high = chosen(rising, (new, old.last), (old.last, new))
    return low, high, low, too_high | rising


def zoomed(old: Search, new: Point, *, too_high: Array) -> tuple[Point, Point, Point]:
    """Algorithm 3.6: the interval with the new point for one of its ends, and the end that it replaced."""
    turned = (new.slope * (old.high.at - old.low.at) >= 0) & ~too_high
    high = chosen(too_high, new, chosen(turned, old.low, old.high))
    return chosen(too_high, old.low, new), high, chosen(too_high | turned, old.high, old.low)


def between(old: Search) -> Scalar:
    """A step within the interval: a cubic's minimum, a parabola's, or the middle, whichever first lies well inside."""
    low, high, third = old.low, old.high, old.third
    left, right = jnp.minimum(low.at, high.at), jnp.maximum(low.at, high.at)
    inside = lambda at, margin: (at > left + margin * (right - left)) & (at < right - margin * (right - left))
    cubic, parabola = cubic_minimum(low, high, third), parabola_minimum(low, high)
    middle = jnp.where(inside(parabola, 0.1), parabola, (low.at + high.at) / 2)
    return jnp.where(inside(cubic, 0.2), cubic, middle)


def cubic_minimum(a: Point, b: Point, c: Point) -> Scalar:
    """Of the cubic through three points with the derivative of the first; NaN if it has none."""
    db, dc = b.at - a.at, c.at - a.at
    rb, rc = b.value - a.value - a.slope * db, c.value - a.value - a.slope * dc
    scale = (db * dc) ** 2 * (db - dc)
    third, second = (dc**2 * rb - db**2 * rc) / scale, (db**3 * rc - dc**3 * rb) / scale
    return a.at + (-second + jnp.sqrt(second**2 - 3 * third * a.slope)) / (3 * third)


def parabola_minimum(a: Point, b: Point) -> Scalar:
    """Of the parabola through two points with the derivative of the first."""
    width = b.at - a.at
    return a.at - a.slope / (2 * (b.value - a.value - a.slope * width) / width**2)

"""A step length that satisfies the strong Wolfe conditions, by interval search and zoom.

Nocedal & Wright 2006, algorithms 3.5 and 3.6, with the approximate decrease of Hager & Zhang 2006 for values near
rounding. Each decision equals that of optax's scale_by_zoom_linesearch; the tests compare them.

It is written again because optax evaluates the objective at two places, under a lax.cond: the program then contains the
network three times, and under vmap each lane takes both branches, with copies of the network's weights. Here the search
is a value: `propose` returns the next step to try, the caller evaluates, `judge` updates the search.
"""

from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from nst_jax.types import Active, Scalar

T = TypeVar("T")
Variable = Float[Array, "..."]

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2: Nocedal & Wright, section 3.1, for quasi-Newton methods
ROUNDING = 1e-6  # a value higher by this part counts as no higher: Hager & Zhang 2006, eq. 4.1
NARROW = 1e-5  # an interval of steps that is not worth searching
GROWTH = 2.0  # of a step that is too short


class Point(NamedTuple):
    """A step along the line, the objective there, its derivative along the line, and what the objective is made of."""

    at: Scalar
    value: Scalar
    slope: Scalar
    parts: Any = ()


class Search(NamedTuple):
    """The state of a search."""

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


def begin(value: Scalar, gradient: Variable, direction: Variable, parts: Any = ()) -> Search:
    """Begin a search along `direction` from a point where the objective, its gradient and its parts are known."""
    start, no = Point(jnp.zeros_like(value), value, slope_along(gradient, direction), parts), jnp.bool_(False)
    return Search(jnp.int32(0), start, start, gradient, start, start, start, start, gradient, no, no, no, no)


def propose(search: Search) -> Scalar:
    """The step at which to evaluate next; the first one is 1."""
    growing = jnp.where(search.turns == 0, 1.0, GROWTH * search.last.at)
    return jnp.where(search.bracketed, interpolate(search), growing)


def is_over(search: Search) -> Bool[Array, ""]:
    """Whether the search has ended."""
    return search.done | search.failed


def outcome(search: Search) -> tuple[Point, Variable]:
    """The point where the search has ended, and the gradient there.

    If no step satisfied both conditions, this is the best step with sufficient decrease. If there was none, it is the
    last step tried; or 0, if the objective was not finite there.
    """
    retreat = search.failed & ((search.safe.at > 0) | search.outside)
    return select(retreat, (search.safe, search.safe_gradient), (search.last, search.gradient))


def slope_along(gradient: Variable, direction: Variable) -> Scalar:
    """The derivative along the line."""
    return jnp.vdot(gradient, direction, precision=lax.Precision.HIGHEST)


def select(condition: Active, yes: T, no: T) -> T:
    """One of two trees, by a flag."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def judge(
    old: Search,
    at: Scalar,
    value: Scalar,
    gradient: Variable,
    direction: Variable,
    *,
    evaluations: int,
    parts: Any = (),
) -> Search:
    """The search after an evaluation at the step `at` along `direction`. It fails after so many `evaluations`."""
    start, new = old.start, Point(at, value, slope_along(gradient, direction), parts)
    decrease, curvature = decrease_error(new, start), curvature_error(new, start)
    done = (decrease <= 0) & (curvature <= 0)
    first = old.turns == 0
    grown = bracket(old, new, too_high=(decrease > 0) | ((new.value >= old.last.value) & ~first))
    shrunk = zoom_in(old, new, too_high=(decrease > 0) | (new.value >= old.low.value))
    low, high, third = select(old.bracketed, shrunk, grown[:3])
    better = (decrease <= 0) & ((new.value < old.safe.value) | ~old.bracketed)
    safe, safe_gradient = select(better, (new, gradient), (old.safe, old.safe_gradient))
    narrow = old.bracketed & (jnp.abs(old.high.at - old.low.at) <= NARROW) & (safe.at > 0)
    failed = ((old.turns + 1 >= evaluations) | narrow) & ~done
    flags = jnp.isinf(decrease), old.bracketed | grown[3] | done, done, failed
    return Search(old.turns + 1, start, new, gradient, low, high, third, safe, safe_gradient, *flags)


def decrease_error(new: Point, start: Point) -> Scalar:
    """How far the point is from sufficient decrease, 0 if it has it: eq. 3.6a, or Hager & Zhang, eq. 4.1."""
    armijo = new.value - start.value - DECREASE * new.at * start.slope
    flat = new.slope - (2 * DECREASE - 1.0) * start.slope
    level = new.value - start.value - ROUNDING * jnp.abs(start.value)
    lacking = jnp.maximum(jnp.minimum(jnp.maximum(flat, level), armijo), 0.0)
    return jnp.where(jnp.isnan(lacking), jnp.inf, lacking)


def curvature_error(new: Point, start: Point) -> Scalar:
    """How far the point is from the strong curvature condition: eq. 3.7b."""
    lacking = jnp.maximum(jnp.abs(new.slope) - CURVATURE * jnp.abs(start.slope), 0.0)
    return jnp.where(jnp.isnan(lacking), jnp.inf, lacking)


def bracket(old: Search, new: Point, *, too_high: Array) -> tuple[Point, Point, Point, Array]:
    """Algorithm 3.5: the last two points, once an acceptable step lies between them, and whether it does."""
    rising = (new.slope >= 0) & ~too_high
    low, high = select(rising, (new, old.last), (old.last, new))
    return low, high, low, too_high | rising


def zoom_in(old: Search, new: Point, *, too_high: Array) -> tuple[Point, Point, Point]:
    """Algorithm 3.6: the interval with the new point for one of its ends, and the end that it replaced."""
    beyond = (new.slope * (old.high.at - old.low.at) >= 0) & ~too_high  # the minimum lies between the new point and low
    high = select(too_high, new, select(beyond, old.low, old.high))
    return select(too_high, old.low, new), high, select(too_high | beyond, old.high, old.low)


def interpolate(old: Search) -> Scalar:
    """A step within the interval: the first of a cubic's minimum, a parabola's and the middle that lies well inside."""
    low, high, third = old.low, old.high, old.third
    left, right = jnp.minimum(low.at, high.at), jnp.maximum(low.at, high.at)
    inside = lambda at, margin: (at > left + margin * (right - left)) & (at < right - margin * (right - left))
    cubic, parabola = cubic_minimum(low, high, third), parabola_minimum(low, high)
    middle = jnp.where(inside(parabola, 0.1), parabola, (low.at + high.at) / 2)
    return jnp.where(inside(cubic, 0.2), cubic, middle)


def cubic_minimum(a: Point, b: Point, c: Point) -> Scalar:
    """The minimum of the cubic through three points with the derivative of the first; NaN if it has none."""
    db, dc = b.at - a.at, c.at - a.at
    rb, rc = b.value - a.value - a.slope * db, c.value - a.value - a.slope * dc
    scale = (db * dc) ** 2 * (db - dc)
    third, second = (dc**2 * rb - db**2 * rc) / scale, (db**3 * rc - dc**3 * rb) / scale
    return a.at + (-second + jnp.sqrt(second**2 - 3 * third * a.slope)) / (3 * third)


def parabola_minimum(a: Point, b: Point) -> Scalar:
    """The minimum of the parabola through two points with the derivative of the first."""
    width = b.at - a.at
    return a.at - a.slope / (2 * (b.value - a.value - a.slope * width) / width**2)

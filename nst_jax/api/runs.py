"""Minimise a problem: in one run or many as lanes, for a photograph and a painting, or in a sweep."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from nst_jax.api.optimisers import Method, adam, lbfgs, solver_name
from nst_jax.api.problems import PARTS, Task, split
from nst_jax.api.progress import step_through_lanes
from nst_jax.api.results import Result, as_result, first_lane
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem
from nst_jax.parallel import lanes


def run(
    problem: Task,
    start: Any = None,
    solver: Method | None = None,
    *,
    steps: int = 300,
    average: Any = None,
    at_once: int | None = None,
    mesh: Mesh | None = None,
    progress: bool = True,
) -> Result:
    """Minimise: from a start, by an optimiser, so many iterations.

    A run that ends above its start keeps its best image, with a warning; its last one with progress=False, at_once or
    a mesh.

    Args:
      problem: by `problem`, or many by `over`.
      start: an image, or one for each lane (lanes, height, width, 3); None: the content picture.
      solver: by `lbfgs`, `adam`, ...; None: lbfgs().
      steps: iterations.
      average: the decay of a mean of the iterates, which is then the result; None: the last one is.
      at_once: lanes computed side by side at most; None: all.
      mesh: devices: lanes along its axis `lanes`, the rows of an image along `rows` (docs/how_to/big.md).
      progress: show a progress bar. False: the whole run is one pure function, to be jitted and differentiated.
    """
    method = lbfgs() if solver is None else solver
    spec, numbers = split(problem, method, average=average)
    begin = problem.content if start is None else start
    if begin is None:
        raise ValueError("start=None starts from the content picture, and there is none: give a start")
    facts = {**problem.facts, "optimiser": solver_name(method), "steps": steps}
    facts |= {} if average is None else {"average": str(average)}
    begins, many = as_starts(begin), count_lanes(problem, method, begin)
    if begins.ndim == 3:
        begins = jnp.broadcast_to(begins, (many or 1, *begins.shape))
    axes = lane_axes(numbers)
    if progress and mesh is None and at_once is None:
        found, facts["kept"] = step_through_lanes(spec, numbers, begins, axes, steps)
    else:
        found = lanes.run(spec, numbers, begins, steps=steps, axes=axes, lanes=at_once, mesh=mesh)
    if many is None:
        found = first_lane(found)
        facts |= {"kept": facts["kept"][0]} if "kept" in facts else {}
    return as_result(found, facts)


def unrolled(problem: Task, start: Any = None, solver: Method | None = None, *, turns: int, **weights: Any) -> Array:
    """The image of a short run as a function of its numbers, for jax.grad: nothing stops it, and nothing is kept.

        slope = jax.grad(lambda w: nst.ssim(nst.unrolled(problem, turns=30, style_weight=w), content))(1e3)

    Args:
      problem: by `problem`; its weights may be traced, too.
      start: an image (height, width, 3); None: the content picture.
      solver: by `sgd`, `adam`, ...; None: adam(). A clamp has the derivative 0 where it acts.
      turns: evaluations of the objective: iterations, for an optimiser without a line search.
      **weights: content_weight, style_weight, tv_weight, instead of the problem's.

    Raises:
      ValueError: a weight of a part that the problem does not have, or no start.
    """
    for name in weights:
        if PARTS.get(name) not in problem.parts:
            raise ValueError(f"there is no {name} here; the parts: {', '.join(problem.parts)}")
    parts = {**problem.parts, **{PARTS[name]: value for name, value in weights.items()}}
    spec, numbers = split(problem._replace(parts=parts), adam() if solver is None else solver)
    begin = problem.content if start is None else start
    if begin is None:
        raise ValueError("start=None starts from the content picture, and there is none: give a start")
    return transfer.unroll(spec, numbers, jnp.asarray(begin), turns=turns)


def sweep(*words: str) -> list[dict[str, Any]]:
    """Run the jobs of a line of `nst -m`, and return a row of the table for each.

    A row has the swept keys, the status, the last terms, the metrics, and the `folder` of the job. The line is the one
    of the command: nst.sweep("content=a.jpg", "style=b.jpg", "style_weight=1e2,1e4"). The same line again runs only
    what is missing. A line may begin with the settings of a former run: nst.sweep("from=out.png", "style_weight=1,10").

    Raises UserError for a mistake in the line.
    """
    from nst_jax.shell.cli.sweep import sweep

    return sweep(words)


def as_starts(image: Any) -> Array:
    """One start, or one for each lane."""
    array = jnp.asarray(image, jnp.float32)
    if array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise ValueError(f"start: (height, width, 3), or (lanes, height, width, 3); not {array.shape}")
    return array


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

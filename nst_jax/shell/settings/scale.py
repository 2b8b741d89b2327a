"""The settings of scales: `scale=multi scale.from=256`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from nst_jax.shell.names import suggest
from nst_jax.shell.settings.schema import Config

KEYS = ("name", "from", "factor", "then", "kernel", "moments", "style")
STYLES = ("follow", "shrink")
SMALLEST, MOST = 16, 2**31 - 1  # pixels; steps
LONGEST = 64  # sizes


class Stage(NamedTuple):
    """One of the sizes of a run."""

    number: int  # from 0; the last one is the size of the result
    many: int  # sizes of the run
    scale: float  # of its sides to those of the last
    first: int  # the steps that were taken before it
    until: int  # and after it


def is_single(c: Config) -> bool:
    """Whether every step is taken at one size."""
    return c.scale.get("name") == "single"


def stages(c: Config, *, longest: int | None = None) -> list[Stage]:
    """The sizes of a run, from the smallest.

    longest: pixels of the photograph's longer side, which `size_rule=original` needs; None: `size` counts.
    """
    if is_single(c):
        return [Stage(0, 1, 1.0, 0, c.steps)]
    from nst_jax.methods.multiscale import sizes  # jax: tab completion does not wait for it

    last = c.size if longest is None else longest
    found = sizes(first=int(c.scale["from"]), last=last, factor=float(c.scale["factor"]))
    ends = [0]
    for steps in steps_of(c, many=len(found)):
        ends.append(ends[-1] + steps)
    return [Stage(i, len(found), size / last, ends[i], ends[i + 1]) for i, size in enumerate(found)]


def work(stages: Sequence[Stage], *, done: int) -> float:
    """The work of the first `done` steps, in steps at the last size: by pixels."""
    return sum(max(0, min(done, stage.until) - stage.first) * stage.scale**2 for stage in stages)


def steps_of(c: Config, *, many: int) -> list[int]:
    """The steps at each of so many sizes."""
    then = c.scale.get("then")
    later = [-(-c.steps // 2)] if then is None else then if isinstance(then, list) else [then]
    return [c.steps, *(int(later[min(i, len(later) - 1)]) for i in range(many - 1))]


def wrong_scale(c: Config) -> Iterable[str]:
    """The mistakes in the scales, in words. Only the first of them."""
    if not 0 <= c.average < 1:
        yield f"average must be in [0, 1): the decay of the mean of the iterates, such as 0.99; got {c.average}"
    known = ("name",) if is_single(c) else KEYS
    for key in [k for k in c.scale if k not in known]:
        yield f"scale={c.scale.get('name')} takes {', '.join(known)}; got {key}.{suggest(key, known)}"
        return
    if is_single(c):
        return
    if missing := [k for k in KEYS if k not in c.scale]:
        yield f"scale.{missing[0]} is not given; scale=multi has all of them"
        return
    yield from _wrong_numbers(c)
    yield from _wrong_words(c)


def _wrong_words(c: Config) -> Iterable[str]:
    from nst_jax.images.size import KERNELS  # jax
    from nst_jax.methods.multiscale import MOMENTS

    for key, choices in (("kernel", tuple(KERNELS)), ("moments", MOMENTS), ("style", STYLES)):
        if c.scale[key] not in choices:
            yield f"scale.{key} must be one of {', '.join(choices)}; got {c.scale[key]}"
    if c.texture is not None and c.scale["style"] != "follow":
        yield "scale.style must be follow for a texture: its exemplar has the size that its pattern needs"


def _wrong_numbers(c: Config) -> Iterable[str]:
    first, factor, then = c.scale["from"], c.scale["factor"], c.scale["then"]
    if not is_whole(first) or first < SMALLEST:
        yield f"scale.from must be a number of pixels, at least {SMALLEST}; got {first}"
    elif not isinstance(factor, int | float) or isinstance(factor, bool) or not 1.01 <= factor <= 1e3:
        yield f"scale.factor must be a number from 1.01 to 1000: the ratio of a size to the one before; got {factor}"
    elif then is not None and not (all_steps(then) and then != []):
        yield f"scale.then must be a number of steps, or a list of them, one for each size after the first; got {then}"
    elif sum(steps_of(c, many=LONGEST)[: len(stages(c))]) > MOST:
        yield f"the steps at all sizes must be at most {MOST}"


def all_steps(then: Any) -> bool:
    """Whether it is a number of steps, or a list of them."""
    return all(is_whole(n) and 0 <= n <= MOST for n in (then if isinstance(then, list) else [then]))


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, and no flag."""
    return isinstance(value, int) and not isinstance(value, bool)

"""What `test_rows.py` compares, computed on four devices that the machine pretends to have. Prints JSON."""

import json
import re
import sys
from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.extractors import architecture, vgg
from nst_jax.extractors.softmax import AXES, with_softmax
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Kept, Problem, Spec
from nst_jax.optim.solvers import SOLVERS
from nst_jax.parallel import lanes, layout
from nst_jax.published import CONVENTIONS

SMALL = vgg.describe("small", ((8, 1), (12, 1), (16, 2), (16, 2), (16, 1)))
STATIC = {"adam": {"clamp": True}, "lbfgs": {"memory": 5, "evaluations": 10}, "lbfgs_torch": {"memory": 5}}
NUMBERS = {
    "adam": {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8},
    "lbfgs": {},
    "lbfgs_torch": {"learning_rate": 1.0, "unit": 1.0},
}
GATHERS = ("all-gather", "all-to-all")
STEPS, ROOM, STYLE = 4, 8, (44, 36)


def pictures(height, width):
    shapes = ((height, width, 3), (*STYLE, 3), (height, width, 3))
    return [jax.random.uniform(jax.random.key(i), shape) for i, shape in enumerate(shapes)]


def make(
    arch=SMALL,
    *,
    convention="gatys_released",
    solver="adam",
    height=48,
    width=40,
    pool="max",
    padding="zero",
    rounding="floor",
    kept=False,
    content=("relu4_2",),
    style=("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
):
    """A run: its Spec, its Problem and its start."""
    terms = CONVENTIONS[convention].terms(content, style)
    net = arch.tap({t.tap for t in terms} - {"image"}, pool=pool, rounding=rounding, padding=padding)
    params = arch.random(jax.random.key(0))
    params = {name: params[name] for name in ("input", *arch.needs(net.taps))}
    photo, painting, start = pictures(height, width)
    numbers = {"pixels": height * width, "shape": (height, width), "key": transfer.aims_key(seed=0)}
    aims = transfer.aims(net, terms, params, {"content": photo, "style": painting}, **numbers)
    weights = {t.name: jnp.float32(1.0 if t.of == "content" else 1e-2) for t in terms}
    hyper = {name: jnp.float32(value) for name, value in NUMBERS[solver].items()}
    spec = Spec(net, terms, SOLVERS[solver], tuple(STATIC[solver].items()))
    return spec, Problem(params, aims, weights, hyper, Kept(photo[..., 0], photo) if kept else None), start


def lay_out(mesh, problem, state):
    """Both as they lie on the mesh."""
    image = state.x.shape[:2]
    places = layout.of_problem(mesh, problem, image=image), layout.of_state(mesh, state, image=image, lanes=False)
    return jax.device_put((problem, state), places)


def run(spec, problem, start, mesh):
    """The value, the gradient, the image after some steps and where its memory lies."""
    with layout.within(mesh):
        state = transfer.begin(spec, problem, start)
        problem, state = lay_out(mesh, problem, state) if mesh else (problem, state)
        objective = jax.jit(lambda problem, x: jax.value_and_grad(partial(transfer.objective, spec, problem))(x))
        value, gradient = objective(problem, state.x)
        state, _ = transfer.advance(spec, problem, state, steps=STEPS, room=ROOM)
    spread = {str(leaf.sharding.spec) for leaf in jax.tree.leaves(state) if mesh and leaf.size >= start.size}
    return float(value), np.asarray(gradient), np.asarray(state.x), np.asarray(start), spread


def compare(rows, arch=SMALL, **settings):
    """How far a run by rows is from the same run on one device."""
    spec, problem, start = make(arch, **settings)
    one, many = run(spec, problem, start, None), run(spec, problem, start, layout.make_mesh(lanes=1, rows=rows))
    return {
        "value": abs(many[0] / one[0] - 1),
        "gradient": float(np.abs(many[1] - one[1]).max() / np.abs(one[1]).max()),
        "image": float(np.abs(many[2] - one[2]).max()),
        "moved": float(np.abs(one[2] - one[3]).max()),
        "spread": sorted(many[4]),
    }


def compare_lanes(along, rows, **settings):
    """The same of four lanes, on a mesh of both axes."""
    spec, problem, start = make(**settings)
    each = [problem._replace(weights={k: n * w for k, w in problem.weights.items()}) for n in (1.0, 2.0, 3.0, 4.0)]
    problems, axes = lanes.stack(each)
    starts = jnp.stack([start, start[::-1], start[:, ::-1], 1 - start])
    mesh = layout.make_mesh(lanes=along, rows=rows)
    go = partial(lanes.run, spec, problems, starts, steps=STEPS, axes=axes)
    one, many = go(), go(mesh=mesh)
    (x, values), (y, others) = ((np.asarray(a.image), np.asarray(a.infos.value)) for a in (one, many))
    return {
        "image": float(np.abs(x - y).max()),
        "values": float(np.abs(values / others - 1).max()),
        **describe(*compile_lanes(spec, problems, starts, axes, mesh)),
        "image_size": start.size,
    }


def compile_lanes(spec, problems, starts, axes, mesh):
    steps = jnp.full(len(starts), STEPS, jnp.int32)
    with layout.within(mesh):
        states = lanes.begin(spec, problems, starts, axes=axes)
        places = layout.of_state(mesh, states, image=starts.shape[1:3], lanes=True)
        problems, _ = lanes.shard(problems, starts, axes, mesh)
        states, steps = jax.device_put((states, steps), (places, layout.of_leaf(mesh, (4,), lane=True, rows=None)))
        made = lanes.advance.lower(spec, problems, states, axes=axes, steps=steps, room=ROOM).compile()
    return made.as_text(), made.memory_analysis()


def describe(text, memory):
    """How often a program communicates, the sizes of what it gathers, and its working memory."""
    lines = re.findall(r"= (.*?) ([a-z-]+?)(?:-start)?\(", text)
    sizes = [sizes_of(shape) for shape, name in lines if name in GATHERS]
    known = ("collective-permute", "all-reduce", *GATHERS)
    found = Counter(name for _, name in lines if name in known)
    return {**found, "gathered": [size for each in sizes for size in each], "memory": memory.temp_size_in_bytes}


def sizes_of(shape):
    """The sizes of the arrays of an HLO shape."""
    return [int(np.prod([int(n) for n in sides.split(",") if n])) for sides in re.findall(r"\w+\[([\d,]*)\]", shape)]


def compile_rows(rows, **settings):
    """`describe` of the iteration of a run by rows, compiled from shapes."""
    problem, start = jax.eval_shape(lambda: make(**settings)[1:])
    spec = spec_of(**settings)
    state = jax.eval_shape(partial(transfer.begin, spec), problem, start)
    mesh = layout.make_mesh(lanes=1, rows=rows)
    image = start.shape[:2]
    places = layout.of_problem(mesh, problem, image=image), layout.of_state(mesh, state, image=image, lanes=False)
    put = lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place)
    problem, state = jax.tree.map(put, (problem, state), places)
    count = jax.ShapeDtypeStruct((), jnp.int32, sharding=layout.whole(mesh))
    with layout.within(mesh):
        compiled = transfer.advance.lower(spec, problem, state, steps=count, turns=count, room=ROOM).compile()
    return {**describe(compiled.as_text(), compiled.memory_analysis()), "image_size": int(np.prod(start.shape))}


def spec_of(**settings):
    """The Spec alone; it has no arrays."""
    found = []
    jax.eval_shape(lambda: found.append(make(**settings)[0]))
    return found[0]


def numbers():
    """Runs by rows: each comparison by name."""
    return {
        **{solver: compare(4, solver=solver) for solver in STATIC},
        "50": compare(4, height=50),
        "50 of 3": compare(3, height=50, solver="lbfgs", pool="avg"),
        "51 ceil l2": compare(4, height=51, rounding="ceil", pool="l2"),
        "50 circular": compare(4, height=50, padding="circular"),
        "50 kept": compare(4, kept=True, height=50),
        **{f"50 {over}": compare(4, with_softmax(SMALL, over=over, temperature=30.0), height=50) for over in AXES},
        **{name: compare(4, convention=name) for name in ("mrf", "strotss")},
    }


def grids():
    """Lanes and rows: each comparison by name."""
    return {
        "2 x 2 adam": compare_lanes(2, 2),
        "2 x 2 lbfgs 50": compare_lanes(2, 2, solver="lbfgs", height=50),
        "1 x 4 lbfgs": compare_lanes(1, 4, solver="lbfgs"),
    }


def texts():
    """What is compiled, by name."""
    deep = {"content": ("relu4_2",), "style": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")}
    real = {"arch": architecture("vgg19"), "height": 128, "width": 64}
    return {
        "vgg19 max adam": compile_rows(4, **real, **deep),
        "vgg19 avg lbfgs": compile_rows(4, **real, pool="avg", solver="lbfgs"),
        "small max lbfgs": compile_rows(4, solver="lbfgs", height=128),
        "small avg adam 100": compile_rows(4, pool="avg", height=100),
        "small l2 lbfgs_torch 120": compile_rows(4, pool="l2", height=120, solver="lbfgs_torch"),
        "small circular 100": compile_rows(4, padding="circular", height=100),
        "small kept 100": compile_rows(4, kept=True, height=100),
        "small max lbfgs 90": compile_rows(4, solver="lbfgs", height=90),
    }


def memory():
    """Bytes of the working memory, by the number of devices."""
    return {n: compile_rows(n, solver="lbfgs", height=256, width=128)["memory"] for n in (1, 2, 4)}


if __name__ == "__main__":
    assert len(jax.devices()) == 4
    print(json.dumps({part.__name__: part() for part in (numbers, grids, texts, memory) if part.__name__ in sys.argv}))

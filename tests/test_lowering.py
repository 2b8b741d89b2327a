"""Every program that `nst` compiles is lowered for a GPU and a TPU, from shapes alone: this machine needs neither.

Lowering ends in StableHLO. What XLA makes of it on a device is another matter, which a device alone can tell.
"""

import re
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import pytest
from jax import export

from nst_jax.analysis.metrics import ssim
from nst_jax.extractors import architecture, vgg
from nst_jax.extractors.base import preprocess
from nst_jax.extractors.softmax import with_softmax
from nst_jax.images import colour, size, tiles
from nst_jax.losses.photo import laplacian_term, matting_term
from nst_jax.losses.term import Blend
from nst_jax.methods import multiscale, strokes, texture, tiled, transfer
from nst_jax.methods.multiscale import Passage
from nst_jax.methods.transfer import Kept, Masks, Problem, Spec
from nst_jax.nn import windows
from nst_jax.optim.solvers import SOLVERS
from nst_jax.parallel import lanes
from nst_jax.published import CONVENTIONS
from nst_jax.shell.running import judge
from nst_jax.shell.running.device import DTYPE, PRECISION

PLATFORMS = ("cuda", "tpu")
SIDE, STYLE, ROOM = 64, (48, 56), 8
CONTENT_LAYERS, STYLE_LAYERS = ("relu4_2",), ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
SMALL = ((4, 1), (6, 1), (8, 1), (8, 2))  # blocks of a network with these layers
STATIC = {name: {"clamp": True} for name in ("adam", "sgd", "adagrad", "rmsprop")}
STATIC |= {"lbfgs": {"memory": 3, "evaluations": 9}, "lbfgs_torch": {"memory": 3}}
NUMBERS = {
    "adam": ("learning_rate", "b1", "b2", "eps"),
    "sgd": ("learning_rate", "momentum"),
    "adagrad": ("learning_rate", "eps"),
    "rmsprop": ("learning_rate", "decay", "eps"),
    "lbfgs": (),
    "lbfgs_torch": ("learning_rate", "unit"),
}
EXACT, TF32 = ("HIGHEST", "HIGHEST"), ("HIGH", "HIGH")  # of both factors, as stablehlo says it
ASKS = {"float32": EXACT, "tf32": TF32, "bfloat16": EXACT}
ELEMENT = {"float32": "f32", "tf32": "f32", "bfloat16": "bf16"}
# the functions of jaxlib and XLA behind eigenvalues, QR and LU, by platform
CALLS = {
    "cuda": ("cusolver_", "cu_", "cublas_"),
    "tpu": ("Eigh", "Qr", "ProductOfElementaryHouseholderReflectors", "LuDecomposition"),
}


def shape(*sides: int, dtype: Any = jnp.float32) -> Any:
    return jax.ShapeDtypeStruct(sides, dtype)


NUMBER, COUNT = shape(), shape(dtype=jnp.int32)


class Case(NamedTuple):
    """What shapes a run's programs."""

    network: str = "vgg19"
    pool: str = "max"
    padding: str = "zero"
    convention: str = "gatys_released"
    solver: str = "adam"
    precision: str = "float32"
    convolution: str = "direct"
    lanes: int = 1
    masked: bool = False  # a region of the image has the style, and a part of the photograph is kept
    checkpoint: bool = False
    tiles: int | None = None  # pixels of a tile
    average: bool = False  # the result is a mean of the iterates
    smooth: str = "none"


# each value of each field at least once
CASES = [
    Case(),
    Case(solver="lbfgs", precision="tf32", masked=True, lanes=3),
    Case(solver="lbfgs_torch", precision="bfloat16", pool="avg", convention="pystiche"),
    Case(solver="lbfgs", precision="bfloat16", pool="l2", padding="circular", lanes=3),
    Case(network="distilled", precision="bfloat16", pool="avg", solver="lbfgs", checkpoint=True),
    Case(network="distilled", lanes=3, convention="neural_style_pt"),
    Case(network="squeezenet", solver="lbfgs"),
    Case(network="googlenet", precision="bfloat16", lanes=3),
    Case(network="resnet18", padding="reflect"),
    Case(network="resnet18", smooth="channels", lanes=3),
    Case(network="distilled", smooth="all", precision="bfloat16", solver="lbfgs"),
    Case(convolution="winograd", padding="replicate"),
    Case(convolution="winograd", precision="tf32", lanes=3, padding="reflect"),
    Case(convention="mrf", solver="lbfgs"),
    Case(convention="sliced_wasserstein", precision="tf32", padding="circular_x"),
    Case(convention="strotss", solver="lbfgs_torch", lanes=3),
    Case(convention="whitened", precision="bfloat16"),  # eigenvalues
    Case(convention="histogram", solver="lbfgs", lanes=3),  # sorts
]
# on a small network: what the programs above lack
SMALLER = [
    *(Case(solver=solver) for solver in ("sgd", "adagrad", "rmsprop")),
    Case(average=True, lanes=3),
    Case(tiles=8),
    Case(tiles=8, solver="lbfgs", precision="tf32", lanes=3, average=True),
    Case(tiles=8, solver="lbfgs_torch", precision="bfloat16", masked=True),
    Case(tiles=8, padding="circular", convention="batch_statistics", lanes=3, masked=True),
]


def name_of(case):
    return "-".join(str(value) for value in case)


def layers_of(case):
    """The content layers and the style layers."""
    if case.network in ("squeezenet", "googlenet", "resnet18"):
        return architecture(case.network).layers[-1:], architecture(case.network).layers[2:6:2]
    return CONTENT_LAYERS, STYLE_LAYERS


class Run(NamedTuple):
    """A run as shapes."""

    spec: Spec
    raw: dict  # the parameters as they are read
    pictures: dict
    masks: dict | None
    problem: Problem
    image: Any


def run_of(case, arch=None, convention=None):
    arch, convention = arch or architecture(case.network), convention or CONVENTIONS[case.convention]
    arch = with_softmax(arch, over=case.smooth, temperature=1.0)
    terms = convention.terms(*layers_of(case))
    taps = {t.tap for t in terms} - {"image"}
    net = arch.tap(taps, pool=case.pool, rounding="floor", padding=case.padding, checkpoint=case.checkpoint)
    raw = jax.eval_shape(arch.random, jax.random.key(0))
    params = jax.eval_shape(partial(ready, arch, case), raw)
    image, style = shape(SIDE, SIDE, 3), shape(*STYLE, 3)
    pictures = {"content": image, "style": style} if any(t.of == "content" for t in terms) else {"style": style}
    masks = masks_of(arch, net) if case.masked else None
    cut = case.tiles and tiled.tiles_of(arch, sorted(taps), side=case.tiles, rounding="floor", padding=case.padding)
    aims = jax.eval_shape(partial(find_aims, net, terms, tiles=cut), params, pictures, masks)
    solver, options = SOLVERS[case.solver], tuple(STATIC[case.solver].items())
    kept = Kept(shape(SIDE, SIDE), image) if case.masked else None
    weights = {t.name: NUMBER for t in terms}
    decay = NUMBER if case.average else None
    problem = Problem(params, aims, weights, dict.fromkeys(NUMBERS[case.solver], NUMBER), kept, decay)
    return Run(Spec(net, terms, solver, options, cut), raw, pictures, masks, problem, image)


def ready(arch, case, raw):
    return arch.prepare(raw, convolution=case.convolution, dtype=DTYPE[case.precision])


def find_aims(net, terms, params, pictures, masks, *, tiles=None):
    key, whole = transfer.aims_key(seed=0), {"pixels": SIDE**2, "shape": (SIDE, SIDE)}
    return transfer.aims(net, terms, params, pictures, **whole, key=key, masks=masks, tiles=tiles)


def masks_of(arch, net):
    """A region of the image and one of the style, at each layer."""
    here, there = (arch.shapes(net, height=height, width=width) for height, width in ((SIDE, SIDE), STYLE))
    image, picture = ({k: shape(h, w) for k, (h, w, _) in seen.items()} for seen in (here, there))
    return {"style": Masks(image, picture)}


def programs(case, run):
    """Each program of a run by name: a function, and the shapes that it takes."""
    look = partial(find_aims, run.spec.network, run.spec.terms, tiles=run.spec.tiles)
    yield "aims", look, (run.problem.params, run.pictures, run.masks)
    flags = jax.tree.map(lambda _: False, run.problem)._replace(weights=dict.fromkeys(run.problem.weights, True))
    axes = tuple(0 if flag else None for flag in jax.tree.leaves(flags)) if case.lanes > 1 else None
    axes = axes or (None,) * len(jax.tree.leaves(run.problem))
    widen = lambda leaf: shape(case.lanes, *leaf.shape, dtype=leaf.dtype)
    problems = run.problem._replace(weights=jax.tree.map(widen, run.problem.weights)) if case.lanes > 1 else run.problem
    starts, steps = widen(run.image), widen(COUNT)
    begin = partial(lanes.begin, run.spec, axes=axes)
    states = jax.eval_shape(begin, problems, starts)
    yield "begin", begin, (problems, starts)
    advance = lambda p, s, steps, turns: lanes.advance(run.spec, p, s, axes=axes, steps=steps, turns=turns, room=ROOM)
    yield "advance", advance, (problems, states, steps, COUNT)
    yield "values", partial(lanes.values, run.spec, axes=axes), (problems, starts)
    yield "pictures", partial(lanes.pictures, axes=axes), (problems, starts)


def lower(function, shapes, platforms):
    """The program's text, and the functions outside of XLA that it calls."""
    text = export.export(jax.jit(function), platforms=platforms)(*shapes).mlir_module()
    return text, set(re.findall(r"stablehlo\.custom_call @(\w+)", text))


def products(text, name):
    """The element type and the precision of each operation of this name: `convolution`, `dot_general`."""
    lines = re.findall(rf"stablehlo\.{name}\b.*", text)
    return {(re.search(r": \(tensor<(?:\d+x)*(\w+)>", line).group(1), *precision(line)) for line in lines}


def precision(line):
    """Of the factors of one operation; none where it is not said."""
    asked = re.search(r"precision(?:_config)? = \[(.*?)\]", line)
    return re.findall(r"HIGHEST|HIGH|DEFAULT", asked.group(1)) if asked else ()


def check(case, run, platforms):
    """Each program of a run lowers, and calls and multiplies as it should."""
    direct, known = case.convolution == "direct", sum((CALLS[platform] for platform in platforms), ())
    asked = (ELEMENT[case.precision], *ASKS[case.precision])
    with jax.default_matmul_precision(PRECISION[case.precision]):
        for name, function, shapes in programs(case, run):
            text, calls = lower(function, shapes, platforms)
            assert not {call for call in calls if not call.startswith(known)}, f"{name}: {calls}"
            assert "callback" not in text, name
            if name in ("aims", "advance", "values"):
                assert products(text, "convolution") == ({asked} if direct else set()), name
                exact = ("f32", *EXACT)  # Gram matrices and losses, whatever the precision of the convolutions
                assert products(text, "dot_general") == ({exact} if direct else {exact, asked}), name


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_program_of_a_run_lowers(case, platform):
    check(case, run_of(case), (platform,))


@pytest.mark.parametrize("case", SMALLER, ids=name_of)
def test_tiles_means_and_every_solver_lower(case):
    run = run_of(case, vgg.describe("small", SMALL))
    if case.tiles:
        assert run.spec.tiles is not None
        assert tiles.lay(run.spec.tiles, height=SIDE, width=SIDE).many > 1
    check(case, run, PLATFORMS)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
@pytest.mark.parametrize("kernel", size.KERNELS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_size_hands_on_to_the_next(solver, kernel, precision):
    case = Case(solver=solver, lanes=3, precision=precision, average=True)
    run = run_of(case, vgg.describe("small", SMALL))
    begin: Any
    begin, shapes = next((function, shapes) for name, function, shapes in programs(case, run) if name == "begin")
    states = jax.eval_shape(begin, *shapes)
    larger = shape(case.lanes, 3 * SIDE // 2, 3 * SIDE // 2, 3)
    axes = begin.keywords["axes"]
    with jax.default_matmul_precision(PRECISION[precision]):
        for moments in multiscale.MOMENTS:
            go_on = partial(lanes.hand_on, run.spec, Passage(kernel, moments), axes=axes)
            text, calls = lower(go_on, (shapes[0], states, larger), PLATFORMS)
            assert not calls
            assert products(text, "dot_general") == {("f32", *EXACT)}


def test_textures_strokes_and_terms_of_a_photograph_lower():
    arch, gatys = vgg.describe("small", SMALL), CONVENTIONS["gatys_released"]
    pattern = texture.Pattern(1, 1, 1, 1, layers=("relu3_1",), offsets=(2, 4))
    seamless = texture.extend(gatys, pattern, axes=(0, 1))
    case = Case(padding="circular", solver="lbfgs")
    check(case, run_of(case, arch, seamless), PLATFORMS)
    photo = gatys._replace(others=((laplacian_term(pool=4), 1.0), (matting_term(), 1.0)))
    check(Case(lanes=3), run_of(Case(), arch, photo), PLATFORMS)
    fine = run_of(Case(), arch, gatys._replace(smooth_term=None))
    spec = fine.spec._replace(terms=strokes.style_terms(gatys, dict.fromkeys(STYLE_LAYERS[:2], 1.0)))
    pose = partial(strokes.pose, spec, layers=dict.fromkeys(STYLE_LAYERS[:2], 1.0), hyper=fine.problem.hyper)
    posed = jax.eval_shape(
        lambda params, coarse, thin: pose(params, coarse, thin, key=transfer.aims_key(seed=0)).aims,
        *(fine.problem.params, fine.image, fine.pictures["style"]),
    )
    problem = fine.problem._replace(aims=posed, weights=dict.fromkeys(posed, NUMBER))
    assert not lower(partial(strokes.repaint, spec, steps=3), (problem, fine.image), PLATFORMS)[1]


def test_blends_sizes_masks_and_colours_lower():
    case = Case(convention="gatys_released")
    run, image = run_of(case, vgg.describe("small", SMALL)), shape(SIDE, SIDE, 3)
    style = Blend((shape(*STYLE, 3), image), shape(2))
    look = partial(find_aims, run.spec.network, run.spec.terms)
    assert not lower(look, (run.problem.params, {**run.pictures, "style": style}, None), PLATFORMS)[1]
    judged = partial(judge.mean_distance, run.spec.network)
    assert not lower(judged, (run.problem.params, image, style), PLATFORMS)[1]
    sides = {"height": 40, "width": 90}
    assert not lower(partial(size.resize, **sides), (image,), PLATFORMS)[1]
    seen = vgg.describe("small", SMALL).windows("relu4_1", rounding="ceil")
    for choose in (windows.narrowest, windows.widest):
        assert not lower(partial(choose, windows=seen), (shape(SIDE, SIDE),), PLATFORMS)[1]
    known = sum(CALLS.values(), ())
    for by in colour.MAPS:
        text, calls = lower(partial(colour.in_colours_of_content, by=by), (image, shape(*STYLE, 3)), PLATFORMS)
        assert not {call for call in calls if not call.startswith(known)}, by
        assert products(text, "dot_general") == {("f32", *EXACT)}, by
    assert not lower(colour.in_gray, (image, shape(*STYLE, 3)), PLATFORMS)[1]


def test_a_fixed_order_needs_no_kernel_that_gpus_lack():
    """XLA's docs/determinism.md: a maximum over windows has no gradient in a fixed order. Later versions rewrite it."""
    for case in (Case(), Case(solver="lbfgs", pool="avg"), Case(solver="lbfgs_torch", pool="l2", lanes=3)):
        for name, function, shapes in programs(case, run_of(case, vgg.describe("small", SMALL))):
            text = lower(function, shapes, ["cuda"])[0]
            assert "select_and_scatter" not in text, name
    text = lower(*list(programs(Case(), run_of(Case(network="squeezenet"))))[2][1:], ["cuda"])[0]
    assert "select_and_scatter" not in text  # its poolings overlap: they are maxima of slices


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("network", ["vgg19", "distilled", "squeezenet"])
def test_what_a_run_computes_before_and_after_lowers(network, platform):
    """Parameters made ready, and the measures of a result."""
    for convolution, precision in (("direct", "bfloat16"), ("winograd", "float32")):
        case = Case(network=network, convolution=convolution, precision=precision)
        run = run_of(case)
        calls = lower(partial(ready, architecture(network), case), (run.raw,), [platform])[1]
        seen = partial(judge.moments_of, run.spec.network)
        text, more = lower(seen, (run.problem.params, run.image), [platform])
        assert not calls | more
        direct = convolution == "direct" or network == "squeezenet"  # its convolutions have strides, or one position
        assert products(text, "convolution") == ({(ELEMENT[precision], *EXACT)} if direct else set())
    assert not lower(ssim, (run.image, run.image), [platform])[1]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_lowers(convention):
    """The iteration of each, for both platforms at once, on a small network."""
    case = Case(convention=convention)
    run = run_of(case, vgg.describe("small", SMALL))
    for name, function, shapes in programs(case, run):
        if name in ("aims", "advance"):
            calls = lower(function, shapes, PLATFORMS)[1]
            assert not {call for call in calls if not call.startswith((*CALLS["cuda"], *CALLS["tpu"]))}, name


def test_each_value_of_each_field_is_in_a_case():
    seen = {field: {getattr(case, field) for case in CASES} for field in Case._fields}
    assert seen["precision"] == set(DTYPE)
    assert seen["solver"] | {case.solver for case in SMALLER} == set(STATIC) == set(SOLVERS)
    assert seen["pool"] == {"max", "avg", "l2"}
    assert {"zero", "circular"} <= seen["padding"]
    assert {"vgg19", "distilled"} <= seen["network"]


def test_a_call_of_the_cpu_alone_is_seen():
    """Without it, the checks above could look past one."""
    case = Case(convention="whitened")
    run = run_of(case)
    _, function, shapes = next(programs(case, run))
    calls = lower(function, shapes, ["cpu"])[1]
    assert any(call.startswith("lapack_") for call in calls)


def test_a_product_of_less_precision_is_seen():
    entry = {"kernel": shape(3, 3), "bias": shape(3)}
    exact = lower(preprocess, (entry, shape(4, 4, 3)), ["tpu"])[0]
    plain = lower(lambda a, b: a @ b, (shape(4, 4), shape(4, 4)), ["tpu"])[0]
    assert products(exact, "dot_general") == {("f32", *EXACT)}
    assert products(plain, "dot_general") == {("f32",)}  # the default, which is not said

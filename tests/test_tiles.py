"""Tiles: the value and the gradient of the whole image, with the memory of one tile."""

from functools import lru_cache, partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.extractors import architecture
from nst_jax.extractors.base import Function
from nst_jax.extractors.octaves import in_octaves
from nst_jax.extractors.vgg import VGG19, describe, prepare
from nst_jax.images import tiles as windows
from nst_jax.images.tiles import Tiles
from nst_jax.losses import term
from nst_jax.losses.differences import errors
from nst_jax.losses.moments import moments
from nst_jax.losses.smoothness import squared_steps
from nst_jax.losses.term import Blend, Term
from nst_jax.methods import regions, tiled, transfer
from nst_jax.methods.regions import Region
from nst_jax.methods.texture import inner_masks
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.optim.solvers import adam, lbfgs
from nst_jax.parallel import lanes
from nst_jax.published import CONVENTIONS
from nst_jax.published.base import aim_at_activation, smooth, style

VALUE, GRADIENT = 1e-5, 1e-4  # of the whole image's
BLOCKS = ((4, 1), (6, 2), (5, 1))
ARCH = describe("small", BLOCKS)
PARAMS = ARCH.random(jax.random.key(0))
CONTENT, STYLE = ("relu2_2",), ("relu1_1", "relu2_1", "pool2", "relu3_1")
TAPS = (*CONTENT, *STYLE)
SETTINGS = {"pool": "max", "rounding": "floor", "padding": "zero"}
RELATIVE = CONVENTIONS["relative"]
ADAM = {"learning_rate": 0.02, "b1": 0.9, "b2": 0.99, "eps": 1e-8}


def draw(seed, height, width):
    return jax.random.uniform(jax.random.key(seed), (height, width, 3))


def ones(terms):
    return {t.name: jnp.float32(1) for t in terms}


def task(net, params, terms, tiles, *, size, masks=None, of=None, kept=None, weights=None, pictures=None):
    """A spec and a problem whose terms count 1 each."""
    style_size = (max(size) - 11, min(size) + 6) if tiles is None or not tiles.wrap else size
    known = pictures or {"content": draw(1, *size), "style": draw(2, *style_size)}
    chosen = {name: known[name] for name in {t.of for t in terms if t.of}}
    numbers = {"pixels": size[0] * size[1], "key": jax.random.key(4), "shape": size}
    aims = transfer.aims(net, terms, params, chosen, masks=masks, tiles=of or tiles, **numbers)
    hyper = {k: jnp.float32(v) for k, v in ADAM.items()}
    spec = Spec(net, terms, adam, (("clamp", False),), tiles)
    return spec, Problem(params, aims, weights or ones(terms), hyper, kept)


@partial(jax.jit, static_argnums=0)
def value_and_gradient(spec, problem, image):
    return jax.value_and_grad(partial(transfer.objective, spec, problem))(image)


def compare(pair, image):
    """That the value and the gradient in tiles are those of the whole, by its own aims and those in tiles."""
    one, other = (value_and_gradient(*each, image) for each in pair)
    np.testing.assert_allclose(other[0], one[0], rtol=VALUE)
    largest = float(jnp.abs(one[1]).max())
    assert largest > 0
    np.testing.assert_allclose(other[1], one[1], atol=GRADIENT * largest)
    return one[1], other[1]


def both(net, params, terms, tiles, *, size, **options):
    whole, other = (task(net, params, terms, each, size=size, **options) for each in (None, tiles))
    return whole, other


def small(taps=TAPS, **settings):
    return ARCH.tap(taps, **{**SETTINGS, **settings})


def tiles_of(side, taps=TAPS, arch=ARCH, *, rounding="floor", padding="zero", **_):
    return tiled.tiles_of(arch, taps, side=side, rounding=rounding, padding=padding)


# Which windows there are


@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("side", [8, 16, 24])
def test_every_position_belongs_to_one_tile_that_sees_all_it_needs(side, wraps):
    """Along one axis, for every length: layers of strides 1, 2, 4 and 8, rounded down and up."""
    tiles = Tiles(side, 16, 8, (0,) if wraps else ())
    for length, stride, ceil in product(range(1, 150, 8 if wraps else 1), (1, 2, 4, 8), (False, True)):
        length = length + 7 if wraps else length
        along = windows.line(tiles, axis=0, length=length)
        positions = lambda n, s=stride, up=ceil: -(-n // s) if up else n // s
        cells = windows.cells(along, whole=positions(length), part=positions(along.window))
        owners = np.zeros(positions(length), int)
        for number in range(along.many):
            start = int(along.start(number))
            place, offset, size, where = windows.cut_line(along, cells, number)
            own = np.arange(size) if where is None else np.flatnonzero(where)
            owners[own + int(place)] += 1
            assert along.many == 1 or start % 8 == 0
            assert wraps or 0 <= start <= length - along.window
            assert int(offset) >= 0
            assert int(offset) + size <= positions(along.window)
            assert along.many == 1 or start + int(offset) * stride == int(place) * stride
            if len(own) and along.many > 1:  # the margin lies in the window, or beyond the picture
                first = (int(place) + own[0]) * stride
                last = (int(place) + own[-1] + 1) * stride
                low, high = (-length, 2 * length) if wraps else (0, length)
                assert start <= max(first - 16, low)
                assert start + along.window >= min(last + 16, high)
        assert (owners == 1).all(), (length, stride, ceil)


def test_masks_are_left_out_where_tiles_divide_the_layer():
    tiles = Tiles(16, 8, 4)
    for height, width, wanted in ((64, 80, None), (64, 81, (16, 17)), (70, 80, (16, 16))):
        grid = windows.lay(tiles, height=height, width=width)
        rows = windows.cells(grid.rows, whole=height, part=grid.rows.window)
        columns = windows.cells(grid.columns, whole=width, part=grid.columns.window)
        where = windows.cut(grid, rows, columns, 0).where
        assert (where is None) if wanted is None else where.shape == wanted


def test_tiles_of_an_architecture():
    vgg = architecture("vgg19")
    found = tiled.tiles_of(vgg, ("relu1_1", "relu5_1"), side=500, rounding="floor", padding="zero")
    assert found == Tiles(side=512, margin=80, stride=16, wrap=())
    assert vgg.margin("relu5_1") == 70
    found = tiled.tiles_of(vgg, ("relu3_1",), side=64, rounding="ceil", padding="circular_x")
    assert found == Tiles(64, -(-vgg.margin("relu3_1") // 4) * 4, 4, (1,))
    assert hash(found)


@pytest.mark.parametrize("tiles", [Tiles(12, 16, 8), Tiles(16, 12, 8), Tiles(0, 8, 8)])
def test_tiles_that_fit_no_stride_are_refused(tiles):
    with pytest.raises(ValueError, match="multiples"):
        windows.lay(tiles, height=90, width=90)


def test_a_stride_that_is_not_the_networks_is_refused():
    terms = RELATIVE.terms(CONTENT, STYLE)
    with pytest.raises(ValueError, match=r"pool2.*stride"):
        task(small(), PARAMS, terms, Tiles(14, 14, 2), size=(64, 80))


# The whole image's value and gradient

WAYS = [
    *({"pool": pool, "size": (51, 94)} for pool in ("max", "avg", "l2")),
    *({"padding": p, "size": (66, 45)} for p in ("reflect", "replicate")),
    *({"padding": p, "size": (48, 72)} for p in ("circular", "circular_x", "circular_y")),
    {"padding": "circular", "size": (64, 44), "side": 20},
    *({"rounding": "ceil", "size": size, "side": side} for size, side in (((53, 95), 8), ((94, 51), 16))),
    {"rounding": "ceil", "pool": "avg", "padding": "replicate", "size": (47, 62), "side": 12},
    *({"size": (56, 96), "side": side} for side in (8, 16, 28)),
    {"size": (97, 54), "side": 20},
    {"size": (20, 90), "side": 8},
    {"checkpoint": True, "size": (51, 70)},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(str(v) for v in way.values()))
def test_value_and_gradient_are_those_of_the_whole(way):
    settings = {k: v for k, v in way.items() if k not in ("size", "side")}
    terms = (*RELATIVE.terms(CONTENT, STYLE), smooth(squared_steps)._replace(name="steps"))
    tiles = tiles_of(way.get("side", 12), **settings)
    grid = windows.lay(tiles, height=way["size"][0], width=way["size"][1])
    assert grid.many > 2
    compare(both(small(**settings), PARAMS, terms, tiles, size=way["size"]), draw(3, *way["size"]))


ADDITIVE = [
    name
    for name, convention in CONVENTIONS.items()
    if all(t.additive for t in convention.terms(("x",), ("x",)) if t.tap != "image")
]
HELD = [name for name in CONVENTIONS if name not in ADDITIVE]
TWO = describe("two", ((4, 1), (5, 1)))


@pytest.mark.parametrize("name", ADDITIVE)
def test_every_additive_convention(name):
    convention, taps = CONVENTIONS[name], ("relu1_1", "relu2_1")
    terms = convention.terms(("relu2_1",), taps)
    net, params, size = TWO.tap(taps, **SETTINGS), TWO.random(jax.random.key(5)), (25, 38)
    compare(both(net, params, terms, tiles_of(8, taps, TWO), size=size), draw(3, *size))


def test_most_conventions_are_additive():
    assert len(ADDITIVE) > 30
    assert set(HELD) == {
        *("laplacian", "sliced_wasserstein", "texsyn_sliced", "style_transfer_caffe", "histogram", "mrf", "strotss")
    }


@pytest.mark.parametrize("name", HELD)
def test_terms_that_need_all_positions_are_refused_by_name(name):
    terms = CONVENTIONS[name].terms(("relu2_2",), ("relu1_1", "relu2_1"))
    held = [t.name for t in terms if not t.additive and t.tap != "image"]
    with pytest.raises(tiled.CannotTile) as raised:
        task(small(), PARAMS, terms, tiles_of(8), size=(40, 64))
    assert all(one in str(raised.value) for one in held)
    spec = Spec(small(), terms, adam, (), tiles_of(8))
    with pytest.raises(tiled.CannotTile, match=held[0]):  # also where the image is no larger than a window
        transfer.values(spec, Problem(PARAMS, {}, {}, {}), draw(0, 12, 12))


def total_of(f, local):
    """A measure that adds up, and cannot leave positions out."""
    return f.sum()


def own_total(f, local, where=None):
    """The same that can."""
    return (f if where is None else jnp.where(where[..., None], f, 0)).sum((0, 1))


def square(found, aim):
    """A comparison of two sums."""
    return jnp.sum((found - aim) ** 2) / jnp.sum(aim**2)


def test_a_measure_of_ones_own():
    """It is refused by name without `where`, and is computed with it; so is its aim, a summary."""
    term_of = lambda measure: style(square, measure)._replace(name="mine/relu2_1", tap="relu2_1")
    with pytest.raises(tiled.CannotTile, match=r"mine/relu2_1.*where"):
        task(small(), PARAMS, (term_of(total_of),), tiles_of(8), size=(40, 64))
    compare(both(small(("relu2_1",)), PARAMS, (term_of(own_total),), tiles_of(8), size=(41, 64)), draw(3, 41, 64))


def test_two_terms_of_one_name_are_refused():
    t = RELATIVE.style("relu1_1")
    spec = Spec(small(("relu1_1",)), (t, t), adam, (), tiles_of(8))
    with pytest.raises(ValueError, match="one name"):
        transfer.values(spec, Problem(PARAMS, {}, {}, {}), draw(0, 40, 40))


def test_one_window_is_the_whole_to_the_bit():
    terms, size = RELATIVE.terms(CONTENT, STYLE), (30, 41)
    whole, one = both(small(), PARAMS, terms, tiles_of(64), size=size)
    jax.tree.map(np.testing.assert_array_equal, whole[1].aims, one[1].aims)
    for a, b in zip(*(value_and_gradient(*each, draw(3, *size)) for each in (whole, one)), strict=True):
        np.testing.assert_array_equal(a, b)


def shift_params(blocks):
    """Four channels that move by one pixel with each convolution: up, down, to the left and to the right."""
    params = describe("shifts", blocks).random(jax.random.key(0))
    found = {"input": {"kernel": jnp.eye(3), "bias": jnp.zeros(3)}}
    for name, layer in params.items():
        if name != "input":
            kernel, cin = np.zeros(layer["kernel"].shape, np.float32), layer["kernel"].shape[2]
            for channel, place in enumerate([(0, 1), (2, 1), (1, 0), (1, 2)]):
                kernel[(*place, min(channel, cin - 1), channel)] = 1
            found[name] = {"kernel": jnp.asarray(kernel), "bias": jnp.zeros(4)}
    return found


DEEP = tuple((4, depth) for _, depth in VGG19)


@pytest.mark.parametrize("size", [(245, 20), (20, 245)])
@pytest.mark.parametrize(("layer", "enough"), [("relu5_1", 80), ("relu3_1", 12)])
def test_a_margin_below_the_bound_is_not_exact(layer, enough, size):
    """relu5_1 sees 70 pixels beyond its cell of 16: 64 are too few. The network looks as far as it can."""
    arch = describe("deep", DEEP)
    assert tiles_of(16, (layer,), arch).margin == enough
    net, params, terms = arch.tap((layer,), **SETTINGS), shift_params(DEEP), (RELATIVE.style(layer),)
    image, tiles = draw(3, *size), tiles_of(16, (layer,), arch)
    whole, right, wrong = (
        task(net, params, terms, each, size=size, of=tiles)
        for each in (None, tiles, tiles._replace(margin=tiles.margin - tiles.stride))
    )
    compare((whole, right), image)
    one, other = (value_and_gradient(*each, image) for each in (whole, wrong))
    assert float(jnp.abs(one[1] - other[1]).max()) > 10 * GRADIENT * float(jnp.abs(one[1]).max())
    assert abs(float(other[0] / one[0]) - 1) > 10 * VALUE


def test_the_error_of_the_gradient_is_no_larger_at_the_seams():
    size, side = (96, 96), 16
    terms = RELATIVE.terms(CONTENT, STYLE)
    one, other = compare(both(small(), PARAMS, terms, tiles_of(side), size=size), draw(3, *size))
    error = np.abs(np.asarray(one - other)).max((1, 2))
    seams = np.array([abs((y + side // 2) % side - side // 2 + 0.5) < 2 for y in range(size[0])])
    assert error[seams].mean() < 2 * error[~seams].mean()


# Networks


@pytest.mark.parametrize("layers", [("relu1_1", "relu2_1"), ("relu1_2", "pool2", "relu3_1")])
def test_a_lifted_network(layers):
    arch = architecture("distilled")
    net, params, size = arch.tap(layers, **SETTINGS), arch.random(jax.random.key(1)), (51, 90)
    terms = RELATIVE.terms(layers[-1:], layers)
    compare(both(net, params, terms, tiles_of(16, layers, arch), size=size), draw(3, *size))


def inner_shapes(jaxpr):
    """The shapes of all results, those of inner programs too."""
    for equation in jaxpr.eqns:
        yield from (v.aval.shape for v in equation.outvars)
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda x: hasattr(x, "eqns") or hasattr(x, "jaxpr")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from inner_shapes(inner)


def test_a_lifted_activation_stays_narrow():
    arch, layers = architecture("distilled"), ("relu3_1",)
    net, terms = arch.tap(layers, **SETTINGS), (RELATIVE.style("relu3_1"),)
    params = jax.eval_shape(arch.random, jax.random.key(0))
    plan = lambda p, x: task_value(net, p, terms, tiles_of(16, layers, arch), x)
    found = set(inner_shapes(jax.make_jaxpr(plan)(params, jax.ShapeDtypeStruct((80, 96, 3), jnp.float32)).jaxpr))
    assert (256, 256) in found
    assert not [shape for shape in found if len(shape) > 2 and shape[-1] == 256]


def task_value(net, params, terms, tiles, image):
    """The gradient of the terms towards the image itself, mirrored."""
    aims = transfer.aims(net, terms, params, {"style": image[::-1]}, pixels=1, tiles=tiles)
    spec = Spec(net, terms, adam, (), tiles)
    return jax.grad(lambda x: transfer.objective(spec, Problem(params, aims, ones(terms), {}), x))(image)


def test_squeezenet_whose_convolutions_have_no_padding():
    """The first convolution and the poolings see whole windows only: layers end before the picture does."""
    arch, layers = architecture("squeezenet"), ("conv1", "fire2", "fire4")
    net, params = arch.tap(layers, **SETTINGS), arch.random(jax.random.key(1))
    terms, tiles = RELATIVE.terms(("fire2",), layers), tiles_of(16, layers, arch)
    for size in ((82, 97), (71, 88)):
        compare(both(net, params, terms, tiles, size=size), draw(3, *size))


@pytest.mark.parametrize(("padding", "size"), [("zero", (75, 90)), ("circular", (72, 80)), ("circular_x", (75, 80))])
def test_octaves(padding, size):
    arch = in_octaves(ARCH, octaves=3)
    layers = ("relu1_1", "relu2_1", "octave2_relu2_1", "octave3_relu2_1")
    net = arch.tap(layers, **{**SETTINGS, "padding": padding})
    terms, tiles = RELATIVE.terms((), layers), tiles_of(8, layers, arch, padding=padding)
    assert windows.lay(tiles, height=size[0], width=size[1]).many > 1
    of = tiles._replace(wrap=())
    pictures = {"style": draw(2, 72, 80)}
    compare(both(net, PARAMS, terms, tiles, size=size, of=of, pictures=pictures), draw(3, *size))


def test_a_side_that_wraps_must_be_a_multiple_of_the_stride():
    terms = RELATIVE.terms(CONTENT, STYLE)
    spec = Spec(small(padding="circular_x"), terms, adam, (), tiles_of(8, padding="circular_x"))
    with pytest.raises(ValueError, match="width is 81"):
        transfer.values(spec, Problem(PARAMS, {}, {}, {}), draw(0, 80, 81))


def test_kernels_that_are_spectra():
    params = prepare(PARAMS, convolution="winograd", dtype="float32")
    terms, size = RELATIVE.terms(CONTENT, STYLE), (50, 71)
    compare(both(small(), params, terms, tiles_of(12), size=size), draw(3, *size))


def brightness(params, image, taps):
    """A network of one layer that looks at single pixels."""
    return {"bright": params * image.mean(-1, keepdims=True)}


def test_a_function_of_ones_own_with_no_margin():
    terms, size, pictures = (RELATIVE.style("bright"),), (33, 50), {"style": draw(2, 40, 30) ** 2}
    net, tiles = Function(brightness, ("bright",)), Tiles(7, 0, 1)
    compare(both(net, jnp.float32(2), terms, tiles, size=size, pictures=pictures), draw(3, *size))


# Aims


def same_trees(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5 * float(jnp.abs(a).max()))


@pytest.mark.parametrize("name", ["gatys_released", "keras", "whitened", "covariance"])
def test_aims_in_tiles_are_those_of_the_whole(name):
    """Of pictures of other sizes, of a blend, and of regions of both pictures."""
    terms = CONVENTIONS[name].terms(CONTENT, ("relu1_1", "relu2_1"))
    pictures = {"content": draw(1, 51, 70), "style": Blend((draw(2, 64, 45), draw(3, 40, 83)), jnp.array([0.3, 0.7]))}
    masks = {"style": masks_of_style((51, 70), (64, 45))}
    alone = {**pictures, "style": draw(2, 64, 45)}
    for some, where in ((pictures, None), (alone, masks)):
        find = lambda tiles, p=some, m=where: transfer.aims(
            small(), terms, PARAMS, p, pixels=51 * 70, masks=m, tiles=tiles
        )
        same_trees(find(None), find(tiles_of(12)))


def masks_of_style(image, picture):
    """A soft region of each."""
    carry = regions.carry_by(
        "simple",
        lambda height, width: ARCH.shapes(small(), height=height, width=width),
        partial(ARCH.windows, rounding="floor"),
    )
    fade = lambda h, w: jnp.broadcast_to(jnp.linspace(0, 1, w), (h, w))
    layers = ("relu1_1", "relu2_1")
    return transfer.Masks(*({k: carry(fade(*size), k) for k in layers} for size in (image, picture)))


def test_the_interior_of_an_exemplar():
    """Masks of 0 and 1, for aims of an image whose borders meet."""
    terms, exemplar = RELATIVE.terms((), STYLE), draw(2, 60, 71)
    masks = {"style": inner_masks(STYLE, partial(ARCH.windows, rounding="floor"), exemplar)}
    find = lambda tiles: transfer.aims(
        small(STYLE), terms, PARAMS, {"style": exemplar}, pixels=1, masks=masks, tiles=tiles
    )
    same_trees(find(None), find(tiles_of(12)))


def test_an_activation_is_kept_only_where_a_term_aims_at_it():
    terms = RELATIVE.terms(CONTENT, STYLE)
    seen = tiled.look(small(), terms, PARAMS, draw(1, 51, 70), masks={}, tiles=tiles_of(12))
    assert isinstance(seen["style/relu1_1"].activation, jax.ShapeDtypeStruct)
    assert seen["content/relu2_2"].activation.shape == (25, 35, 6)
    assert seen["content/relu2_2"].summary is None


def test_a_narrow_term_that_aims_at_the_activation():
    """A local aim may itself be lifted; in tiles the aim is the dense one."""
    arch, layers = architecture("distilled"), ("relu1_2",)
    net, params, size = arch.tap(layers, **SETTINGS), arch.random(jax.random.key(1)), (40, 50)
    tiles = tiles_of(8, layers, arch)
    near = Term("near", "relu1_2", dense_errors, mean_square, of="content", aim=aim_at_activation, narrow=True)
    whole, other = both(net, params, (near,), tiles, size=size)
    assert isinstance(whole[1].aims["near"].local, Lifted)
    compare((whole, other), draw(3, *size))
    compare((whole, (other[0], whole[1])), draw(3, *size))


def dense_errors(f, p, where=None):
    """The errors of two activations, lifted or not."""
    return errors(dense(f), dense(p), where)


def mean_square(e, aim):
    """Their mean."""
    return e.squares / e.number


# Measures


def test_measures_of_some_positions():
    f, p = (jax.random.normal(jax.random.key(k), (6, 7, 4)) for k in (1, 2))
    mask, where = jax.random.uniform(jax.random.key(3), (6, 7)), jnp.zeros((6, 7), bool).at[1:4, 2:6].set(True)
    part = lambda a: a[1:4, 2:6]
    found = moments(f.at[0, 0].set(jnp.nan), mask, where), moments(f, None, where), errors(f, p, where)
    wanted = moments(part(f), part(mask)), moments(part(f)), errors(part(f), part(p))
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), found, wanted)
    lifted = Lifted(f, jax.random.normal(jax.random.key(5), (4, 9)), jnp.arange(9.0))
    found, wanted = moments(lifted, mask, where), moments(dense(lifted), mask, where)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-3), found, wanted)


# What else a problem may have


def test_regions_and_what_is_kept():
    size, styles = (51, 70), {"sky": draw(5, 40, 62), "style": draw(6, 70, 45)}
    shapes = lambda height, width: ARCH.shapes(small(), height=height, width=width)
    carry = regions.carry_by("simple", shapes, partial(ARCH.windows, rounding="floor"))
    stays = jnp.zeros(size).at[30:, :20].set(1.0)
    fade = (1 - stays) * jnp.linspace(0, 1, 70)
    found = {"sky": Region(fade, styles["sky"], draw(7, 40, 62)[..., 0], 2.0)}
    found["stays"] = Region(stays, None, None, 1.0)
    layout = regions.lay_out(found, STYLE, carry=carry, main=True)
    weights = {t.name: jnp.float32(1) for t in RELATIVE.terms(CONTENT, STYLE)}
    terms, numbers = regions.divide(
        RELATIVE.terms(CONTENT, STYLE), weights, layout, own={"sky": 2.0, "stays": 1.0}, weigh="area"
    )
    pictures, masks = {"content": draw(1, *size), **styles}, regions.masks_of(layout, ("style",))
    kept = regions.keep(layout, pictures["content"])
    options = {"masks": masks, "kept": kept, "weights": numbers, "pictures": pictures}
    assert {t.of for t in terms if t.of} == {"content", "sky", "style"}
    one, _ = compare(both(small(), PARAMS, terms, tiles_of(12), size=size, **options), draw(3, *size))
    assert not one[30:, :20].any()


def test_two_styles():
    size, pictures = (51, 70), {"content": draw(1, 51, 70), "style": draw(5, 40, 62), "style_2": draw(6, 70, 45)}
    terms = term.split(RELATIVE.terms(CONTENT, STYLE), of="style", into=("style", "style_2"))
    compare(both(small(), PARAMS, terms, tiles_of(12), size=size, pictures=pictures), draw(3, *size))


@lru_cache
def lane_runs(solver):
    """Two runs of other pictures and weights, whole and in tiles."""
    terms, size, found = RELATIVE.terms(CONTENT, STYLE), (41, 54), {}
    options = {"adam": (("clamp", False),), "lbfgs": (("memory", 4), ("evaluations", 6))}[solver]
    for tiles in (None, tiles_of(8)):
        many = []
        for seed in (1, 2):
            pictures = {"content": draw(seed, *size), "style": draw(seed + 5, 60, 47)}
            weights = {t.name: jnp.float32(seed) for t in terms}
            spec, problem = task(small(), PARAMS, terms, tiles, size=size, pictures=pictures, weights=weights)
            many.append(problem if solver == "adam" else problem._replace(hyper={}))
        spec = spec._replace(solver={"adam": adam, "lbfgs": lbfgs}[solver], options=options)
        starts = jnp.stack([draw(8, *size), draw(9, *size)])
        found[tiles is not None] = (spec, many, starts)
    return found


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_lanes_and_single_runs(solver):
    """Each lane has aims of its own; the network's parameters are shared."""
    results = []
    for spec, many, starts in lane_runs(solver).values():
        problems, axes = lanes.stack(many)
        results.append(lanes.run(spec, problems, starts, steps=4, axes=axes))
    one, other = results
    np.testing.assert_allclose(other.infos.value, one.infos.value, rtol=1e-3)
    np.testing.assert_allclose(other.image, one.image, atol=2e-3)
    spec, many, starts = lane_runs(solver)[True]
    alone = transfer.stylise(spec, many[1], starts[1], steps=4)
    np.testing.assert_allclose(alone.image, other.image[1], atol=2e-3)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-2), alone.terms, {k: v[1] for k, v in other.terms.items()})


def test_gradients_by_numbers_of_the_problem():
    """By a weight through three turns, and by what the sums are compared with."""
    terms, size = RELATIVE.terms(CONTENT, STYLE), (41, 54)
    image = draw(3, *size)

    def end(spec, problem, weight):
        weights = problem.weights | {"style/relu2_1": weight}
        return transfer.unroll(spec, problem._replace(weights=weights), image, turns=3).mean()

    one, other = (
        jax.jit(jax.grad(partial(end, *pair)))(2.0) for pair in both(small(), PARAMS, terms, tiles_of(8), size=size)
    )
    assert abs(one) > 1e-6
    np.testing.assert_allclose(other, one, rtol=1e-3)


@pytest.mark.optimised
def test_the_memory_is_that_of_a_tile():
    """Temporaries of the compiled program, by shapes alone. The whole image's grow with its area."""
    arch, layers = describe("small", ((16, 2), (16, 2))), ("relu1_1", "relu2_1")
    terms = CONVENTIONS["gatys_released"].terms(layers[-1:], layers)  # the total variation is of the whole image
    net = arch.tap(layers, **SETTINGS)

    def temporaries(size, side):
        tiles = side and tiles_of(side, layers, arch)
        picture = jax.ShapeDtypeStruct((size, size, 3), jnp.float32)
        params = jax.eval_shape(arch.random, jax.random.key(0))
        find = lambda p, x: transfer.aims(net, terms, p, {"content": x, "style": x}, pixels=1, tiles=tiles)
        aims, spec = jax.eval_shape(find, params, picture), Spec(net, terms, adam, (), tiles)
        problem = Problem(params, aims, ones(terms), {})
        both_of = jax.jit(lambda p, x: jax.value_and_grad(partial(transfer.objective, spec, p))(x))
        programs = both_of.lower(problem, picture), jax.jit(find).lower(params, picture)
        return [program.compile().memory_analysis().temp_size_in_bytes for program in programs]

    sizes = {(size, side): temporaries(size, side) for size, side in ((256, None), (512, None))}
    sizes |= {(size, side): temporaries(size, side) for size in (256, 512) for side in (32, 64)}
    for which in (0, 1):
        whole, larger = sizes[256, None][which], sizes[512, None][which]
        assert larger > 3 * whole
        assert sizes[512, 32][which] < 1.3 * sizes[256, 32][which]
        assert sizes[512, 64][which] < 0.2 * larger
        assert sizes[256, 64][which] > 1.5 * sizes[256, 32][which]

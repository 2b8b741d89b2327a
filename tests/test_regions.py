"""Regions: masks through a network, moments that add up, exact equality with the whole image, what is kept."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from nst_jax.extractors import architecture
from nst_jax.extractors.base import features, shapes
from nst_jax.images.regions import grow, partition, resize_mask
from nst_jax.losses import term
from nst_jax.losses.moments import moments
from nst_jax.methods import regions, transfer
from nst_jax.methods.regions import Region
from nst_jax.methods.transfer import Kept, Problem, Spec
from nst_jax.nn.windows import CONVOLUTION, Window, interior, margin, narrowest, widest
from nst_jax.optim.solvers import adam
from nst_jax.published import CONVENTIONS, convention

KEY = jax.random.key(0)
HALF = Window(2, 2, 0, False)
TOY = (CONVOLUTION, CONVOLUTION, HALF, CONVOLUTION)
LAYERS = ("relu1_1", "relu2_1")
SIZE = (40, 48)
STYLE: dict[str, float] = dict.fromkeys(LAYERS, 1.0)
VGG = architecture("vgg19")
NET = VGG.tap(LAYERS, pool="max", rounding="floor", padding="zero")
PARAMS = VGG.random(KEY)


def draw(seed, height=SIZE[0], width=SIZE[1]):
    return jax.random.uniform(jax.random.key(seed), (height, width, 3))


def ellipse(height, width):
    y, x = jnp.meshgrid(jnp.linspace(-1, 1, height), jnp.linspace(-1, 1, width), indexing="ij")
    return (y**2 + x**2 < 0.6).astype(jnp.float32)


def soft(seed, height=SIZE[0], width=SIZE[1]):
    return jax.random.uniform(jax.random.key(seed), (height, width))


def convolve(x):
    kernel = jnp.full((3, 3, 1, 1), 1 / 9)
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def toy(image):
    """Two convolutions, a pooling, a convolution, all with positive kernels: no ReLU hides anything."""
    x = convolve(convolve(image[None, ..., None]))
    _, h, w, _ = x.shape
    return convolve(x.reshape(1, h // 2, 2, w // 2, 2, 1).mean((2, 4)))[0, ..., 0]


@pytest.mark.parametrize("shape", [(24, 30), (36, 28)])
def test_masks_are_carried_as_by_noise_within_and_without(shape):
    """Gatys et al. 2017: where noise outside the region changes nothing, the position lies inside."""
    mask, noise = ellipse(*shape), 1 + jax.random.uniform(KEY, shape)
    inside, meets = toy(noise * (1 - mask)) == 0, toy(noise * mask) > 0
    assert inside.any()
    assert meets.any()
    assert not meets.all()
    np.testing.assert_array_equal(narrowest(mask, TOY), inside)
    np.testing.assert_array_equal(widest(mask, TOY), meets)


@pytest.mark.parametrize("name", ["vgg19", "distilled", "squeezenet", "texnet", "googlenet"])
def test_masks_have_the_size_of_every_layer_of_every_network(name):
    known = architecture(name)
    for rounding in ("floor",) if name == "squeezenet" else ("floor", "ceil"):
        net = known.tap(known.layers, pool=known.pool, rounding=rounding, padding="zero")
        for layer, shape in known.shapes(net, height=75, width=90).items():
            windows = known.windows(layer, rounding=rounding)
            assert narrowest(jnp.ones((75, 90)), windows).shape == shape[:2], (layer, rounding)
            assert bool((narrowest(jnp.ones((75, 90)), windows) == 1).all())  # the border is no outside
            assert bool((widest(jnp.zeros((75, 90)), windows) == 0).all())


def test_inside_is_what_all_leaves_and_lies_within_simple():
    mask = ellipse(*SIZE)
    windows = VGG.windows("relu3_1", rounding="floor")
    inside, meets = narrowest(mask, windows), widest(mask, windows)
    np.testing.assert_array_equal(inside, 1 - widest(1 - mask, windows))
    simple = resize_mask(mask, height=inside.shape[0], width=inside.shape[1])
    assert bool((inside <= simple + 1e-6).all() and (simple <= meets + 1e-6).all())
    assert inside.sum() < simple.sum() < meets.sum()
    assert margin(windows) == VGG.margin("relu3_1") == 10


def test_masks_divide_an_image():
    first, second = soft(1), soft(2)
    parts, rest = partition([first, second])
    np.testing.assert_allclose(parts.sum(0) + rest, 1, atol=1e-6)
    np.testing.assert_array_equal(partition([first])[0][0], first)
    small = [resize_mask(m, height=11, width=13) for m in (*parts, rest)]
    np.testing.assert_allclose(sum(small), 1, atol=1e-5)
    assert all(float(m.min()) >= 0 for m in small)
    dot = jnp.zeros((9, 9)).at[4, 4].set(1.0)
    assert float(grow(dot, pixels=2).sum()) == 25
    assert float(grow(grow(dot, pixels=2), pixels=-2).sum()) == 1
    np.testing.assert_array_equal(grow(first, pixels=0), first)


@pytest.mark.parametrize("hard", [True, False])
def test_the_moments_of_the_parts_sum_to_those_of_the_whole(hard):
    f = jax.random.normal(KEY, (*SIZE, 5))
    mask = ellipse(*SIZE) if hard else soft(3)
    whole, sums = moments(f), jax.tree.map(jnp.add, moments(f, mask), moments(f, 1 - mask))
    for a, b in zip(whole, sums, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)


def carry(by="simple"):
    known = lambda height, width: shapes(NET, PARAMS, height=height, width=width)
    return regions.carry_by(by, known, partial(VGG.windows, rounding="floor"))


def build(name, found, style, *, by="simple", weigh="area", main=True, content=None):
    """A problem with regions, by the functions of the core."""
    compared, content = convention(name), draw(0) if content is None else content
    channels = {"relu1_1": 64, "relu2_1": 128}
    terms = compared.terms({"relu2_1": 1.0}, STYLE)
    parts = {"content_weight": 1.0, "style_weight": 3.0, "tv_weight": 0.0}
    numbers = compared.weights(channels, **parts, content_layers={"relu2_1": 1.0}, style_layers=STYLE)
    pictures, masks, kept = {"content": content, "style": style}, None, None
    if found:
        layout = regions.lay_out(found, LAYERS, carry=carry(by), main=main)
        own = {name: region.weight for name, region in found.items()}
        terms, numbers = regions.divide(terms, numbers, layout, own=own, weigh=weigh)
        pictures |= {name: region.style for name, region in found.items() if region.style is not None}
        masks, kept = layout.masks, None if layout.kept is None else Kept(layout.kept, content)
    size = content.shape[0] * content.shape[1]
    pictures = {name: pictures[name] for name in {t.of for t in terms if t.of}}
    aims = transfer.aims(NET, terms, PARAMS, pictures, pixels=size, key=KEY, masks=masks)
    hyper = {"learning_rate": 0.02, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
    return Spec(NET, terms, adam, (("clamp", False),)), Problem(PARAMS, aims, numbers, hyper, kept)


def value_and_gradient(pair, image):
    return jax.jit(jax.value_and_grad(transfer.objective, argnums=2), static_argnums=0)(*pair, image)


MOMENTS = [n for n, c in CONVENTIONS.items() if hasattr(c.style_term.aim, "blend")]


@pytest.mark.parametrize("name", MOMENTS)
def test_a_mask_of_ones_is_the_whole_image_in_every_convention(name):
    style, image = draw(4, 36, 52), draw(5)
    plain = value_and_gradient(build(name, {}, style), image)
    whole = value_and_gradient(build(name, {"sky": Region(jnp.ones(SIZE), style, None, 1.0)}, draw(6)), image)
    assert plain[0] == whole[0]
    np.testing.assert_array_equal(plain[1], whole[1])


@pytest.mark.parametrize("name", MOMENTS)
def test_a_mask_that_is_nearly_one_is_nearly_the_whole_image(name):
    """By the other path: a mask at every layer. It is not the shortcut that makes them equal."""
    style, image = draw(4, 36, 52), draw(5)
    plain = value_and_gradient(build(name, {}, style), image)
    near = Region(jnp.full(SIZE, 1 - 1e-6), style, jnp.full((36, 52), 1 - 1e-6), 1.0)
    pair = build(name, {"all": near}, draw(6))
    assert any(aim.local is not None for name, aim in pair[1].aims.items() if name.startswith("all/"))
    found = value_and_gradient(pair, image)
    np.testing.assert_allclose(found[0], plain[0], rtol=2e-4)
    scale = float(jnp.abs(plain[1]).max())
    np.testing.assert_allclose(found[1] / scale, plain[1] / scale, atol=2e-3)


def test_the_scale_of_a_mask_of_the_style_changes_nothing():
    """The moments are divided by the mask's sum."""
    half = ellipse(36, 52)
    pairs = [build("gatys_2016", {"a": Region(soft(1), draw(4, 36, 52), m, 1.0)}, draw(6)) for m in (half, half / 3)]
    one, third = (value_and_gradient(pair, draw(5)) for pair in pairs)
    np.testing.assert_allclose(one[0], third[0], rtol=1e-5)


def test_names_are_only_names():
    a, b, mask = draw(4), draw(6), ellipse(*SIZE)
    first = {"sky": Region(mask, a, None, 1.0), "sea": Region(1 - mask, b, None, 1.0)}
    second = {"sea": Region(1 - mask, b, None, 1.0), "sky": Region(mask, a, None, 1.0)}
    values = [value_and_gradient(build("gatys_2016", x, draw(7)), draw(5))[0] for x in (first, second)]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6)


def test_a_region_moves_only_what_its_positions_see():
    mask = jnp.zeros(SIZE).at[4:20, 8:30].set(1.0)
    pair = build("gatys_2016", {"a": Region(mask, draw(4), None, 1.0)}, draw(6), by="inside", main=False)
    pair = (
        pair[0],
        pair[1]._replace(weights={k: 0.0 * w if k.startswith("content") else w for k, w in pair[1].weights.items()}),
    )
    gradient = value_and_gradient((pair[0], pair[1]._replace(kept=None)), draw(5))[1]
    assert bool((gradient[mask == 1] != 0).any())
    assert bool((gradient[mask == 0] == 0).all())


def test_what_is_kept_does_not_change():
    mask, photo = ellipse(*SIZE), draw(0)
    spec, problem = build("gatys_2016", {"still": Region(mask, None, None, 1.0)}, draw(6), content=photo)
    assert set(problem.aims) == {"content/relu2_1", "style/relu1_1", "style/relu2_1"}
    result = transfer.stylise(spec, problem, draw(8), steps=3)
    np.testing.assert_allclose(result.image[mask == 1], photo[mask == 1], atol=1e-6)
    assert float(jnp.abs(result.image - photo)[mask == 0].mean()) > 0.1
    seen = transfer.values(spec, problem, result.image)
    for name, value in result.terms.items():  # what is measured is what is returned
        np.testing.assert_allclose(value, seen[name], rtol=1e-4)


def test_without_a_style_the_rest_stays_and_areas_sum_to_one():
    mask = soft(1)
    layout = regions.lay_out({"a": Region(mask, draw(4), None, 1.0)}, LAYERS, carry=carry(), main=False)
    assert layout.kept is not None
    np.testing.assert_allclose(layout.kept, 1 - mask, atol=1e-6)
    assert set(layout.masks) == {"a"}
    assert sum(layout.areas.values()) == pytest.approx(1, abs=1e-5)
    painted = regions.lay_out({"a": Region(mask, draw(4), None, 1.0)}, LAYERS, carry=carry(), main=True)
    assert set(painted.masks) == {"a", "style"}
    assert painted.kept is None


@pytest.mark.parametrize("weigh", ["area", "equal"])
def test_weights_of_regions(weigh):
    mask = jnp.zeros(SIZE).at[:10].set(1.0)
    found = {"a": Region(mask, draw(4), None, 2.0), "b": Region(1 - mask, draw(6), None, 1.0)}
    weights = build("gatys_2016", found, draw(7), weigh=weigh)[1].weights
    plain = build("gatys_2016", {}, draw(7))[1].weights["style/relu1_1"]
    shares = (0.25, 0.75) if weigh == "area" else (0.5, 0.5)
    np.testing.assert_allclose(weights["a/style/relu1_1"], 2 * shares[0] * plain, rtol=1e-6)
    np.testing.assert_allclose(weights["b/style/relu1_1"], shares[1] * plain, rtol=1e-6)


def test_a_region_too_small_for_a_layer_loses_it():
    mask = jnp.zeros(SIZE).at[8:14, 8:14].set(1.0)
    found = {"dot": Region(mask, draw(4), None, 1.0)}
    layout = regions.lay_out(found, LAYERS, carry=carry("inside"), main=True)
    assert layout.lost == {"dot": ("relu2_1",)}
    names = {t.name for t in build("gatys_2016", found, draw(6), by="inside")[0].terms}
    assert "dot/style/relu1_1" in names
    assert "dot/style/relu2_1" not in names
    tiny = {"dot": Region(jnp.zeros(SIZE).at[8, 8].set(1.0), draw(4), None, 1.0)}
    with pytest.raises(ValueError, match="region dot: nothing of it is left at any layer"):
        regions.lay_out(tiny, LAYERS, carry=carry("inside"), main=True)


@pytest.mark.parametrize("which", ["mask", "style_mask"])
def test_an_empty_mask_is_an_error(which):
    region = Region(jnp.ones(SIZE), draw(4), jnp.ones(SIZE), 1.0)._replace(**{which: jnp.zeros(SIZE)})
    with pytest.raises(ValueError, match=r"region sky: its mask.* is empty"):
        regions.lay_out({"sky": region}, LAYERS, carry=carry(), main=True)


@pytest.mark.parametrize("name", [n for n in CONVENTIONS if n not in MOMENTS])
def test_terms_without_moments_measure_no_region(name):
    with pytest.raises(regions.CannotMask, match="compares no moments"):
        build(name, {"a": Region(soft(1), draw(4), None, 1.0)}, draw(6))


def test_lanes_of_regions_are_the_single_runs():
    from nst_jax.parallel import lanes

    spec, problem = build("gatys_released", {"a": Region(soft(1), draw(4), None, 1.0)}, draw(6))
    both = [problem, problem._replace(weights={k: 2 * w for k, w in problem.weights.items()})]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *both)
    found = lanes.run(spec, stacked, jnp.stack([draw(5), draw(5)]), steps=2)
    for i, one in enumerate(both):
        np.testing.assert_allclose(found.image[i], transfer.stylise(spec, one, draw(5), steps=2).image, atol=1e-5)


def test_the_distilled_network_masks_before_it_lifts():
    known = architecture("distilled")
    net = known.tap(("relu2_1",), pool="max", rounding="floor", padding="zero")
    params = known.random(KEY)
    seen = net.apply({"params": params}, draw(1))["relu2_1"]
    mask = soft(2, *seen.shape[:2])
    dense = features(net, params, draw(1))["relu2_1"]
    for a, b in zip(moments(seen, mask), moments(dense, mask), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 * float(jnp.abs(b).max()) + 1e-3)
    assert term.part("sky/style/relu1_1") == "sky/style"


def guided_loss(image, style, guides, style_guides, weights):
    """leongatys/NeuralImageSynthesis @cced0b9, SpatialControl and LossLayers.lua:287-342, as it is written there.

    T <- T / sqrt(mean T^2); G = (T F)(T F)^T / M for each region; sw / N^2 * gw * mean over N^2 of (G - A)^2.
    """

    def gram(f, guide):
        flat = f.reshape(-1, f.shape[-1]) * (guide / jnp.sqrt((guide**2).mean())).reshape(-1, 1)
        return jnp.matmul(flat.T, flat, precision=lax.Precision.HIGHEST) / len(flat)

    seen, wanted = (features(NET, PARAMS, picture) for picture in (image, style))
    total = 0.0
    for t, s, gw in zip(guides, style_guides, weights, strict=True):
        for layer in LAYERS:
            guide, of_style = (
                x if x.shape == f.shape[:2] else jax.image.resize(x, f.shape[:2], "linear", antialias=True)
                for x, f in ((t, seen[layer]), (s, wanted[layer]))
            )
            errors = gram(seen[layer], jnp.sqrt(guide)) - gram(wanted[layer], jnp.sqrt(of_style))
            total += 1e3 / seen[layer].shape[-1] ** 2 * gw * jnp.mean(errors**2)
    return total


@pytest.mark.parametrize("hard", [True, False])
def test_the_loss_of_regions_is_that_of_the_released_program(hard):
    """Its guides T are amplitudes: our masks are T^2. Value and gradient, soft and hard."""
    image, style = draw(5), draw(4, 36, 52)
    mask, of_style = (ellipse(*SIZE), ellipse(36, 52)) if hard else (soft(1), soft(2, 36, 52))
    masks, style_masks = (mask, 1 - mask), (of_style, 1 - of_style)
    plain = jax.value_and_grad(guided_loss)(image, style, masks, style_masks, (0.5, 0.5))
    found = {name: Region(m, style, s, 1.0) for name, m, s in zip("ab", masks, style_masks, strict=True)}
    spec, problem = build("nis", found, draw(6), weigh="equal", main=False)
    weights = {k: w * (1e3 / 3 if "style" in k else 0.0) for k, w in problem.weights.items()}  # `build` has 3
    value, gradient = value_and_gradient((spec, problem._replace(weights=weights)), image)
    np.testing.assert_allclose(value, plain[0], rtol=1e-4)
    scale = float(jnp.abs(plain[1]).max())
    np.testing.assert_allclose(gradient / scale, plain[1] / scale, atol=1e-4)


@pytest.mark.parametrize("name", ["gatys_2016", "neural_style", "keras", "hwalsuklee"])
def test_squares_of_gram_matrices_translate_in_regions_as_in_the_whole(name):
    """`nst-convert` holds for regions: one factor for all of them."""
    style, image, mask = draw(4), draw(5), soft(1)
    halves = {"a": Region(mask, style, soft(2), 1.0), "b": Region(1 - mask, draw(7), None, 1.0)}
    ratios = []
    for found in ({}, halves):
        one, other = (build(of, found, draw(6)) for of in (name, "gatys_released"))
        values = [jax.jit(transfer.values, static_argnums=0)(*pair, image) for pair in (one, other)]
        terms = [k for k in values[0] if k.endswith("style/relu2_1")]
        ratios += [float(values[0][k] * one[1].weights[k] / (values[1][k] * other[1].weights[k])) for k in terms]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)


def test_gradients_in_regions_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        f, mask, step = (jnp.asarray(rng.uniform(size=shape)) for shape in ((6, 7, 3), (6, 7), (6, 7, 3)))
        loss = lambda f: jnp.sum((moments(f, mask).second / mask.sum()) ** 2)
        slope = float(jnp.sum(jax.grad(loss)(f) * step))
        ends = [float(loss(f + h * step)) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


def test_the_interior_is_what_no_padding_reaches():
    """Where the activation of a picture is that of the picture within a larger one."""
    windows = (CONVOLUTION, CONVOLUTION, HALF, CONVOLUTION)
    large = jax.random.uniform(KEY, (40, 44))
    alone, within = toy(large[8:32, 8:36]), toy(large)[4:16, 4:18]
    mask = interior(windows, height=24, width=28)
    np.testing.assert_array_equal(mask, jnp.abs(alone - within) < 1e-6)
    assert 0 < float(mask.sum()) < mask.size
    assert float(interior((CONVOLUTION,) * 12, height=24, width=28).sum()) == 0

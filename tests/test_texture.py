"""Terms for textures: spectra, cross-Gram matrices, autocorrelations, octaves, sorted values."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.api.networks import Network
from nst_jax.extractors import architecture, octaves
from nst_jax.extractors.base import features
from nst_jax.extractors.vgg import random_params
from nst_jax.losses import matching, offsets, spectrum
from nst_jax.losses.differences import relative_error, sse
from nst_jax.losses.grams import gram_quarter
from nst_jax.losses.moments import moments
from nst_jax.losses.term import CannotBlend, View
from nst_jax.methods import transfer
from nst_jax.nn.lifted import Lifted, dense
from nst_jax.published import CONVENTIONS

KEY = jax.random.key(0)
EXEMPLAR = jax.random.uniform(jax.random.key(1), (8, 9, 3))
IMAGE = jax.random.uniform(jax.random.key(2), (8, 9, 3))
OWN, PERIODIC = (nst.spectrum_term(periodic=periodic) for periodic in (False, True))
GRAM = CONVENTIONS["gatys_2016"].style_term


def view(activation, shape=None):
    return View(activation, 72, None, shape)


def value(term, image, of=EXEMPLAR, shape=None):
    return term.value(image, term.aim(view(of, shape or image.shape[:2])))


def activation(seed, h=6, w=5, n=4):
    return jax.nn.relu(jax.random.normal(jax.random.key(seed), (h, w, n)) + 0.3)


# --- the spectrum


def test_an_exemplar_moved_around_its_border_or_negated_has_its_spectrum():
    for same in (EXEMPLAR, jnp.roll(EXEMPLAR, (3, -2), (0, 1)), -EXEMPLAR):
        assert float(value(OWN, same)) < 1e-8 * float(value(OWN, IMAGE))


def test_colours_exchanged_in_the_image_only_are_another_spectrum():
    """Each channel's modulus is that of a channel of the exemplar; their phases do not go together."""
    assert float(value(OWN, EXEMPLAR[..., ::-1])) > 0.1 * float(value(OWN, IMAGE))


def test_the_nearest_picture_has_the_moduli_and_is_its_own_nearest():
    target = spectrum.spectrum(EXEMPLAR)
    once = spectrum.project(IMAGE, target)
    np.testing.assert_allclose(jnp.abs(spectrum.spectrum(once)), jnp.abs(target), atol=1e-4)
    np.testing.assert_allclose(spectrum.project(once, target), once, atol=1e-5)
    between = [np.angle(s[..., 0] * s[..., 1].conj()) for s in map(np.asarray, (spectrum.spectrum(once), target))]
    np.testing.assert_allclose(np.exp(1j * between[0]), np.exp(1j * between[1]), atol=1e-2)


def test_the_value_is_that_of_the_paper():
    """1 / (2 * 3 M) times the squared distance, of pictures in 0..255, frequency by frequency in float64."""
    x, r = (np.fft.fft2(255 * np.asarray(a, np.float64), axes=(0, 1)) for a in (IMAGE, EXEMPLAR))
    q = (x * r.conj()).sum(-1, keepdims=True)
    nearest = np.fft.ifft2(q / np.abs(q) * r, axes=(0, 1))
    assert np.abs(nearest.imag).max() < 1e-9
    wanted = ((255 * np.asarray(IMAGE, np.float64) - nearest.real) ** 2).sum() / (2 * IMAGE.size)
    np.testing.assert_allclose(value(OWN, IMAGE), wanted, rtol=1e-4)


def test_a_frequency_that_the_image_lacks_has_the_exemplars_phase():
    found, slope = jax.value_and_grad(lambda x: value(OWN, x))(jnp.zeros_like(IMAGE))
    np.testing.assert_allclose(found, 255**2 * jnp.mean(EXEMPLAR**2) / 2, rtol=1e-5)
    np.testing.assert_allclose(slope, -(255**2) * EXEMPLAR / EXEMPLAR.size, rtol=1e-3, atol=1e-2)


def test_another_size_needs_the_periodic_part():
    with pytest.raises(ValueError, match=r"\(8, 9\).*\(16, 16\).*periodic"):
        value(OWN, IMAGE, shape=(16, 16))
    with pytest.raises(ValueError, match="shape"):
        OWN.aim(View(EXEMPLAR, 72, None))


def laplacian(x, *, around):
    """The sum over a pixel's neighbours of their difference to it; around: those beyond the border too."""
    total = np.zeros_like(x)
    for axis in (0, 1):
        for by in (1, -1):
            step = np.roll(x, by, axis) - x
            if not around:
                np.swapaxes(step, 0, axis)[0 if by == 1 else -1] = 0
            total += step
    return total


def test_the_periodic_part_has_the_pictures_own_laplacian():
    """Moisan 2011: what defines it, together with the mean."""
    for shape in ((8, 9, 3), (7, 6, 3), (1, 5, 3)):
        picture = jax.random.uniform(KEY, shape)
        part = np.asarray(spectrum.periodic_part(picture))
        np.testing.assert_allclose(
            laplacian(part, around=True), laplacian(np.asarray(picture), around=False), atol=1e-5
        )
        np.testing.assert_allclose(part.mean((0, 1)), picture.mean((0, 1)), atol=1e-6)


def test_of_equal_size_the_periodic_part_is_the_aim():
    np.testing.assert_allclose(value(PERIODIC, jnp.roll(spectrum.periodic_part(EXEMPLAR), 2, 0)), 0, atol=1e-3)
    flat = jnp.full((8, 9, 3), 0.3)
    np.testing.assert_allclose(spectrum.fit(flat, height=12, width=20), 0.3, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 20), (8, 30), (16, 5), (4, 4)])
def test_in_a_canvas_of_any_size_mean_and_variance_are_the_periodic_parts(shape):
    placed = spectrum.fit(EXEMPLAR, height=shape[0], width=shape[1])
    part = spectrum.periodic_part(spectrum.crop(EXEMPLAR, height=shape[0], width=shape[1]))
    assert placed.shape == (*shape, 3)
    np.testing.assert_allclose(placed.mean((0, 1)), part.mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(placed.var((0, 1)).sum(), part.var((0, 1)).sum(), rtol=1e-4)


def test_a_wave_keeps_its_frequency_in_a_larger_canvas():
    wave = lambda n: 0.5 + 0.2 * jnp.cos(2 * jnp.pi * jnp.arange(n) / 8)[None, :, None] * jnp.ones((16, 1, 3))
    power = jnp.abs(spectrum.spectrum(spectrum.fit(wave(32), height=16, width=64) - 0.5))[0, :, 0]
    assert int(power.argmax()) == 8
    assert float(value(PERIODIC, wave(64), of=wave(32))) < 0.2 * float(value(PERIODIC, wave(64).swapaxes(0, 1)[:16]))


def test_a_spectrum_aims_at_one_picture():
    with pytest.raises(CannotBlend):
        OWN.blend([view(EXEMPLAR, (8, 9))], jnp.ones(1))


# --- pairs of positions

SHIFTS = ((0, 2), (1, 0), (2, -1))


def brute_pairs(f, shift, wrap=()):
    """The mean over the pairs of f(p) f(p + shift)^T, pair by pair."""
    f, (h, w, n) = np.asarray(f, np.float64), f.shape
    total, count = np.zeros((n, n)), 0
    for i in range(h):
        for j in range(w):
            k, m = i + shift[0], j + shift[1]
            if (0 in wrap or 0 <= k < h) and (1 in wrap or 0 <= m < w):
                total, count = total + np.outer(f[i, j], f[k % h, m % w]), count + 1
    return total / count


def mean_of(f, shift, wrap=()):
    found = offsets.pair_moments(f, shift, wrap)
    return found.second / found.mass


@pytest.mark.parametrize("wrap", [(), (1,), (0, 1)])
def test_a_cross_gram_matrix_is_the_mean_over_pairs(wrap):
    f = activation(0)
    for shift in (*SHIFTS, (-3, 1)):
        np.testing.assert_allclose(mean_of(f, shift, wrap), brute_pairs(f, shift, wrap), rtol=1e-5)


def test_the_shift_0_is_the_gram_matrix_and_its_term_the_convention_s():
    term = nst.shift_term("relu3_1", shifts=((0, 0),), wrap=(), compare=gram_quarter)
    assert (term.name, term.tap, term.additive) == ("shifts/relu3_1", "relu3_1", False)
    f, a = activation(0), activation(1, 7, 8)
    assert float(value(term, f, a)) == float(value(GRAM, f, a)) > 0


def test_the_opposite_shift_has_the_transpose():
    for shift in SHIFTS:
        np.testing.assert_allclose(
            mean_of(activation(0), shift), mean_of(activation(0), (-shift[0], -shift[1])).T, rtol=1e-6
        )


def test_stripes_have_the_period_of_their_shifts():
    stripes = jnp.tile(activation(3, 1, 3), (6, 4, 1))
    at = [mean_of(stripes, (0, right), (1,)) for right in range(7)]
    for right in range(4):
        np.testing.assert_allclose(at[right], at[right + 3], rtol=1e-5)
    assert not np.allclose(at[1], at[0], rtol=0.1)


def test_the_same_gram_matrix_may_have_other_pairs():
    """Positions in another order: a Gram matrix does not see it."""
    f = activation(0)
    other = jax.random.permutation(KEY, f.reshape(-1, 4)).reshape(f.shape)
    term = nst.shift_term("x", shifts=SHIFTS, wrap=(), compare=gram_quarter)
    np.testing.assert_allclose(value(GRAM, other, f), 0, atol=1e-9)
    assert float(value(term, other, f)) > 1e-4
    assert float(value(term, f, f)) == 0


@pytest.mark.parametrize("wrap", [(), (0, 1)])
def test_pairs_of_a_narrow_activation_are_those_of_the_lifted_one(wrap):
    keys = jax.random.split(KEY, 3)
    lifted = Lifted(activation(0), jax.random.normal(keys[0], (4, 7)), jax.random.normal(keys[1], (7,)))
    for shift in ((0, 0), *SHIFTS):
        one, other = (offsets.pair_moments(f, shift, wrap) for f in (lifted, dense(lifted)))
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4), one, other)


def test_several_styles_have_the_mean_of_their_pairs():
    term = nst.shift_term("x", shifts=SHIFTS, wrap=(), compare=gram_quarter)
    styles = activation(1), activation(2, 8, 8)
    aim = term.blend([view(f) for f in styles], jnp.asarray([0.25, 0.75])).whole
    for shift, found in zip(SHIFTS, aim, strict=True):
        one, other = (mean_of(f, shift) for f in styles)
        np.testing.assert_allclose(found.second / found.mass, 0.25 * one + 0.75 * other, rtol=1e-5)


def test_a_shift_beyond_the_layer_is_refused():
    with pytest.raises(ValueError, match="5"):
        offsets.pair_moments(activation(0), (0, 5), ())
    np.testing.assert_allclose(mean_of(activation(0), (0, 5), (1,)), mean_of(activation(0), (0, 0)), rtol=1e-5)


def brute_correlation(f, offset, wrap=()):
    return np.diagonal(brute_pairs(f, offset, wrap))


@pytest.mark.parametrize("wrap", [(), (1,), (0, 1)])
def test_the_autocorrelation_is_that_of_all_pairs(wrap):
    f, reach = activation(0), (3, 2)
    found = offsets.autocorrelation(f, reach=reach, wrap=wrap)
    assert found.shape == (7, 5, 4)
    for i in range(-3, 4):
        for j in range(-2, 3):
            np.testing.assert_allclose(found[i + 3, j + 2], brute_correlation(f, (i, j), wrap), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[3, 2], jnp.mean(f**2, (0, 1)), rtol=1e-5)


def test_the_autocorrelation_of_a_rolled_activation_is_the_same_around_the_border_only():
    f = activation(0)
    moved = jnp.roll(f, (2, 1), (0, 1))
    around, within = (partial(offsets.autocorrelation, reach=(3, 2), wrap=wrap) for wrap in ((0, 1), ()))
    np.testing.assert_allclose(around(f), around(moved), rtol=1e-5)
    assert not np.allclose(within(f), within(moved), rtol=1e-2)


def test_the_whole_autocorrelation_around_the_border_is_the_power_spectrum():
    f = activation(0, 6, 8)
    found = offsets.autocorrelation(f, reach=(3, 4), wrap=(0, 1))[:6, :8]
    power = np.fft.fft2(np.fft.ifftshift(found, (0, 1)), axes=(0, 1))
    np.testing.assert_allclose(power.real, np.abs(np.fft.fft2(f, axes=(0, 1))) ** 2 / 48, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", [(6, 5), (12, 9), (3, 4), (13, 4)])
def test_only_offsets_that_both_pictures_have_are_compared(shape):
    term = nst.autocorrelation_term("relu3_1", wrap=(), compare=sse)
    f, a = activation(0, *shape), activation(1)
    reach = min(shape[0] // 2, 3), min(shape[1] // 2, 2)
    wanted = [
        ((brute_correlation(f, (i, j)) - brute_correlation(a, (i, j))) ** 2).sum()
        for i in range(-reach[0], reach[0] + 1)
        for j in range(-reach[1], reach[1] + 1)
    ]
    np.testing.assert_allclose(value(term, f, a), sum(wanted), rtol=1e-4)
    assert (term.name, term.additive) == ("autocorrelation/relu3_1", False)


# --- all of them

TERMS = {
    "spectrum": (OWN, IMAGE, EXEMPLAR),
    "spectrum of the periodic part": (PERIODIC, IMAGE, EXEMPLAR[:6]),
    "shifts": (nst.shift_term("x", shifts=SHIFTS, wrap=(), compare=gram_quarter), activation(0), activation(1, 7, 4)),
    "shifts around": (
        nst.shift_term("x", shifts=SHIFTS, wrap=(0, 1), compare=gram_quarter), activation(0), activation(1)
    ),
    "autocorrelation": (nst.autocorrelation_term("x", wrap=(), compare=sse), activation(0), activation(1, 7, 4)),
    "autocorrelation around": (
        nst.autocorrelation_term("x", wrap=(1,), compare=relative_error), activation(0), activation(1)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TERMS)
def test_the_gradient_is_that_of_finite_differences(name):
    term, *arrays = TERMS[name]
    with jax.enable_x64(True):
        f, a = (jnp.asarray(np.asarray(x, np.float64)) for x in arrays)
        aim = term.aim(view(a, f.shape[:2]))
        function = jax.jit(lambda x: term.value(x, aim))
        slope, step = np.asarray(jax.grad(function)(f)), 1e-5
        for at in ((0, 0, 0), (2, 3, 1), (5, 4, 2)):
            there = (function(f.at[at].add(step)) - function(f.at[at].add(-step))) / (2 * step)
            np.testing.assert_allclose(slope[at], there, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", TERMS)
def test_lanes_equal_single_images(name):
    term, f, a = TERMS[name]
    aim = term.aim(view(a, f.shape[:2]))
    both = jnp.stack([f, f[::-1]])
    lanes = jax.vmap(jax.grad(lambda x: term.value(x, aim)))(both)
    for lane, one in zip(lanes, both, strict=True):
        np.testing.assert_allclose(lane, jax.grad(lambda x: term.value(x, aim))(one), rtol=1e-3, atol=1e-5)


def test_the_terms_are_values():
    for build in (
        partial(nst.spectrum_term, periodic=True),
        partial(nst.shift_term, "x", shifts=SHIFTS, wrap=(0,), compare=gram_quarter),
        partial(nst.autocorrelation_term, "x", wrap=(0,), compare=sse),
    ):
        assert build() == build()
        assert hash(build()) == hash(build())


# --- octaves

ARCH = architecture("texnet")
BLOCKS = ((32, 2), (64, 2), (96, 3), (96, 2))
SETTINGS = {"pool": "avg", "rounding": "floor", "padding": "zero"}
PARAMS = random_params(KEY, blocks=BLOCKS)
PICTURE = jax.random.uniform(jax.random.key(4), (36, 40, 3))


def test_one_octave_is_the_network():
    arch = octaves.in_octaves(ARCH, octaves=1)
    assert arch.layers == ARCH.layers
    taps = {"relu1_1", "relu2_1"}
    one, plain = (a.tap(taps, **SETTINGS) for a in (arch, ARCH))
    jax.tree.map(np.testing.assert_array_equal, *(dict(features(n, PARAMS, PICTURE)) for n in (one, plain)))
    assert arch.shapes(one, height=36, width=40) == ARCH.shapes(plain, height=36, width=40)
    assert [arch.margin(tap) for tap in taps] == [ARCH.margin(tap) for tap in taps]


def test_the_second_octave_is_the_network_on_the_smaller_picture():
    arch = octaves.in_octaves(ARCH, octaves=3)
    net = arch.tap({"relu1_1", "octave3_relu1_2", "octave2_relu2_1"}, **SETTINGS)
    assert net.taps == ("relu1_1", "octave2_relu2_1", "octave3_relu1_2")
    seen = features(net, PARAMS, PICTURE)
    small = octaves.halve(PICTURE, wrap=())
    wanted = features(ARCH.tap({"relu2_1"}, **SETTINGS), PARAMS, small)["relu2_1"]
    np.testing.assert_array_equal(seen["octave2_relu2_1"], wanted)
    assert {tap: f.shape for tap, f in seen.items()} == arch.shapes(net, height=36, width=40)
    assert arch.needs(net.taps) == ("conv1_1", "conv1_2", "conv2_1")
    assert net == arch.tap(set(net.taps), **SETTINGS)
    assert arch.margin("octave2_relu1_1") == 2 * ARCH.margin("relu1_1") + 3  # windows of five begin at the cell
    with pytest.raises(ValueError, match="octave4_relu1_1"):
        arch.tap({"octave4_relu1_1"}, **SETTINGS)


def test_an_octave_is_every_second_pixel_blurred_and_goes_around_the_border():
    x = np.asarray(PICTURE, np.float64)[:9, :8]
    rows = np.tensordot(octaves.TAPS, [x[i : i + 5] for i in range(5)], 1)[::2]
    wanted = np.tensordot(octaves.TAPS, [rows[:, i : i + 4] for i in range(5)], 1)[:, ::2]
    np.testing.assert_allclose(octaves.halve(PICTURE[:9, :8], wrap=()), wanted, rtol=1e-5)
    around = octaves.halve(PICTURE, wrap=(0, 1))
    assert around.shape == (18, 20, 3)
    np.testing.assert_allclose(
        octaves.halve(jnp.roll(PICTURE, (4, 6), (0, 1)), wrap=(0, 1)), jnp.roll(around, (2, 3), (0, 1)), rtol=1e-5
    )
    np.testing.assert_allclose(octaves.halve(jnp.full((9, 9, 3), 0.4), wrap=(1,)), 0.4, rtol=1e-6)
    assert octaves.halve(jnp.zeros((9, 11, 3)), wrap=(1,)).shape == (3, 6, 3)


def test_a_convention_compares_octaves():
    """Through the same functions as any network: aims, weights by part, a run."""
    arch = octaves.in_octaves(ARCH, octaves=2)
    layers = {"relu1_1": 1.0, "octave2_relu1_1": 1.0}
    net = Network(arch.tap({*layers}, **SETTINGS), PARAMS, {}, layers)
    problem = nst.problem(net, None, PICTURE[:20, :24], content_weight=0, style_weight=1.0)
    start = jax.random.uniform(KEY, (24, 24, 3))
    result = nst.run(problem, start, nst.adam(0.02), steps=3, progress=False)
    assert set(result.terms) == {"style/relu1_1", "style/octave2_relu1_1", "tv"}
    assert float(result.curve["total"][-1]) < float(result.curve["total"][0])


# --- sorted values: a style picture of another size than the image

SLICED, HISTOGRAM = (CONVENTIONS[name].style_term for name in ("sliced_wasserstein", "histogram"))


def sliced(f, a, directions):
    return matching.slice_error(f, matching.slice_along(a, directions))


def directions(n=4):
    drawn = jax.random.normal(KEY, (n, n))
    return drawn / jnp.linalg.norm(drawn, axis=1, keepdims=True)


def histogram(f, a):
    return matching.histogram_error(f, matching.sort_channels(a, view(a)))


def permute(f):
    return jax.random.permutation(KEY, f.reshape(-1, f.shape[-1])).reshape(f.shape)


def test_positions_in_another_order_have_the_same_distribution():
    f = activation(0)
    assert float(sliced(permute(f), f, directions())) < 1e-12
    assert float(histogram(permute(f), f)) == 0


def test_a_canvas_of_whole_tiles_repeats_the_exemplars_values():
    f = activation(0)
    large = permute(jnp.tile(f, (2, 3, 1)))
    assert float(sliced(large, f, directions())) < 1e-12
    assert float(histogram(large, f)) == 0
    for term in (SLICED, HISTOGRAM):
        other = activation(1, 11, 13)
        found, slope = jax.value_and_grad(lambda x, t=term: t.value(x, t.aim(View(f, 143, KEY, (11, 13)))))(other)
        assert float(found) > 0
        assert np.isfinite(slope).all()


def test_along_the_axes_the_sliced_distance_is_that_of_histograms():
    f, a = activation(0), activation(1)
    np.testing.assert_allclose(sliced(f, a, jnp.eye(4)) * f.size, histogram(f, a), rtol=1e-5)


def test_a_rotation_of_channels_and_directions_changes_nothing_and_twice_the_size_is_four_times_the_loss():
    f, a, own = activation(0), activation(1), directions()
    turn = jnp.linalg.qr(jax.random.normal(jax.random.key(5), (4, 4)))[0]
    once = sliced(f, a, own)
    np.testing.assert_allclose(sliced(f @ turn, a @ turn, own @ turn), once, rtol=1e-4)
    np.testing.assert_allclose(sliced(2 * f, 2 * a, own), 4 * once, rtol=1e-5)


def test_of_two_normal_distributions_the_distance_is_known():
    """In one dimension: the squared difference of the means and that of the deviations."""
    one, other = (jax.random.normal(jax.random.key(k), (200, 200, 1)) for k in (6, 7))
    found = sliced(0.5 + 2 * one, -0.25 + 3 * other, jnp.ones((1, 1)))
    np.testing.assert_allclose(found, 0.75**2 + 1, rtol=0.03)


def test_a_monotone_map_of_the_exemplar_is_undone_by_rank():
    """The gradient leads each value to the exemplar's of its rank."""
    a = activation(0)
    f = jnp.exp(a) - 0.5
    slope = jax.grad(histogram)(f, a)
    np.testing.assert_allclose(f - slope / 2, a, atol=1e-5)


def test_a_flat_channel_is_finite():
    flat = jnp.full((6, 5, 4), 0.3)
    found, slope = jax.value_and_grad(histogram)(flat, activation(0))
    assert np.isfinite(found)
    assert np.isfinite(slope).all()


def test_one_gram_matrix_may_have_two_histograms():
    """Mean and variance trade off: a flat channel of the same mean square. Risser et al. 2017."""
    a = activation(0, n=1)
    flat = jnp.full_like(a, float(jnp.sqrt(jnp.mean(a**2))))
    np.testing.assert_allclose(value(GRAM, flat, a), 0, atol=1e-10)
    assert float(histogram(flat, a)) > 0.1


def test_statistics_of_inner_positions_are_those_of_the_part():
    """A mask of ones within: positions at the border, which see zeros beyond it, do not count."""
    f = activation(0)
    mask = jnp.zeros((6, 5)).at[1:-1, 2:-1].set(1)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), moments(f, mask), moments(f[1:-1, 2:-1]))


def test_aims_know_the_shape_of_the_image():
    net = ARCH.tap({"relu1_1"}, **SETTINGS)
    aims = transfer.aims(net, (PERIODIC,), PARAMS, {"style": EXEMPLAR}, pixels=320, shape=(16, 20))
    assert aims["spectrum"].whole.shape == (16, 11, 3)


@pytest.mark.parametrize("lifted", [False, True])
def test_a_mask_cuts_the_pairs(lifted):
    """Pairs within a rectangle are those of the activation cut there; without any the whole counts."""
    rng = np.random.default_rng(3)
    f, lift, offset = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((9, 11, 3), (3, 5), (5,)))
    as_term = (lambda x: Lifted(x, lift, offset)) if lifted else (lambda x: x)
    mask = jnp.zeros((9, 11)).at[2:8, 1:9].set(1.0)
    for shift in ((0, 2), (3, 0), (0, 0)):
        found = offsets.pair_moments(as_term(f), shift, (), mask)
        wanted = offsets.pair_moments(as_term(f[2:8, 1:9]), shift, ())
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    none, whole = (offsets.pair_moments(as_term(f), (0, 9), (), m) for m in (mask, None))
    for a, b in zip(none, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)

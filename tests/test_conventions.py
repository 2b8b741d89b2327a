"""Each convention's terms and gradients against plain NumPy in float64, on real pictures and real weights."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import plain
import pytest
from PIL import Image
from safetensors.numpy import load_file

from nst_jax import losses, transfer
from nst_jax.conventions import CONVENTIONS, GRAM
from nst_jax.solvers import adam
from nst_jax.transfer import Problem, Spec
from nst_jax.vgg import VGG, VGG19, features, random_params

STYLE, CONTENT = ("relu1_1", "relu2_1", "relu3_1"), "relu3_2"
CAFFE = {"kernel": 255 * np.eye(3, dtype=np.float32)[::-1], "bias": -plain.MEAN_BGR.astype(np.float32)}
WITHOUT_VALUE = {"neural_style", "laplacian"}  # total variation has a gradient, but is missing from the loss
DEEP_ONLY = {"mrf", "strotss"}  # every position against every other: the smallest layer is enough
KEY = jax.random.key(7)


class Seen:
    """The golden pictures through both networks, and random directions in which the image moves."""

    def __init__(self, data):
        names = ("content", "style", "image")
        read = [Image.open(data / f"golden/{n}.png").convert("RGB") for n in names]
        self.content, self.style, self.image = (np.asarray(p, np.float64) for p in read)
        rng = np.random.default_rng(1)
        self.directions = [rng.standard_normal(self.image.shape) for _ in range(2)]
        weights = load_file(data / "weights/vgg19_blocks1-3.safetensors")
        self.exact = plain.vgg(weights, self.image, self.directions, last=CONTENT)
        self.wanted_content, self.wanted_style = (
            plain.vgg(weights, p, last=CONTENT) for p in (self.content, self.style)
        )
        params = {"input": CAFFE}
        for name in {key.split(".")[0] for key in weights}:
            params[name] = {part: weights[f"{name}.{part}"] for part in ("kernel", "bias")}
        params = jax.tree.map(jnp.asarray, params)
        net = VGG((*STYLE, CONTENT), blocks=VGG19, pool="max", rounding="floor", padding="zero")
        run = jax.jit(partial(features, net, params))
        self.unit = jnp.asarray(self.image / 255, jnp.float32)
        self.activations, _ = jax.vjp(run, self.unit)
        self.pull = jax.jit(lambda image, cotangent: jax.vjp(run, image)[1](cotangent)[0])
        self.targets = [run(jnp.asarray(p / 255, jnp.float32)) for p in (self.content, self.style)]


@pytest.fixture(scope="module")
def seen(data):
    return Seen(data)


@cache
def computed(convention, layers, seen):
    """Terms by nst_jax and the gradient of each of them for the image, per unit of 0..255."""
    aims = {n: convention.aim(KEY, convention.summary(seen.targets[1][n])) for n in layers}
    targets = losses.Targets({CONTENT: seen.targets[0][CONTENT]}, aims)

    def groups(activations, image):
        t = losses.terms(convention, targets, activations, image)
        return jnp.stack([t.content[CONTENT], *(t.style[n] for n in layers), t.smooth]), t

    (_, values), back = jax.vjp(jax.jit(groups), seen.activations, seen.unit)
    gradients = []
    for i in range(len(layers) + 2):
        which = jnp.zeros(len(layers) + 2).at[i].set(1.0)
        ofactivations, ofimage = back((which, jax.tree.map(jnp.zeros_like, values)))
        gradients.append(np.asarray(seen.pull(seen.unit, ofactivations) + ofimage, np.float64) / 255)
    return values, gradients


def layers_of(name):
    return STYLE[2:] if name in DEEP_ONLY else STYLE


def expected(name, seen):
    """The same terms as functions of a step along a direction, in NumPy."""
    content, style, smooth = plain.CONVENTIONS[name]
    pixels = seen.image.shape[0] * seen.image.shape[1]

    def along(layer, direction, step):
        value, *tangents = seen.exact[layer]
        return value + step * tangents[direction]

    def style_of(layer):
        error = style
        if style is plain.slices:
            aim = CONVENTIONS[name].aim(KEY, seen.targets[1][layer])
            error = plain.slices(np.asarray(aim.directions, np.float64))
        return lambda d, t: error(along(layer, d, t), seen.wanted_style[layer][0], pixels)

    yield lambda d, t: content(along(CONTENT, d, t), seen.wanted_content[CONTENT][0])
    yield from (style_of(layer) for layer in layers_of(name))
    yield lambda d, t: smooth(seen.image + t * seen.directions[d])


@pytest.mark.parametrize("name", plain.CONVENTIONS)
def test_terms_and_gradients_against_numpy(name, seen):
    values, gradients = computed(CONVENTIONS[name], layers_of(name), seen)
    got = [values.content[CONTENT], *(values.style[n] for n in layers_of(name)), values.smooth]
    for part, (value, gradient, exact) in enumerate(zip(got, gradients, expected(name, seen), strict=True)):
        last = part == len(got) - 1
        np.testing.assert_allclose(value, 0 if last and name in WITHOUT_VALUE else exact(0, 0.0), rtol=2e-4, atol=1e-6)
        for d, direction in enumerate(seen.directions):
            slope = (exact(d, 1e-4) - exact(d, -1e-4)) / 2e-4
            error = abs((gradient * direction).sum() - slope) / max(np.linalg.norm(gradient), 1e-30)
            assert error < 2e-3, f"part {part}, direction {d}: {(gradient * direction).sum()} for {slope}"


def test_every_convention_has_a_plain_twin():
    assert set(plain.CONVENTIONS) == set(CONVENTIONS) - {"style_transfer_caffe"}


def activation(seed, h=9, w=7, n=6):
    return jax.nn.relu(jax.random.normal(jax.random.key(seed), (h, w, n)) + 0.5)


def test_style_transfer_caffe_pulls_every_layer_alike():
    """Its gradients are F - P and (G - A) F, scaled to a mean size of 1; its values are half the squared errors."""
    caffe = CONVENTIONS["style_transfer_caffe"]
    f, p = activation(0), activation(1, 5, 8)
    value, gradient = jax.value_and_grad(caffe.style)(caffe.summary(f), caffe.aim(None, caffe.summary(p)), 63)
    x, y = np.asarray(f, np.float64), np.asarray(p, np.float64)
    wanted = np.einsum("cd,hwd->hwc", plain.full_gram(x) - plain.full_gram(y), x)
    np.testing.assert_allclose(gradient, wanted / np.abs(wanted).mean(), rtol=1e-3)  # an epsilon of 1e-7 is added there
    np.testing.assert_allclose(value, plain.sse(plain.full_gram(x), plain.full_gram(y)) / 2, rtol=1e-4)
    q = activation(2)
    gradient = jax.grad(caffe.content)(f, q)
    np.testing.assert_allclose(gradient, (f - q) / jnp.abs(f - q).mean(), rtol=1e-5, atol=1e-6)
    image = jax.random.uniform(KEY, (6, 5, 3))
    np.testing.assert_allclose(caffe.smooth(image), plain.wrapped(255 * np.asarray(image, np.float64)), rtol=1e-5)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_at_the_target_every_term_is_nothing_and_pulls_nowhere(name):
    """For pictures of one size; a gradient that is not a number would end the run before it began."""
    convention, f = CONVENTIONS[name], activation(3, 8, 8)
    aim = convention.aim(KEY, convention.summary(f))
    style, pull = jax.value_and_grad(lambda f: convention.style(convention.summary(f), aim, 64))(f)
    content, draw = jax.value_and_grad(convention.content)(f, f)
    assert abs(content) < 1e-5
    # a matrix root of 12 iterations and the rounding of cosines leave a little
    loose = name in ("style_transfer_pytorch", "strotss")
    assert abs(style) < (1e-2 if loose else 1e-5)
    assert np.isfinite(pull).all()
    assert np.isfinite(draw).all()


def test_a_picture_in_one_shade_is_smooth_everywhere():
    image = jnp.full((6, 7, 3), 0.5)
    for smooth in {convention.smooth for convention in CONVENTIONS.values()}:
        value, gradient = jax.jit(jax.value_and_grad(smooth))(image)
        assert abs(value) < 1e-2, smooth
        assert np.abs(gradient).max() < 1e-5, smooth


def test_laplacian_is_of_the_picture_and_elsewhere_the_values_count():
    x, y = (jax.random.uniform(jax.random.key(k), (21, 30, 3)) for k in (1, 2))
    content = CONVENTIONS["laplacian"].content
    np.testing.assert_allclose(content(x, y), plain.laplacians(np.float64(x), np.float64(y)), rtol=1e-4)
    np.testing.assert_allclose(content(x, x + 0.25), 0, atol=1e-9)
    np.testing.assert_allclose(
        content(activation(0), activation(1)), plain.mse(activation(0), activation(1)), rtol=1e-5
    )


def test_what_is_drawn_comes_from_the_key():
    convention, f = CONVENTIONS["sliced_wasserstein"], activation(4)
    one, same, other = (convention.aim(jax.random.key(k), convention.summary(f)) for k in (0, 0, 1))
    np.testing.assert_array_equal(one.directions, same.directions)
    assert not np.allclose(one.directions, other.directions)
    np.testing.assert_allclose(np.linalg.norm(one.directions, axis=1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="key"):
        convention.aim(None, convention.summary(f))


@pytest.mark.parametrize("name", CONVENTIONS)
def test_channels_of_what_is_kept_and_aimed_at(name):
    convention, f = CONVENTIONS[name], activation(5)
    kept = convention.summary(f)
    assert losses.channels(kept) == losses.channels(convention.aim(KEY, kept)) == 6


# convention, convention, factor of the first's style term in the second's, given channels
EXACT = [
    ("gatys_2016", "gatys_released", lambda n: 1 / 4),
    ("deep_textures", "gatys_2016", lambda n: 1),
    ("neural_style", "gatys_released", lambda n: 1 / n**2),
    ("neural_style_pt", "neural_style", lambda n: 1),
    ("anishathalye", "neural_style_pt", lambda n: 1),
    ("lengstrom", "d2l", lambda n: 1),
    ("gordicaleksa", "neural_style", lambda n: n**2),
    ("gordicaleksa", "tensorflow_tutorial", lambda n: 1),
    ("pystiche", "pystiche_paper", lambda n: 4),
    ("cysmith", "gatys_2016", lambda n: 1),
    ("hwalsuklee", "fzliu", lambda n: 1),
    ("keras", "fzliu", lambda n: n**2 / 9 * (63 / 1000) ** 2),
    ("texsyn_gram", "nicholasjng", lambda n: n**2),
    ("adain", "batch_statistics", lambda n: n),
]


@pytest.mark.parametrize(("one", "other", "factor"), EXACT)
def test_one_convention_is_a_multiple_of_another(one, other, factor):
    f, a = (losses.moments(activation(k)) for k in (6, 7))
    first, second = (CONVENTIONS[name].style(f, a, 1000) for name in (one, other))
    np.testing.assert_allclose(first, factor(6) * second, rtol=1e-6)


def test_contents_are_multiples_of_the_mean():
    f, p = activation(6), activation(7)
    m, n = 63, 6
    mean = CONVENTIONS["gatys_released"].content(f, p)
    for name, factor in (("gatys_2016", n * m / 2), ("keras", n * m), ("cysmith", (n * m) ** 0.5 / 2), ("d2l", 1)):
        np.testing.assert_allclose(CONVENTIONS[name].content(f, p), factor * mean, rtol=1e-6)


def test_anishathalyes_500_is_jcjohnsons_100_for_each_layer():
    assert 500 * CONVENTIONS["anishathalye"].profile(64, 5) == 100 * CONVENTIONS["neural_style"].profile(64, 5)


def test_gram_conventions_keep_moments_and_draw_nothing():
    for name, convention in GRAM.items():
        assert convention.summary is losses.moments, name
        assert convention.aim is losses.as_it_is, name


@pytest.mark.parametrize(
    "name", ["style_transfer_pytorch", "style_transfer_caffe", "strotss", "sliced_wasserstein", "mrf"]
)
def test_a_run_with_aims_that_are_not_moments(name):
    """Pictures of different sizes, a layer in each block, two steps downhill in one program."""
    blocks, convention = ((4, 1), (6, 1)), CONVENTIONS[name]
    net = VGG(("relu1_1", "relu2_1"), blocks=blocks, pool="max", rounding="floor", padding="zero")
    content, style = (jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 14, 3)), (2, (10, 9, 3))))
    params, taps = random_params(KEY, blocks=blocks), {"content_layers": ("relu2_1",), "style_layers": net.taps}
    targets = transfer.targets(net, params, content, style, **taps, convention=convention, key=KEY)
    pull = {"content_weight": 0.0, "style_weight": 1.0, "tv_weight": 0.0}
    factors = {"content_layers": {"relu2_1": 1.0}, "style_layers": {"relu1_1": 1.0, "relu2_1": 1.0}}
    weights = transfer.weights(convention, targets, **pull, **factors)
    hyper = {k: jnp.float32(v) for k, v in {"learning_rate": 0.01, "b1": 0.9, "b2": 0.99, "eps": 1e-8}.items()}
    spec, problem = Spec(net, convention, adam, (("clamp", True),)), Problem(params, targets, weights, hyper)
    result = transfer.stylise(spec, problem, content, steps=8)
    assert np.isfinite(result.infos.value).all()
    assert result.infos.value[-1] < result.infos.value[0]

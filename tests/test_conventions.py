"""Each convention's terms and gradients against plain NumPy in float64, on real pictures and real weights."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import plain
import pytest
from PIL import Image
from safetensors.numpy import load_file

from nst_jax.extractors.base import features
from nst_jax.extractors.vgg import VGG, VGG19, random_params
from nst_jax.losses.moments import moments
from nst_jax.losses.term import Aim, View, values
from nst_jax.methods import transfer
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import adam
from nst_jax.published import CONVENTIONS, GRAM

STYLE, CONTENT = ("relu1_1", "relu2_1", "relu3_1"), "relu3_2"
CAFFE = {"kernel": 255 * np.eye(3, dtype=np.float32)[::-1], "bias": -plain.MEAN_BGR.astype(np.float32)}
WITHOUT_VALUE = {"neural_style", "laplacian"}  # total variation has a gradient, but is missing from the loss
DEEP_ONLY = {"mrf", "strotss"}  # every position against every other: the smallest layer is enough
KEY = jax.random.key(7)


class Views:
    """A part of the golden pictures through both networks, and random directions in which the image moves."""

    def __init__(self, data):
        names = ("content", "style", "image")
        read = [Image.open(data / f"golden/{n}.png").convert("RGB").crop((24, 16, 104, 80)) for n in names]
        self.content, self.style, self.image = (np.asarray(p, np.float64) for p in read)
        rng = np.random.default_rng(1)
        self.directions = [rng.standard_normal(self.image.shape) for _ in range(2)]
        weights = load_file(data / "weights/vgg19_blocks1-3.safetensors")
        self.exact = plain.vgg(weights, self.image, self.directions, last=CONTENT)
        self.exact_of = {
            "content": plain.vgg(weights, self.content, last=CONTENT),
            "style": plain.vgg(weights, self.style, last=CONTENT),
        }
        params = {"input": CAFFE}
        for name in {key.split(".")[0] for key in weights}:
            params[name] = {part: weights[f"{name}.{part}"] for part in ("kernel", "bias")}
        params = jax.tree.map(jnp.asarray, params)
        net = VGG((*STYLE, CONTENT), blocks=VGG19, pool="max", rounding="floor", padding="zero")
        run = jax.jit(partial(features, net, params))
        self.unit = jnp.asarray(self.image / 255, jnp.float32)
        self.activations = run(self.unit)
        self.back = jax.jit(lambda image, cotangent: jax.vjp(run, image)[1](cotangent)[0])
        pictures = {"content": self.content, "style": self.style}
        self.of = {name: run(jnp.asarray(p / 255, jnp.float32)) for name, p in pictures.items()}

    @property
    def pixels(self):
        return self.image.shape[0] * self.image.shape[1]


@pytest.fixture(scope="module")
def views(data):
    return Views(data)


def find_aims(convention, layers, views):
    terms = convention.terms((CONTENT,), layers)
    return {t.name: t.aim(View(views.of[t.of][t.tap], views.pixels, KEY)) for t in terms if t.of}


@cache
def compute_all(views):
    """Every convention's terms, and by term its gradient in the activations and in the image: one program for all."""
    chosen = {name: CONVENTIONS[name].terms((CONTENT,), layers_of(name)) for name in plain.CONVENTIONS}
    aims = {name: find_aims(CONVENTIONS[name], layers_of(name), views) for name in chosen}

    @jax.jit
    def run(aims, activations, image):
        return {
            name: {
                term.name: jax.value_and_grad(lambda a, i, n=name, t=term: values((t,), aims[n], a, i)[t.name], (0, 1))(
                    activations, image
                )
                for term in terms
            }
            for name, terms in chosen.items()
        }

    return run(aims, views.activations, views.unit)


def compute(name, views):
    """Terms by nst_jax, by name, and the gradient of each of them for the image, per unit of 0..255."""
    found, gradients = {}, {}
    for term, (value, (of_activations, of_image)) in compute_all(views)[name].items():
        found[term] = value
        gradients[term] = np.asarray(views.back(views.unit, of_activations) + of_image, np.float64) / 255
    return found, gradients


def layers_of(name):
    return STYLE[2:] if name in DEEP_ONLY else STYLE


def expected(name, views):
    """The same terms by name, as functions of a step along a direction, in NumPy."""
    content, style, smooth, _ = plain.CONVENTIONS[name]

    def along(layer, direction, step):
        value, *tangents = views.exact[layer]
        return value + step * tangents[direction]

    def style_of(layer):
        error = style
        if style is plain.slices:
            aim = find_aims(CONVENTIONS[name], (layer,), views)[f"style/{layer}"].whole
            error = plain.slices(np.asarray(aim.directions, np.float64))
        return lambda d, t: error(along(layer, d, t), views.exact_of["style"][layer][0], views.pixels)

    yield f"content/{CONTENT}", lambda d, t: content(along(CONTENT, d, t), views.exact_of["content"][CONTENT][0])
    for layer in layers_of(name):
        yield f"style/{layer}", style_of(layer)
    if smooth is not plain.none:
        yield "tv", lambda d, t: smooth(views.image + t * views.directions[d])


@pytest.mark.parametrize("name", plain.CONVENTIONS)
def test_terms_and_gradients_against_numpy(name, views):
    found, gradients = compute(name, views)
    twins = dict(expected(name, views))
    assert twins.keys() == found.keys()
    for term, exact in twins.items():
        silent = term == "tv" and name in WITHOUT_VALUE
        np.testing.assert_allclose(found[term], 0 if silent else exact(0, 0.0), rtol=2e-4, atol=1e-6)
        for d, direction in enumerate(views.directions):
            slope = (exact(d, 1e-4) - exact(d, -1e-4)) / 2e-4
            moved = (gradients[term] * direction).sum()
            error = abs(moved - slope) / max(np.linalg.norm(gradients[term]), 1e-30)
            assert error < 2e-3, f"{term}, direction {d}: {moved} for {slope}"


# Faint features, everywhere: at this size each epsilon of a term is a part of its value


FAINT = 1e-3


class Faint:
    """Activations that are as small as epsilons, and every convention's terms of them and gradients, in float64."""

    def __init__(self):
        rng = np.random.default_rng(5)
        self.f, self.p, self.a = (FAINT * np.abs(rng.standard_normal(s)) for s in ((6, 7, 5), (6, 7, 5), (7, 5, 5)))
        self.image, self.direction = rng.random((12, 13, 3)), rng.standard_normal((6, 7, 5))
        with jax.enable_x64(True):
            found = jax.jit(self.compute)(*map(jnp.asarray, (self.f, self.p, self.a, self.image)))
            self.found = jax.tree.map(np.asarray, found)

    def compute(self, f, p, a, image):
        """By convention: content, style and smoothness, and the gradients of the first two in f."""
        found = {}
        for name in plain.CONVENTIONS:
            convention = CONVENTIONS[name]
            content, style = (
                jax.value_and_grad(lambda x, term=term, other=other: error(term, x, other, 500))(f)
                for term, other in ((convention.content_term, p), (convention.style_term, a))
            )
            smooth = convention.smooth_term.value(image, Aim()) if convention.smooth_term else 0.0
            directions = (
                convention.style_term.aim(view(a, 500)).whole.directions
                if plain.CONVENTIONS[name][1] is plain.slices
                else None
            )
            found[name] = content, style, smooth, directions
        return found


@pytest.fixture(scope="module")
def faint():
    return Faint()


@pytest.mark.parametrize("name", plain.CONVENTIONS)
def test_terms_of_faint_features_against_numpy(name, faint):
    content, style, smooth, _ = plain.CONVENTIONS[name]
    (value, slope), (style_value, style_slope), smoothness, directions = faint.found[name]
    if style is plain.slices:
        style = plain.slices(directions)
    twins = (
        (value, slope, lambda f: content(f, faint.p)),
        (style_value, style_slope, lambda f: style(f, faint.a, 500)),
    )
    for found, gradient, twin in twins:
        np.testing.assert_allclose(found, twin(faint.f), rtol=1e-6)
        step = 1e-5 * FAINT  # no two values change their order
        moved = [twin(faint.f + sign * step * faint.direction) for sign in (1, -1)]
        along = (moved[0] - moved[1]) / (2 * step)
        scale = np.linalg.norm(gradient) * np.linalg.norm(faint.direction)
        assert abs((gradient * faint.direction).sum() - along) < 1e-4 * scale
    exact = 0.0 if name in WITHOUT_VALUE else smooth(255 * faint.image)
    np.testing.assert_allclose(smoothness, exact, rtol=1e-6, atol=1e-12)


def test_the_epsilon_of_style_transfer_caffes_smoothness():
    """In a picture of one gray it is all that is left."""
    with jax.enable_x64(True):
        found = CONVENTIONS["style_transfer_caffe"].smooth_term.value(jnp.full((6, 5, 3), 0.5, jnp.float64), Aim())
    np.testing.assert_allclose(found, plain.wrapped(np.full((6, 5, 3), 127.5)), rtol=1e-6)


@pytest.mark.parametrize("name", plain.CONVENTIONS)
def test_the_share_of_each_layer(name):
    """Of two widths and two numbers of layers, and in the weights that a run has."""
    *_, share = plain.CONVENTIONS[name]
    convention = CONVENTIONS[name]
    for channels in (64, 512):
        for layers in (1, 4, 5):
            assert convention.share(channels, layers) == pytest.approx(share(channels, layers), rel=1e-12)
    factors = {"relu1_1": 1.0, "relu2_1": 3.0}
    weights = convention.weights(
        {"relu1_1": 64, "relu2_1": 128},
        content_weight=2.0,
        style_weight=10.0,
        tv_weight=0.5,
        content_layers={CONTENT: 4.0},
        style_layers=factors,
    )
    wanted = {f"content/{CONTENT}": 8.0}
    wanted |= {f"style/{n}": 10 * share(c, 2) * factors[n] for n, c in (("relu1_1", 64), ("relu2_1", 128))}
    wanted |= {} if convention.smooth_term is None else {"tv": 0.5}
    assert weights == pytest.approx(wanted, rel=1e-6)


def test_every_convention_has_a_plain_twin():
    assert set(plain.CONVENTIONS) == set(CONVENTIONS) - {"style_transfer_caffe"}


def activation(seed, h=9, w=7, n=6):
    return jax.nn.relu(jax.random.normal(jax.random.key(seed), (h, w, n)) + 0.5)


def view(activation, pixels=63):
    """Of the picture that a term aims at."""
    return View(activation, pixels, KEY)


def error(term, f, p, pixels=63):
    """The term of two activations."""
    return term.value(f, term.aim(view(p, pixels)))


def test_style_transfer_caffe_has_gradients_of_one_size():
    """Its gradients are F - P and (G - A) F, scaled to a mean size of 1; its values are half the squared errors."""
    caffe = CONVENTIONS["style_transfer_caffe"]
    f, p = activation(0), activation(1, 5, 8)
    value, gradient = jax.value_and_grad(lambda f: error(caffe.style_term, f, p))(f)
    x, y = np.asarray(f, np.float64), np.asarray(p, np.float64)
    wanted = np.einsum("cd,hwd->hwc", plain.full_gram(x) - plain.full_gram(y), x)
    np.testing.assert_allclose(gradient, wanted / np.abs(wanted).mean(), rtol=1e-3)  # an epsilon of 1e-7 is added there
    np.testing.assert_allclose(value, plain.sse(plain.full_gram(x), plain.full_gram(y)) / 2, rtol=1e-4)
    q = activation(2)
    gradient = jax.grad(lambda f: error(caffe.content_term, f, q))(f)
    np.testing.assert_allclose(gradient, (f - q) / jnp.abs(f - q).mean(), rtol=1e-5, atol=1e-6)
    image = jax.random.uniform(KEY, (6, 5, 3))
    wrapped = plain.wrapped(255 * np.asarray(image, np.float64))
    np.testing.assert_allclose(caffe.smooth_term.value(image, Aim()), wrapped, rtol=1e-5)
    assert caffe.share(64, 5) == 1 / 5


@pytest.mark.parametrize("name", CONVENTIONS)
def test_at_the_aim_every_term_is_nothing_and_has_a_finite_gradient(name):
    """For pictures of one size; a gradient that is not a number would end the run before it began."""
    convention, f = CONVENTIONS[name], activation(3, 8, 8)
    style, style_gradient = jax.value_and_grad(lambda x: error(convention.style_term, x, f, 64))(f)
    content, content_gradient = jax.value_and_grad(lambda x: error(convention.content_term, x, f, 64))(f)
    assert abs(content) < 1e-5
    # a matrix root of 12 iterations and the rounding of cosines leave a little
    loose = name in ("style_transfer_pytorch", "strotss")
    assert abs(style) < (1e-2 if loose else 1e-5)
    assert np.isfinite(style_gradient).all()
    assert np.isfinite(content_gradient).all()


def test_a_picture_in_one_shade_is_smooth_everywhere():
    image = jnp.full((6, 7, 3), 0.5)
    for term in {convention.smooth_term for convention in CONVENTIONS.values() if convention.smooth_term}:
        value, gradient = jax.jit(jax.value_and_grad(lambda x, term=term: term.value(x, Aim())))(image)
        assert abs(value) < 1e-2, term
        assert np.abs(gradient).max() < 1e-5, term


def test_laplacian_is_of_the_picture_and_elsewhere_the_values_count():
    x, y = (jax.random.uniform(jax.random.key(k), (21, 30, 3)) for k in (1, 2))
    content = partial(error, CONVENTIONS["laplacian"].content_term)
    np.testing.assert_allclose(content(x, y), plain.laplacians(np.float64(x), np.float64(y)), rtol=1e-4)
    np.testing.assert_allclose(content(x, x + 0.25), 0, atol=1e-9)
    np.testing.assert_allclose(
        content(activation(0), activation(1)), plain.mse(activation(0), activation(1)), rtol=1e-5
    )


def test_what_is_drawn_comes_from_the_key():
    term, f = CONVENTIONS["sliced_wasserstein"].style_term, activation(4)
    one, again, other = (term.aim(View(f, 63, jax.random.key(k))).whole for k in (0, 0, 1))
    np.testing.assert_array_equal(one.directions, again.directions)
    assert not np.allclose(one.directions, other.directions)
    np.testing.assert_allclose(np.linalg.norm(one.directions, axis=1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="key"):
        term.aim(View(f, 63, None))


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
    f, a = activation(6), activation(7)
    first, second = (error(CONVENTIONS[name].style_term, f, a, 1000) for name in (one, other))
    np.testing.assert_allclose(first, factor(6) * second, rtol=1e-6)


def test_contents_are_multiples_of_the_mean():
    f, p = activation(6), activation(7)
    m, n = 63, 6
    mean = error(CONVENTIONS["gatys_released"].content_term, f, p)
    for name, factor in (("gatys_2016", n * m / 2), ("keras", n * m), ("cysmith", (n * m) ** 0.5 / 2), ("d2l", 1)):
        np.testing.assert_allclose(error(CONVENTIONS[name].content_term, f, p), factor * mean, rtol=1e-6)


def test_anishathalyes_500_is_jcjohnsons_100_for_each_layer():
    assert 500 * CONVENTIONS["anishathalye"].share(64, 5) == 100 * CONVENTIONS["neural_style"].share(64, 5)


def test_gram_conventions_measure_moments_and_draw_nothing():
    assert len(GRAM) == 26
    for name, convention in GRAM.items():
        assert convention.style_term.measure is moments, name
        f, keyless = activation(8), View(activation(9), 63, None)
        one, other = (convention.style_term.aim(v) for v in (keyless, keyless._replace(key=KEY)))
        np.testing.assert_array_equal(convention.style_term.value(f, one), convention.style_term.value(f, other), name)


@pytest.mark.parametrize(
    "name", ["style_transfer_pytorch", "style_transfer_caffe", "strotss", "sliced_wasserstein", "mrf"]
)
def test_a_run_with_aims_that_are_not_moments(name):
    """Pictures of different sizes, a layer in each block, two steps downhill in one program."""
    blocks, convention = ((4, 1), (6, 1)), CONVENTIONS[name]
    net = VGG(("relu1_1", "relu2_1"), blocks=blocks, pool="max", rounding="floor", padding="zero")
    content, style = (jax.random.uniform(jax.random.key(k), shape) for k, shape in ((1, (12, 14, 3)), (2, (10, 9, 3))))
    params, terms = random_params(KEY, blocks=blocks), convention.terms(("relu2_1",), net.taps)
    pictures, pixels = {"content": content, "style": style}, content.shape[0] * content.shape[1]
    aims = transfer.aims(net, terms, params, pictures, pixels=pixels, key=KEY)
    weights = convention.weights(
        {"relu1_1": 4, "relu2_1": 6},
        content_weight=0.0,
        style_weight=1.0,
        tv_weight=0.0,
        content_layers={"relu2_1": 1.0},
        style_layers={"relu1_1": 1.0, "relu2_1": 1.0},
    )
    hyper = {k: jnp.float32(v) for k, v in {"learning_rate": 0.01, "b1": 0.9, "b2": 0.99, "eps": 1e-8}.items()}
    spec, problem = Spec(net, terms, adam, (("clamp", True),)), Problem(params, aims, weights, hyper)
    result = transfer.stylise(spec, problem, content, steps=8)
    assert np.isfinite(result.infos.value).all()
    assert result.infos.value[-1] < result.infos.value[0]

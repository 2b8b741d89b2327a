"""Convolutions of every kernel, stride, padding and group, and poolings whose windows overlap, against lax's own."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from programs import operations, slow_operations

from nst_jax.nn import general, learnable
from nst_jax.nn.conv import PADDINGS
from nst_jax.nn.general import Form, general_conv
from nst_jax.nn.pools import length, pool_windows
from nst_jax.nn.windows import Window
from nst_jax.nn.winograd import spectrum

RNG = np.random.default_rng(3)
EXACT = lax.Precision.HIGHEST
CENTRED = ((1, 1), (1, 1))


def normal(*shape):
    return jnp.asarray(RNG.standard_normal(shape), jnp.float32)


def plain(x, kernel, bias, form):
    numbers = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": form.groups}
    return lax.conv_general_dilated(x, kernel, (form.stride,) * 2, form.pads, precision=EXACT, **numbers) + bias


def arrays(size, kernel, cin, cout, form):
    return normal(2, *size, cin), normal(*kernel, cin // form.groups, cout), normal(cout)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * float(jnp.abs(theirs).max()))


FORMS = [
    ((1, 1), Form(1, ((0, 0), (0, 0)), 1)),
    ((1, 7), Form(1, ((0, 0), (3, 3)), 1)),
    ((7, 1), Form(1, ((3, 3), (0, 0)), 1)),
    ((5, 5), Form(1, ((2, 2), (2, 2)), 1)),
    ((3, 3), Form(1, ((0, 0), (0, 0)), 1)),
    ((3, 3), Form(1, ((4, 1), (0, 3)), 2)),  # more zeros than the kernel reaches
    ((3, 3), Form(2, ((0, 0), (0, 0)), 1)),
    ((3, 3), Form(2, CENTRED, 1)),
    ((3, 3), Form(2, ((0, 1), (2, 0)), 3)),
    ((7, 7), Form(2, ((3, 3), (3, 3)), 1)),
    ((1, 1), Form(2, ((0, 0), (0, 0)), 1)),
    ((1, 1), Form(2, CENTRED, 1)),
    ((2, 5), Form(3, ((1, 0), (2, 2)), 2)),
    ((2, 2), Form(4, ((0, 0), (0, 0)), 1)),  # pixels that no window sees
]


@pytest.mark.parametrize("wide", [1, 100])
@pytest.mark.parametrize("size", [(11, 14), (12, 9)])
@pytest.mark.parametrize(("kernel", "form"), FORMS, ids=str)
def test_values_and_gradients_are_those_of_lax(kernel, form, size, wide, monkeypatch):
    """Strides in both ways: a convolution for each phase, and one for all."""
    if form.stride == 1 and wide > 1:
        return
    monkeypatch.setattr(general, "WIDE", wide)
    x, k, bias = arrays(size, kernel, 6, 12, form)
    ours, back = jax.vjp(lambda x: general_conv(x, k, bias, form=form, padding="zero"), x)
    theirs, wanted = jax.vjp(lambda x: plain(x, k, bias, form), x)
    close(ours, theirs)
    cotangent = normal(*theirs.shape)
    close(back(cotangent)[0], wanted(cotangent)[0])


@pytest.mark.parametrize("padding", [name for name in PADDINGS if name != "replicate_once"])
@pytest.mark.parametrize("stride", [1, 2])
def test_what_stands_beyond_the_border(padding, stride):
    form = Form(stride, ((3, 1), (2, 0)), 1)
    x, k, bias = arrays((9, 10), (4, 3), 3, 4, form)
    rows, columns = PADDINGS[padding]
    wide = jnp.pad(
        jnp.pad(x, ((0, 0), form.pads[0], (0, 0), (0, 0)), mode=rows),
        ((0, 0), (0, 0), form.pads[1], (0, 0)),
        mode=columns,
    )
    close(
        general_conv(x, k, bias, form=form, padding=padding), plain(wide, k, bias, form._replace(pads=((0, 0), (0, 0))))
    )


@pytest.mark.parametrize(("kernel", "form"), [FORMS[5], FORMS[7], FORMS[12]], ids=str)
def test_the_gradient_has_a_gradient(kernel, form):
    x, k, bias = arrays((9, 8), kernel, 6, 6, form)

    def slope(convolve):
        loss = lambda x: (convolve(x) ** 3).sum()
        return jax.grad(lambda x: (jax.grad(loss)(x) ** 2).sum())(x)

    ours = slope(lambda x: general_conv(x, k, bias, form=form, padding="zero"))
    close(ours, slope(lambda x: plain(x, k, bias, form)))


def test_kernels_are_frozen():
    for kernel, form in (FORMS[3], FORMS[7]):
        x, k, bias = arrays((8, 8), kernel, 2, 3, form)
        grads = jax.grad(lambda k, b, x=x, form=form: general_conv(x, k, b, form=form, padding="zero").sum(), (0, 1))(
            k, bias
        )
        assert all((g == 0).all() for g in grads)


@pytest.mark.parametrize(("kernel", "form"), [FORMS[1], FORMS[7], FORMS[8]], ids=str)
def test_lanes_equal_single_images_also_with_kernels_of_their_own(kernel, form):
    x, k, bias = arrays((9, 8), kernel, 6, 6, form)
    several = jnp.stack([k, 2 * k])
    slope = lambda i, k: jax.grad(lambda i: (general_conv(i[None], k, bias, form=form, padding="zero") ** 2).sum())(i)
    for lanes, kernels in ((jax.vmap(slope, (0, None))(x, k), (k, k)), (jax.vmap(slope)(x, several), several)):
        for i in range(2):
            close(lanes[i], slope(x[i], kernels[i]))


@pytest.mark.parametrize("pads", [((0, 0), (0, 0)), CENTRED])
def test_a_spectrum_gives_the_same(pads):
    form = Form(1, pads, 1)
    x, k, bias = arrays((11, 9), (3, 3), 4, 5, form)
    ours, back = jax.vjp(lambda x: general_conv(x, spectrum(k), bias, form=form, padding="zero"), x)
    theirs, wanted = jax.vjp(lambda x: plain(x, k, bias, form), x)
    close(ours, theirs)
    np.testing.assert_allclose(back(theirs)[0], wanted(theirs)[0], atol=1e-3 * float(jnp.abs(theirs).max()))
    with pytest.raises(ValueError, match="stride 1"):
        general_conv(x, spectrum(k), bias, form=Form(2, pads, 1), padding="zero")


def test_the_precision_is_exact_unless_jax_is_told_otherwise():
    x, k, bias = arrays((8, 8), (3, 3), 4, 4, FORMS[7][1])
    loss = lambda x: (general_conv(x, k, bias, form=FORMS[7][1], padding="zero") ** 2).sum()
    found = [o.params["precision"] for o in operations(jax.grad(loss), x) if o.primitive.name == "conv_general_dilated"]
    assert len(found) == 2
    assert set(found) == {(EXACT, EXACT)}
    with jax.default_matmul_precision("tensorfloat32"):
        asked = [
            o.params["precision"]
            for o in operations(jax.grad(lambda x: loss(x)), x)
            if o.primitive.name == "conv_general_dilated"
        ]
    assert (EXACT, EXACT) not in asked


@pytest.mark.parametrize(("kernel", "form"), FORMS, ids=str)
def test_no_image_has_holes_in_any_gradient(kernel, form):
    x, k, bias = arrays((11, 14), kernel, 6, 12, form)
    for convolve, wanted in (
        (lambda x: general_conv(x, k, bias, form=form, padding="zero"), []),
        (lambda x: plain(x, k, bias, form), ["lhs_dilation"] if form.stride > 1 else []),
    ):
        loss = lambda x, convolve=convolve: (convolve(x) ** 2).sum()
        assert slow_operations(jax.grad(loss), x)[:1] == wanted
        if not wanted:
            assert not slow_operations(jax.grad(lambda x, loss=loss: (jax.grad(loss)(x) ** 2).sum()), x)


# (window, sides)
WINDOWS = [
    (Window(3, 2, 0, False), (11, 14)),
    (Window(3, 2, 0, True), (11, 14)),
    (Window(3, 2, 0, True), (12, 9)),
    (Window(3, 2, 1, False), (11, 14)),
    (Window(3, 1, 1, False), (5, 8)),
    (Window(2, 2, 0, True), (5, 8)),
    (Window(3, 2, 0, False), (3, 4)),
]


def over(x, window):
    """What the windows reach beyond the last row and column."""
    more = [(window.size - n) % window.stride if window.ceil else 0 for n in x.shape[1:3]]
    return [(window.padding, window.padding + m) for m in more]


@pytest.mark.parametrize(("window", "sides"), WINDOWS, ids=str)
def test_maxima_and_their_gradients_are_those_of_lax(window, sides):
    x = normal(2, *sides, 3)
    dims = ((1, window.size, window.size, 1), (1, window.stride, window.stride, 1))
    pads = [(0, 0), *over(x, window), (0, 0)]
    ours, back = jax.vjp(lambda x: pool_windows(x, window, kind="max", padding="zero"), x)
    theirs, wanted = jax.vjp(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, *dims, pads), x)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.shape[1:3] == tuple(length(side=n, window=window) for n in sides)
    cotangent = normal(*theirs.shape)
    close(back(cotangent)[0], wanted(cotangent)[0])


@pytest.mark.parametrize("padding", ["zero", "reflect", "circular"])
@pytest.mark.parametrize("kind", ["avg", "avg_inside"])
def test_averages_are_those_written_out(kind, padding):
    window = Window(3, 1, 1, False)
    x = np.asarray(normal(1, 5, 7, 2))
    mode: Any = {"zero": "constant", "reflect": "reflect", "circular": "wrap"}[padding]
    mode = "constant" if kind == "avg_inside" and padding == "reflect" else mode
    pads = ((0, 0), (1, 1), (1, 1), (0, 0))
    wide, inside = (
        np.pad(x, pads, mode=mode),
        np.pad(np.ones_like(x), pads, mode="wrap" if mode == "wrap" else "constant"),
    )
    wanted = np.zeros_like(x)
    for i in range(5):
        for j in range(7):
            number = inside[:, i : i + 3, j : j + 3].sum((1, 2)) if kind == "avg_inside" else 9
            wanted[:, i, j] = wide[:, i : i + 3, j : j + 3].sum((1, 2)) / number
    close(pool_windows(jnp.asarray(x), window, kind=kind, padding=padding), wanted)


def test_equal_values_share_no_gradient():
    """All of it goes to one of them."""
    grad = jax.grad(lambda x: pool_windows(x, Window(3, 2, 0, False), kind="max", padding="zero").sum())
    found = grad(jnp.zeros((1, 7, 7, 1)))
    assert float(found.sum()) == 9
    assert set(np.unique(found)) <= {0, 1, 2, 3, 4}


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="max, avg, avg_inside; got l2"):
        pool_windows(jnp.ones((1, 4, 4, 1)), Window(3, 2, 0, False), kind="l2", padding="zero")


@pytest.mark.parametrize(
    ("size", "into", "out", "columns"),
    [(9, 16, 3, True), (3, 24, 3, True), (3, 5, 4, True), (1, 5, 3, False), (9, 3, 16, False)],
)
def test_a_kernel_of_few_channels_out_learns_as_by_lax(size, into, out, columns, monkeypatch):
    x, kernel, back = normal(2, 13, 12, into), normal(size, size, into, out), normal(2, 14 - size, 13 - size, out)
    form = Form(1, ((0, 0), (0, 0)), 1)
    taken = []
    kept = learnable.by_columns
    monkeypatch.setattr(learnable, "by_columns", lambda *given: taken.append(given) or kept(*given))
    y, pull = jax.vjp(lambda x, kernel: learnable.learnable_conv(x, kernel, form=form), x, kernel)
    other, by_lax = jax.vjp(lambda x, kernel: plain(x, kernel, 0, form), x, kernel)
    assert bool(taken) == columns
    for found, wanted in zip((y, *pull(back)), (other, *by_lax(back)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * float(jnp.abs(wanted).max()))

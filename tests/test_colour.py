"""Colours: palettes that are matched, and brightness alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.images import colour

KEY = jax.random.key(5)


def picture(seed, spread=0.1):
    """Colours around a mean, with correlated channels, away from 0 and 1."""
    one, two = jax.random.split(jax.random.key(seed))
    mix = jax.random.normal(one, (3, 3))
    return 0.5 + spread * jnp.tanh(jax.random.normal(two, (24, 20, 3)) @ mix) / 2


@pytest.mark.parametrize("by", colour.MAPS)
def test_a_match_has_the_mean_and_the_covariance_of_its_target(by):
    image, target = colour.palette(picture(1)), colour.palette(picture(2))
    found = colour.palette(colour.match_colours(picture(1), image, target, by=by))
    np.testing.assert_allclose(found.mean, target.mean, atol=1e-6)
    move = colour.MAPS[by](image.covariance, target.covariance)
    np.testing.assert_allclose(colour.chain(move, image.covariance, move.T), target.covariance, atol=2e-8)
    moved = target.covariance + colour.EPS * (jnp.eye(3) - colour.chain(move, move.T))  # EPS is moved, too
    np.testing.assert_allclose(found.covariance, moved, atol=1e-7)


@pytest.mark.parametrize("by", colour.MAPS)
def test_a_match_with_itself_changes_nothing(by):
    own = colour.palette(picture(1))
    np.testing.assert_allclose(colour.match_colours(picture(1), own, own, by=by), picture(1), atol=1e-5)


def test_the_transport_is_symmetric_and_moves_least():
    own, target = colour.palette(picture(1)).covariance, colour.palette(picture(2)).covariance
    moves = {name: make(own, target) for name, make in colour.MAPS.items()}
    np.testing.assert_allclose(moves["sym"], moves["sym"].T, atol=1e-5)
    assert np.linalg.eigvalsh(moves["sym"]).min() > 0
    cost = {name: float(jnp.trace((a - jnp.eye(3)) @ own @ (a - jnp.eye(3)).T)) for name, a in moves.items()}
    assert cost["sym"] < min(cost["pca"], cost["chol"])


def test_where_the_covariances_commute_transport_and_whitening_are_one():
    own, target = jnp.diag(jnp.array([1.0, 2.0, 3.0])), jnp.diag(jnp.array([4.0, 1.0, 12.0]))
    for move in (colour.transport, colour.whitening):
        np.testing.assert_allclose(move(own, target), jnp.diag(jnp.sqrt(jnp.array([4, 0.5, 4]))), rtol=1e-5, atol=1e-6)


def test_a_rotation_of_the_colour_space_goes_through_transport_and_whitening_and_not_through_cholesky():
    own, target = colour.palette(picture(1)).covariance, colour.palette(picture(2)).covariance
    turn = jnp.linalg.qr(jax.random.normal(KEY, (3, 3)))[0]
    apart = {}
    for name, make in colour.MAPS.items():
        turned = make(colour.chain(turn, own, turn.T), colour.chain(turn, target, turn.T))
        apart[name] = float(jnp.abs(turned - colour.chain(turn, make(own, target), turn.T)).max())
    assert max(apart["sym"], apart["pca"]) < 1e-3
    assert apart["chol"] > 1e-1


@pytest.mark.parametrize("by", colour.MAPS)
def test_gray_pictures_are_safe(by):
    shades = colour.gray(picture(3))
    one, other = colour.palette(shades), colour.palette(picture(1))
    assert np.isfinite(colour.match_colours(shades, one, other, by=by)).all()
    found = colour.match_colours(picture(1), other, one, by=by)
    assert np.isfinite(found).all()
    chroma = jnp.std(found - colour.gray(found))
    assert float(chroma) < 2 * np.sqrt(colour.EPS)  # the target's own, which EPS gives it
    flat = jnp.full((4, 5, 3), 0.25)
    assert np.isfinite(colour.match_colours(flat, colour.palette(flat), other, by=by)).all()


def test_a_mask_chooses_the_pixels_of_a_palette():
    whole = jnp.concatenate([picture(1), picture(2)])
    mask = jnp.concatenate([jnp.ones((24, 20)), jnp.zeros((24, 20))])
    for found, wanted in zip(colour.palette(whole, mask), colour.palette(picture(1)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_result_has_its_own_brightness_and_the_others_colours():
    image, other = picture(1), picture(2)
    found = colour.with_chroma(image, other)
    np.testing.assert_allclose(colour.luma(found), colour.luma(image), atol=1e-6)
    chroma = lambda x: x - colour.luma(x)[..., None]
    np.testing.assert_allclose(chroma(found), chroma(other), atol=1e-6)
    np.testing.assert_allclose(colour.with_chroma(image, image), image, atol=1e-6)


def test_brightness_is_matched_in_mean_and_if_asked_in_spread():
    image, target = colour.gray(picture(1, spread=0.4)), colour.gray(picture(2)) + 0.1
    both = colour.match_brightness(image, colour.brightness(image), colour.brightness(target), spread=True)
    np.testing.assert_allclose([both.mean(), both.std()], [target.mean(), target.std()], rtol=1e-4)
    mean = colour.match_brightness(image, colour.brightness(image), colour.brightness(target), spread=False)
    np.testing.assert_allclose([mean.mean(), mean.std()], [target.mean(), image.std()], rtol=1e-4)
    one = jnp.full((4, 4, 3), 0.9)
    flat = colour.match_brightness(one, colour.brightness(one), colour.brightness(target), spread=True)
    np.testing.assert_allclose(flat, float(target.mean()), rtol=1e-6)

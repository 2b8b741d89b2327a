"""LPIPS and SIFID against the programs that publish them: tests/golden/perceptual.py."""

import json
import os
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import network_values as values
import numpy as np
import pytest
from trunk_files import inception_file, trunk_file

import nst_jax as nst
from nst_jax.analysis.perceptual import TRUNKS, unit
from nst_jax.extractors.base import features
from nst_jax.shell.errors import UserError
from nst_jax.shell.running import measures

KNOWN = json.loads((Path(__file__).parents[1] / "golden/perceptual.json").read_text())
A, B = jnp.asarray(values.image()), jnp.asarray(values.other_image())


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """The weight file of a trunk."""
    return partial(trunk_file, tmp_path_factory.mktemp("trunks"))


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """The weight file of Inception v3, as far as SIFID needs it."""
    return inception_file(tmp_path_factory.mktemp("inception"))


@pytest.mark.parametrize("net", TRUNKS)
def test_lpips_is_that_of_the_package(net, trunk):
    known = KNOWN[net]
    np.testing.assert_allclose(nst.lpips(A, B, net=net, path=trunk(net)), known["distance"], rtol=1e-4)
    seen = measures.load_trunk(net, trunk(net), measures.silence)
    assert list(seen.linear) == list(TRUNKS[net].taps)
    one, two = (features(seen.extractor, seen.params, image) for image in (A, B))
    shares = [((unit(one[k]) - unit(two[k])) ** 2 @ w).mean() for k, w in seen.linear.items()]
    np.testing.assert_allclose(shares, known["shares"], rtol=1e-3)


def test_lpips_can_be_a_loss(trunk):
    distance = lambda image: nst.lpips(image, B[:40, :40], path=trunk("alex"))
    black = jnp.zeros((40, 40, 3))  # whole positions without an activation
    for image in (A[:40, :40], black):
        assert bool(jnp.isfinite(jax.grad(distance)(image)).all())
    slope = jax.grad(distance)(A[:40, :40])
    length = float(jnp.linalg.norm(slope))
    ends = [float(distance(A[:40, :40] + side * 0.02 * slope / length)) for side in (1, -1)]
    np.testing.assert_allclose((ends[0] - ends[1]) / 0.04, length, rtol=0.03)
    assert float(distance(B[:40, :40])) == pytest.approx(0, abs=1e-9)


def test_a_first_call_may_be_within_a_traced_function(trunk):
    measures._load_trunk.cache_clear()
    path = trunk("alex")
    inside = jax.jit(lambda x: nst.lpips(x, B[:40, :40], path=path))(A[:40, :40])
    np.testing.assert_allclose(inside, nst.lpips(A[:40, :40], B[:40, :40], path=path), rtol=1e-5)


def test_lpips_says_what_it_cannot_compare(trunk):
    path = trunk("alex")
    with pytest.raises(ValueError, match="one shape"):
        nst.lpips(A, B[:50], path=path)
    with pytest.raises(ValueError, match=r"20 x 139 pixels is too small: nothing is left at conv3"):
        nst.lpips(A[:, :20], B[:, :20], path=path)
    with pytest.raises(UserError, match="alex, vgg, squeeze"):
        nst.lpips(A, B, net="resnet")


@pytest.mark.skipif("NST_TEST_DATA" not in os.environ, reason="NST_TEST_DATA names the folder of real weights")
def test_lpips_refuses_weights_that_it_was_not_fitted_on():
    path = Path(os.environ["NST_TEST_DATA"]) / "weights/squeezenet1.1_keras_notop.h5"
    with pytest.raises(UserError, match="not torchvision's weights of squeeze"):
        nst.lpips(A, B, net="squeeze", path=path)


def test_sifid_is_that_of_singan(inception):
    found = nst.sifid(A, B[:100], path=inception)
    np.testing.assert_allclose(found, KNOWN["sifid"]["distance"], rtol=1e-4)
    np.testing.assert_allclose(nst.sifid(B[:100], A, path=inception), found, rtol=1e-4)
    assert float(nst.sifid(A, A, path=inception)) < 1e-5 * float(found)
    with pytest.raises(ValueError, match=r"two features|too small"):
        nst.sifid(A[:9, :9], A, path=inception)


def test_weights_that_are_not_to_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *args: (_ for _ in ()).throw(OSError("no network")))
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: (_ for _ in ()).throw(OSError("no network")))
    with pytest.raises(UserError, match=r"(?s)^alexnet: the weights could not be downloaded.*torchvision's file"):
        nst.lpips(A, B)

"""Mistyped names, and the options of conf/."""

import pytest

from nst_jax.extractors import MODULES, architecture
from nst_jax.shell import names
from nst_jax.shell.errors import UserError
from nst_jax.shell.settings import options


def test_the_nearest_name_is_proposed_and_all_are_listed():
    table = {"keras": 1, "torchvision": 2}
    assert names.look_up(table, "keras", "weights") == 1
    with pytest.raises(UserError, match=r"weights: there is no kears\. Did you mean keras\? The names: keras, torchv"):
        names.look_up(table, "kears", "weights")
    with pytest.raises(UserError, match=r"there is no zzz\. The names"):
        names.look_up(table, "zzz", "weights")
    assert names.nearest("kears", table) == "keras"
    assert names.nearest("zzz", table) is None


def test_a_name_of_another_package():
    known = "nst_jax.extractors.texnet:BLOCKS"
    assert names.find(architecture, MODULES, known, "network") == architecture(known)
    for name in ("texnett", "nst_jax.nowhere:NET", "nst_jax.extractors:NET"):
        with pytest.raises(UserError, match="network"):
            names.find(architecture, MODULES, name, "network")


@pytest.mark.parametrize("network", MODULES)
def test_a_networks_own_settings(network):
    found = options.network_settings(network)
    assert found.keys() == {"name", "pool", "rounding", "padding", "convolution"}
    kind = architecture(found["name"])
    layers = options.settings("layers", kind.profile)
    shape = {key: found[key] for key in ("pool", "rounding", "padding")}
    assert set(kind.tap({*layers["content"], *layers["style"]}, **shape).taps) == {*layers["content"], *layers["style"]}
    assert kind.convention in options.files("convention")

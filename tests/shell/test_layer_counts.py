"""Layers by their number: layers.style_count=5."""

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import nst_jax as nst
from nst_jax import pictures
from nst_jax.extractors import MODULES, architecture
from nst_jax.extractors.base import shapes
from nst_jax.shell.errors import UserError
from nst_jax.shell.places import conf
from nst_jax.shell.running import networks
from nst_jax.shell.settings import config as settings
from nst_jax.shell.sweeps import cells
from nst_jax.shell.sweeps.composing import Composer

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")


def read(*words) -> Any:
    with initialize_config_dir(str(conf().resolve()), **settings.VERSION_BASE):
        composer = Composer(GlobalHydra.instance().config_loader(), compose("config", return_hydra_config=True))
        return composer.read([*PAIR, *words])


def test_so_many_layers_of_vgg():
    found = read("layers.style_count=4", "layers.content_count=1").layers
    assert found.style == dict.fromkeys(("relu2_1", "relu3_3", "relu4_3", "relu5_3"), 1.0)
    assert found.content == {"relu4_1": 1.0}
    assert (found.style_count, found.content_count) == (None, None)


def test_one_side_alone_leaves_the_other_as_it_is():
    plain, found = read().layers, read("layers.content_count=2").layers
    assert found.style == plain.style
    assert found.content == dict.fromkeys(("relu3_1", "relu5_1"), 0.5)


def test_so_many_layers_of_inception():
    found = read("network=inception_v3", "layers.style_count=5", "layers.content_count=5").layers
    own = [layer for layer in architecture("inception_v3").layers if layer in found.style]
    assert list(found.style) == own
    assert found.content == dict.fromkeys(own, 0.2)
    assert not any(layer.startswith("mixed") for layer in own)  # each layer by one of its names


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ("distilled", "texnet")])
def test_a_network_comes_with_layers_that_it_has(name):
    config = read(f"network={name}", "weights=random")
    assert not isinstance(config, UserError), config
    arch, net = networks.network(config)
    assert arch.name == name
    assert set(net.taps) == {*config.layers.content, *config.layers.style}


@pytest.mark.parametrize("count", [0, -1, 17])
def test_more_layers_than_there_are_is_a_mistake(count):
    found = read(f"layers.style_count={count}")
    assert isinstance(found, UserError)
    assert f"layers.style_count={count}, of network.name=vgg19: there are 16 layers to pick from, relu1_1" in str(found)


def test_a_job_is_known_by_its_layers_and_not_by_how_they_were_said():
    picked = read("layers.style_count=1")
    assert list(picked.layers.style) == ["relu4_1"]
    named = read(*(f"~layers.style.relu{i}_1" for i in (1, 2, 3, 5)))
    assert cells.name(picked) == cells.name(named)
    assert cells.name(picked) != cells.name(read())


def test_python_picks_the_same_layers():
    said = read("network=inception_v3", "layers.style_count=3", "layers.content_count=2").layers
    net = nst.load("inception_v3", weights="random", style_count=3, content_count=2)
    assert (dict(net.style_layers), dict(net.content_layers)) == (said.style, said.content)
    assert set(net.extractor.taps) == {*said.style, *said.content}
    assert set(shapes(net.extractor, net.params, height=91, width=91)) == set(net.extractor.taps)


def test_python_picks_one_side_and_leaves_the_other():
    plain, net = nst.load("distilled"), nst.load("distilled", style_count=2)
    assert net.content_layers == plain.content_layers
    assert dict(net.style_layers) == read("network=distilled", "layers.style_count=2").layers.style
    with pytest.raises(ValueError, match=r"layers to pick from, .*got 40"):
        nst.load("distilled", content_count=40)


def test_python_takes_published_layers_by_their_name():
    net = nst.load("inception_v3_keras", weights="random", layers="report_tf2")
    config = read("+preset=report_tf2", "weights=random")
    assert (dict(net.style_layers), dict(net.content_layers)) == (config.layers.style, config.layers.content)
    seen = shapes(net.extractor, net.params, height=91, width=91)
    assert seen["conv2d"] == (45, 45, 32)
    with pytest.raises(UserError, match=r"layers: there is no report_tf3\. Did you mean report_tf2"):
        nst.load("distilled", layers="report_tf3")


def test_weights_that_end_before_a_picked_layer_are_refused(data):
    path = data / "weights" / "vgg19_blocks1-3.safetensors"
    with pytest.raises(UserError, match="the weights hold a part of vgg19 only: there is no conv"):
        nst.load(path, style_count=5)


def test_a_layer_that_a_network_lacks_is_said_with_those_that_are_meant():
    found = read("network=inception_v3", "layers=gatys")
    with pytest.raises(UserError, match=r"network\.name=inception_v3.*\n.*layers=inception_v3"):
        networks.network(found)


def test_an_image_that_is_too_small_is_said_with_the_layer():
    arch, net = networks.network(read("network=inception_v3"))
    with pytest.raises(UserError, match="a side of 30 pixels vanishes on the way to"):
        networks.check_depth(arch, net, (30, 200, 3))

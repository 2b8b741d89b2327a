"""The two trained networks that come with the package: what is in them, and what they paint."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.analysis.metrics import style_distances
from nst_jax.shell.io import models
from nst_jax.shell.places import PACKAGE

NAMES = ("any_style", "eight_styles")
PLACE = PACKAGE / "trained" / "models"
MEGABYTES = 3.0  # of both together
SIZE = 160


@pytest.fixture(scope="module")
def photo():
    return nst.picture("landscape", size=SIZE)


@pytest.fixture(scope="module")
def texnet():
    return nst.load("texnet")


def moments(net, image):
    found = nst.features(net.extractor, net.params, image)
    return {layer: nst.moments(found[layer]) for layer in net.style_layers}


def distance(net, image, style):
    """The mean distance of two pictures' Gram matrices, over the layers."""
    found = style_distances(moments(net, jnp.asarray(image)), moments(net, style))
    return float(np.mean([float(value) for value in found.values()]))


def test_both_are_small_and_there_is_a_card_for_each():
    assert {path.stem for path in PLACE.glob("*.safetensors")} == set(NAMES)
    assert sum(path.stat().st_size for path in PLACE.glob("*.safetensors")) < MEGABYTES * 1e6
    for name in NAMES:
        card = (PLACE / f"{name}.md").read_text(encoding="utf-8")
        notes = models.load(PLACE / f"{name}.safetensors").notes
        assert notes["steps"] in card.replace(",", "")
        assert f"nst-train {notes['command'].split()[-1]}" in card
        assert "licence" in notes


@pytest.mark.parametrize("name", NAMES)
def test_the_file_names_no_folder_of_a_machine(name):
    config = json.loads(models.load(PLACE / f"{name}.safetensors").notes["config"])
    assert "/" not in json.dumps([config[key] for key in ("data", "styles", "start")])
    assert "folder" not in config


@pytest.mark.optimised
@pytest.mark.parametrize("painting", nst.pictures.STYLES)
def test_any_style_brings_a_photograph_nearer_to_a_painting(painting, photo, texnet):
    style = nst.picture(painting, size=SIZE)
    image = np.clip(nst.paint(nst.load_model("any_style"), photo, style).image, 0, 1)
    assert distance(texnet, image, style) < 0.7 * distance(texnet, photo, style)
    assert float(nst.ssim(jnp.asarray(image), photo)) > 0.2


@pytest.mark.optimised
def test_eight_styles_are_eight(photo, texnet):
    model = nst.load_model("eight_styles")
    names = model.header["style_names"]
    assert len(names) == 8
    painted = {name: np.clip(nst.paint(model, photo, name).image, 0, 1) for name in names}
    for name in nst.pictures.STYLES:
        style = nst.picture(name, size=SIZE)
        own = next(image for key, image in painted.items() if key.startswith(name))
        assert distance(texnet, own, style) < distance(texnet, photo, style)
    colours = np.stack([image.mean((0, 1)) for image in painted.values()])
    apart = np.abs(colours[:, None] - colours[None]).sum(-1) + np.eye(8)
    assert apart.min() > 0.01

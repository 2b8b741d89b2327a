"""A picture and a network in a line each."""

import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst
from nst_jax.shell.errors import UserError


def test_a_bundled_picture_and_a_file_of_the_same():
    by_name = nst.picture("landscape", size=40)
    assert max(by_name.shape[:2]) == 40
    np.testing.assert_array_equal(by_name, nst.picture(nst.pictures.path("landscape"), size=40))
    with pytest.raises(UserError, match="no file"):
        nst.picture("landscap", size=40)


def stylised(eye):
    """Two steps with all that came along, and whether they got anywhere."""
    content, style = (nst.picture(name, size=32) for name in ("landscape", "brush"))
    targets = nst.targets(eye.network, eye.params, content, style, **eye.taps)
    weights = nst.weights(eye.convention, targets, **eye.pull, **eye.layers)
    spec = nst.Spec(eye.network, eye.convention, nst.SOLVERS["lbfgs"], (("memory", 3), ("evaluations", 5)))
    values = nst.stylise(spec, nst.Problem(eye.params, targets, weights, {}), content, steps=2).infos.value
    return bool(values[1] < values[0])


def test_texnet_comes_with_its_settings():
    eye = nst.extractor()
    assert "texnet" in eye.source
    assert eye.network.pool == "avg"
    assert eye.network.taps == ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1")
    assert eye.convention is nst.CONVENTIONS["whitened"]
    assert eye.pull == {"content_weight": 1.0, "style_weight": 3.0, "tv_weight": 4.0}
    assert eye.params["conv1_1"]["kernel"].dtype == jnp.float32
    assert stylised(eye)


def test_a_file_of_three_blocks_is_a_vgg_19_with_the_layers_it_has(data):
    eye = nst.extractor(data / "weights/vgg19_blocks1-3.safetensors")
    assert eye.network.blocks == nst.VGG19
    layers = {"content_layers": ("relu3_3",), "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu3_4")}
    assert eye.taps == layers | {"convention": nst.CONVENTIONS["gatys_released"]}
    assert eye.pull["style_weight"] == 1e3
    assert stylised(eye)


def test_a_file_that_is_no_vgg_19(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        nst.extractor(tmp_path / "vgg19.h5")

"""Which jobs share a program."""

import pytest
from hydra import compose, initialize_config_dir

from nst_jax import pictures
from nst_jax.shell.places import conf
from nst_jax.shell.settings import config
from nst_jax.shell.sweeps.grouping import outline


def outline_of(*words):
    pair = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}", "size=32")
    with initialize_config_dir(str(conf()), **config.VERSION_BASE):
        return outline(config.read(compose("config", overrides=[*pair, *words])))


@pytest.mark.parametrize(
    "word", ["seed=3", "style_weight=7", "style_scale=0.5", "canvas=noise", "layers.style.relu1_1=2"]
)
def test_numbers_do_not_shape_a_program(word):
    assert outline_of(word) == outline_of()


@pytest.mark.parametrize(
    "word", ["size=48", "network.pool=avg", "optimiser=adam", "layers=blocks1-3", "content_weight=0"]
)
def test_what_shapes_a_program_makes_another(word):
    assert outline_of(word) != outline_of()


@pytest.mark.parametrize("word", ["device.precision=bfloat16", "convention.resolution=invariant"])
def test_settings_of_the_device_and_the_resolution_make_another(word):
    assert outline_of(word) != outline_of()


@pytest.mark.parametrize("name", ["sliced_wasserstein", "histogram", "mrf"])
def test_an_aim_that_grows_with_the_style_picture_makes_another(name):
    assert outline_of(f"convention={name}", "style_scale=0.5") != outline_of(f"convention={name}")


def test_the_size_rule_original_has_a_scale_too():
    """Lanes of a convention that keeps activations must have style pictures of one shape."""
    rule = ("size_rule=original", "convention=sliced_wasserstein")
    assert outline_of(*rule, "style_scale=0.5") != outline_of(*rule)
    moments = ("size_rule=original", "convention=gatys_2016")
    assert outline_of(*moments, "style_scale=0.5") == outline_of(*moments)


@pytest.mark.parametrize("word", ["convention.positions=own", "convention.resolution=invariant"])
def test_readings_of_a_convention_make_another(word):
    assert outline_of("convention=cysmith", word) != outline_of("convention=cysmith")

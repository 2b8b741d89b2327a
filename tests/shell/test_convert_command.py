"""nst-convert: weights as words that nst takes, remarks, and names that are none."""

import subprocess
import sys

import pytest

from nst_jax.shell.cli.convert import main


def converted(capsys, *words):
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_paper_for_neural_style_pt(capsys):
    """At 512: content 1/2 N M = 2^20; style 1e3 / 5 / 4 = 50 a layer, which is 50 N^2 there."""
    code, out, _ = converted(capsys, "--from", "gatys_2016", "--to", "neural_style_pt", "--size", "512")
    assert code == 0
    words = out.splitlines()[-1].split()
    assert words[:3] == ["nst", "convention=neural_style_pt", "layers=gatys"]
    assert set(words[3:]) == {
        "content_weight=1.04858e+06",
        "style_weight=204800",
        "layers.style.relu2_1=4",
        "layers.style.relu3_1=16",
        "layers.style.relu4_1=64",
        "layers.style.relu5_1=64",
        "tv_weight=0",
    }
    assert "s/c relu1_1 4.768e-05" in out
    assert "# these weights hold for each of several styles, and in regions" in out


def test_what_has_no_equivalent_is_said(capsys):
    _, out, _ = converted(capsys, "--from", "neural_style_pt", "--to", "style_transfer_pytorch", "--size", "64x48")
    assert "# style has no equivalent (relu1_1, relu2_1, relu3_1, relu4_1, relu5_1)" in out
    assert "# smoothness has no equivalent" in out
    assert "style_weight" not in out.splitlines()[-1]
    assert "in regions" not in out
    assert "64 x 48" in out


def test_weights_of_ones_own(capsys):
    words = ("--content", "7", "--style", "500", "--tv", "0", "--size", "32")
    _, out, _ = converted(capsys, "--from", "anishathalye", "--to", "neural_style", *words)
    assert (
        out.splitlines()[-1] == "nst convention=neural_style layers=gatys content_weight=7 style_weight=100 tv_weight=0"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "gatys_2015", "--to", "keras"),
        ("--from", "keras", "--to", "kerras"),
        ("--from", "keras", "--to", "keras", "--layers", "gatis"),
        ("--from", "keras", "--to", "keras", "--network", "vgg17"),
    ],
)
def test_an_unknown_name_lists_the_names(capsys, words):
    code, out, err = converted(capsys, *words)
    assert (code, out) == (2, "")
    assert "Did you mean" in err
    assert "The names:" in err


def test_layers_that_the_network_does_not_have(capsys):
    words = ("--from", "keras", "--to", "gatys_2016", "--network", "texnet", "--size", "32")
    code, _, err = converted(capsys, *words)
    assert code == 2
    assert "relu5_1" in err
    code, out, _ = converted(capsys, *words, "--layers", "texnet")
    assert code == 0
    assert "layers=texnet" in out


@pytest.mark.parametrize("size", ["0", "x", "512x", "1x2x3", "-5", "ten"])
def test_a_size_that_is_none(capsys, size):
    code, _, err = converted(capsys, "--from", "keras", "--to", "keras", f"--size={size}")
    assert code == 2
    assert "pixels" in err


def test_help_answers_before_jax_is_loaded():
    code = "import sys; from nst_jax.shell.cli.convert import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit(any(m in sys.modules for m in ('jax', 'hydra', 'omegaconf', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0

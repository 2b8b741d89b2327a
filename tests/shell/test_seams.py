"""A loss and a network of one's own, each in one file, through the whole: run, sweep, table, log, export."""

import csv
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nst_jax as nst

LOSS = """
import jax.numpy as jnp

from nst_jax.losses.term import IMAGE, Aim, Term
from nst_jax.published import CONVENTIONS


def measure(image, photo):
    return jnp.sum((image - photo) ** 2), jnp.float32(image.size)


def compare(sums, _):
    return sums[0] / sums[1]


def aim(view):
    return Aim(local=view.activation)


NEAR = Term("near/image", IMAGE, measure, compare, of="content", aim=aim)
LOSS = CONVENTIONS["gatys_released"]._replace(others=((NEAR, 7.0),))
"""

NETWORK = """
import jax
import jax.numpy as jnp
from flax import nnx

from nst_jax.extractors.base import Architecture, Function, draw_params
from nst_jax.nn.windows import CONVOLUTION

KERNELS = {"conv_a": (3, 3, 3, 4), "conv_b": (3, 3, 4, 6)}


def activations(params, image, taps):
    \"\"\"Two convolutions by flax.nnx.\"\"\"
    x, out = (image @ params["input"]["kernel"] + params["input"]["bias"])[None], {}
    for name in KERNELS:
        layer = nnx.Conv(*KERNELS[name][2:], (3, 3), rngs=nnx.Rngs(0))
        layer.kernel.set_value(params[name]["kernel"])
        layer.bias.set_value(params[name]["bias"])
        x = out[name[-1]] = jax.nn.relu(layer(x))
    return {tap: out[tap][0] for tap in taps}


def build(taps, **settings):
    return Function(activations, taps)


def shapes(network, *, height, width):
    return {tap: (height, width, {"a": 4, "b": 6}[tap]) for tap in network.taps}


NET = Architecture(
    name="toy:NET",
    layers=("a", "b"),
    build=build,
    shapes=shapes,
    windows=lambda layer, *, rounding: (CONVOLUTION,) * {"a": 1, "b": 2}[layer],
    kernels=KERNELS,
    needs=lambda taps: tuple(KERNELS),
    random=lambda key: draw_params(key, KERNELS),
    prepare=lambda params, *, convolution, dtype: params,
    stages=(("conv_a",), ("conv_b",)),
    aliases={name: name for name in KERNELS},
    sources={},
    packaged=None,
    fingerprint=None,
    profile="gatys",
    convention="gatys_released",
)
"""

PAIR = (f"content={nst.pictures.path('landscape')}", f"style={nst.pictures.path('brush')}")
LAYERS = (
    *("layers=blocks1-3", "~layers.content.relu3_3", "+layers.content.b=1", "+layers.style.a=1"),
    *(f"~layers.style.{name}" for name in ("relu1_1", "relu2_1", "relu3_1", "relu3_4")),
)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """The two files, where Python finds them."""
    for name, text in (("my_loss", LOSS), ("my_network", NETWORK.replace("toy:NET", "my_network:NET"))):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_through_a_sweep(toys, nst):
    words = (*PAIR, *LAYERS, "network.name=my_network:NET", "weights=random", "convention.name=my_loss:LOSS")
    code, text = nst("-m", *words, "size=16", "steps=3", "output.every=1", "style_weight=1,100")
    assert code == 0, text
    folder = Path(text.split("table:   ")[1].split("/results.csv")[0])
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "done"]
    for row in rows:
        for column in ("content_b", "style_a", "near_image", "weighted_near"):
            assert np.isfinite(float(row[column]))
        np.testing.assert_allclose(float(row["weighted_near"]), 7 * float(row["near_image"]), rtol=1e-5)
        lines = [json.loads(line) for line in (folder / row["path"] / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [0, 1, 2, 3]
        assert lines[0]["terms"].keys() == {"content/b", "style/a", "near/image"}
        assert lines[0]["terms"]["near/image"] == 0
        assert lines[-1]["terms"]["near/image"] > 0
    code, text = nst(*words, "size=16", "steps=2", "output.every=0")
    assert code == 0, text


def test_through_the_trackers(toys, nst, tmp_path):
    pytest.importorskip("tensorboardX")
    from nst_jax.shell.reports import export

    words = (*PAIR, *LAYERS, "network.name=my_network:NET", "weights=random", "convention.name=my_loss:LOSS")
    code, text = nst("-m", *words, "size=16", "steps=1", "output.every=1", "seed=0,1")
    assert code == 0, text
    export.run(tmp_path / text.split("table:   ")[1].split("/results.csv")[0], "tensorboard")


def test_through_python(toys):
    import my_loss  # pyright: ignore[reportMissingImports]
    import my_network  # pyright: ignore[reportMissingImports]

    content, style = nst_picture("landscape"), nst_picture("brush")
    net = nst.Network(my_network.build(("a", "b")), my_network.NET.random(jax.random.key(0)), {"b": 1.0}, {"a": 1.0})
    problem = nst.add(nst.problem(net, content, style, convention="gatys_released"), my_loss.NEAR, weight=7.0)
    result = nst.run(nst.over(problem, near=jnp.asarray([0.0, 1.0, 1e4])), steps=3, progress=False)
    near = np.asarray(result.terms["near/image"])
    assert near[2] < near[1] <= near[0]


def nst_picture(name):
    return nst.picture(name, size=16)


@pytest.mark.parametrize(
    ("word", "message"),
    [("network.name=nothing.here:NET", "No module named"), ("convention.name=nst_jax.published:NOTHING", "NOTHING")],
)
def test_a_name_that_leads_nowhere(nst, word, message):
    code, text = nst(*PAIR, "network=distilled", "size=24", word)
    assert code == 2
    assert message in text
    assert "package.module:NAME" in text
    assert "Traceback" not in text

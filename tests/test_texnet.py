"""The shipped texnet, the generator it learned from, and the script that trained it."""

import hashlib
from importlib import resources

import jax
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from experiments.networks import train_texnet
from experiments.networks.texnet import config, folding, model, training
from experiments.networks.texnet.scenes import scene
from experiments.networks.texnet.textures import FAMILIES, pictures
from nst_jax.extractors import vgg
from nst_jax.extractors.base import features

SHA256 = "dc4a8e0130275b23dadadf5432f58633bf7d19a35de3f23d22f1587f694281bd"
BLOCKS = ((32, 2), (64, 2), (96, 3), (96, 2))

TINY = [
    *("blocks=[[4,1],[6,2]]", "variants=1", "pictures=3", "held_out=1", "scenes=4", "size=32", "side=16", "workers=1"),
    *("batch=4", "steps=4", "warmup=1", "embedding=4", "sketch=2", "measured=2", "report=2", "checkpoint=2"),
]


@pytest.fixture(scope="module")
def shipped():
    return resources.files("nst_jax.trained") / "texnet.safetensors"


def test_shipped_file_is_the_one_of_the_model_card(shipped):
    content = shipped.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert len(content) < 1_000_000


def test_shipped_layers(shipped):
    with safe_open(str(shipped), "np") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        kinds = {file.get_tensor(name).dtype for name in shapes}
        notes = file.metadata()
    expected = {f"{layer}.kernel": shape for layer, shape in vgg.kernels(BLOCKS).items()}
    expected |= {f"{layer}.bias": shape[3:] for layer, shape in vgg.kernels(BLOCKS).items()}
    assert shapes == expected | {"input.kernel": (3, 3), "input.bias": (3,)}
    assert kinds == {np.dtype(np.float16)}
    assert {"seed", "command", "date", "commit", "held_out", "licence"} <= set(notes)


@pytest.mark.parametrize("family", FAMILIES)
def test_family_draws_pictures(family):
    drawn = pictures(family, variant=1, seed=3, count=2, size=40)
    assert drawn.shape == (2, 40, 40, 3)
    assert drawn.dtype == np.float32
    assert np.isfinite(drawn).all()
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.std() > 0.01
    assert not np.allclose(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[1], pictures(family, variant=1, seed=4, count=1, size=40)[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_classes_differ(family):
    first, second = (pictures(family, variant=v, seed=3, count=1, size=40) for v in (0, 3))
    assert np.abs(first - second).mean() > 0.01


def test_scene_is_a_picture_of_its_seed():
    drawn = scene(seed=1, size=40, variants=2)
    assert drawn.shape == (40, 40, 3)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    np.testing.assert_array_equal(drawn, scene(seed=1, size=40, variants=2))


def test_typing_error_in_a_setting_is_told():
    with pytest.raises(Exception, match="lerning_rate"):
        config.read(["lerning_rate=1"])


@pytest.fixture(scope="module")
def variables():
    """A trunk whose statistics and scales are not those of initialisation."""
    net = model.Net(((4, 1), (6, 2)), 3, 2, 4, 2)
    start = jax.jit(lambda key: net.init(key, np.zeros((2, 16, 16, 3), np.float32), training=True))
    leaves, tree = jax.tree.flatten(start(jax.random.key(0)))
    chance = np.random.default_rng(1)
    moved = [a + 0.3 * chance.random(a.shape, np.float32) for a in leaves]
    return net.blocks, jax.tree.unflatten(tree, moved)


def test_folded_network_is_the_trained_one(variables):
    blocks, values = variables
    image = jax.random.uniform(jax.random.key(2), (16, 16, 3))
    part = {kind: values[kind]["trunk"] for kind in values}
    expected = jax.jit(lambda p, x: model.Trunk(blocks).apply(p, x, training=False))(part, image[None])
    network = vgg.VGG(("relu1_1", "relu2_2"), blocks, "avg", "floor", "zero")
    seen = jax.jit(lambda p, x: features(network, p, x))(folding.fold(values), image)
    np.testing.assert_allclose(seen["relu1_1"], expected[0][0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(seen["relu2_2"], expected[1][0], rtol=1e-4, atol=1e-4)


def test_normalised_activations_have_mean_one(variables):
    blocks, values = variables
    params = folding.fold(values)
    images = jax.random.uniform(jax.random.key(2), (3, 16, 16, 3))
    before = folding.means(params, images, blocks=blocks)
    after = folding.means(folding.normalise(params, images, blocks=blocks, floor=1e-9), images, blocks=blocks)
    for name, mean in after.items():
        alive = np.asarray(before[name]) > 1e-4
        np.testing.assert_allclose(np.asarray(mean)[alive], 1, rtol=1e-3)


@pytest.mark.slow
def test_resumed_training_writes_what_the_uninterrupted_one_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "stepper", compiled_once(training.stepper))
    whole, halves = (
        config.read([*TINY, f"cache={tmp_path}", f"weights={tmp_path}/{name}.safetensors"])
        for name in ("whole", "halves")
    )
    figures = train_texnet.main(whole)
    assert set(figures) == {"block1", "block2"}
    train_texnet.main(halves, until=2)
    stopped = load_file(halves.weights)
    assert train_texnet.main(halves) == figures
    straight, resumed = load_file(whole.weights), load_file(halves.weights)
    assert not np.array_equal(stopped["conv1_1.kernel"], straight["conv1_1.kernel"])
    for name, values in straight.items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, resumed[name])
    assert capsys.readouterr().out.count("step 4/4") == 2


def compiled_once(make):
    """Both configurations run the same program."""
    kept = []

    def stepper(settings):
        kept.append(kept[0] if kept else make(settings))
        return kept[0]

    return stepper

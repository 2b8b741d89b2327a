"""What the networks of torchvision and Keras give for parameters and an image of tests/network_values.py.

    pip install torch==2.13.0 torchvision==0.28.0 && python tests/golden/networks.py torchvision
    pip install keras==3.15.1 torch==2.13.0 && KERAS_BACKEND=torch python tests/golden/networks.py keras

Written to networks.json: network -> padding -> layer -> its shape and some numbers. Neither program is needed for the
tests. Keras' convolutions are named by their number in the model's order, torchvision's by its own names.

padding: zero, as the networks are; reflect, where every convolution and every average with zeros beyond the border has
a mirrored image there.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

import network_values as values  # noqa: E402

FILE = HERE / "networks.json"
SQUEEZENET = {"conv1": "features.1", "fire2": "features.3", "fire3": "features.4", "fire4": "features.6"}
SQUEEZENET |= {"fire5": "features.7", "fire6": "features.9", "fire7": "features.10", "fire8": "features.11"}
SQUEEZENET |= {"fire9": "features.12"}
STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2")
GOOGLENET = (
    *("conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3", "inception4a"),
    *("inception4b", "inception4c", "inception4d", "inception4e", "maxpool4", "inception5a", "inception5b"),
)
INPUTS = {"inception_v3": "tf", "googlenet": "tf"}  # the others: ImageNet's mean and deviation
RAW = {  # outputs of Keras' Conv2D layers, before their normalisations
    "inception_v3_keras": ("conv2d", "conv2d_4", "conv2d_40", *(f"conv2d_{i}" for i in (85, 87, 88, 91, 92, 93))),
}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torch_layers(network, model):
    """Our layer -> torchvision's module."""
    if network == "squeezenet":
        return SQUEEZENET
    if network == "googlenet":
        return {name: name for name in GOOGLENET}
    if network == "inception_v3":
        mixed = [name for name, _ in model.named_children() if name.startswith("Mixed")]
        return {name: name for name in (*STEM, *mixed)}
    blocks = {f"layer{s}_{i}": f"layer{s}.{i}" for s in range(1, 5) for i in range(len(getattr(model, f"layer{s}")))}
    return {"conv1": "relu", "maxpool": "maxpool", **blocks}


def torch_state(model):
    """Values for each tensor of a model, by its name."""
    import torch  # pyright: ignore[reportMissingImports]

    found, roles = {}, {"running_mean": "mean", "running_var": "variance", "weight": "scale", "bias": "offset"}
    for name, tensor in model.state_dict().items():
        path, _, role = name.rpartition(".")
        if tensor.ndim > 1:
            array = values.kernel(path, tuple(tensor.shape), int(np.prod(tensor.shape[1:])))
        elif role in roles:
            array = values.vector(path, roles[role], tensor.numel())
        else:
            continue
        found[name] = torch.from_numpy(array)
    return found


def mirror(model):
    """Mirror the image beyond the borders, in place of zeros."""
    import torch  # pyright: ignore[reportMissingImports]
    from torch.nn import functional  # pyright: ignore[reportMissingImports]

    plain = functional.avg_pool2d
    functional.avg_pool2d = lambda x, kernel_size, stride, padding: plain(
        functional.pad(x, (padding,) * 4, mode="reflect"), kernel_size, stride
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and any(module.padding):
            down, across = module.padding
            module.padding = (0, 0)
            module.register_forward_pre_hook(
                lambda m, x, pads=(across, across, down, down): functional.pad(x[0], pads, mode="reflect")
            )


def see(network, padding):
    """The summaries of one of torchvision's networks, by layer."""
    import torch  # pyright: ignore[reportMissingImports]
    import torchvision  # pyright: ignore[reportMissingImports]

    own = "squeezenet1_1" if network == "squeezenet" else network
    extra = {"init_weights": False, "transform_input": False} if network in INPUTS else {}
    model = getattr(torchvision.models, own)(weights=None, **extra).eval()
    model.load_state_dict(torch_state(model), strict=False)
    if padding == "reflect":
        mirror(model)
    found, modules = {}, dict(model.named_modules())
    for layer, path in torch_layers(network, model).items():
        keep = lambda m, x, y, layer=layer: found.__setitem__(layer, y.detach()[0].permute(1, 2, 0).numpy().copy())
        modules[path].register_forward_hook(keep)
    x = values.image()
    x = 2 * x - 1 if network in INPUTS else (x - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    with torch.no_grad():
        model(torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float32)))
    return {layer: values.summary(layer, activation) for layer, activation in found.items()}


def see_torchvision():
    """The summaries of torchvision's networks, by name and padding."""
    import torch  # pyright: ignore[reportMissingImports]

    known = {}
    for network in ("squeezenet", "googlenet", "inception_v3", "resnet18", "resnet34", "resnet50", "resnet101"):
        plain = torch.nn.functional.avg_pool2d
        for padding in ("zero", "reflect"):
            known.setdefault(network, {})[padding] = see(network, padding)
            torch.nn.functional.avg_pool2d = plain
        print(network, len(known[network]["zero"]))
    return known


def fill(model):
    """Give a Keras model its values: the i-th convolution and the i-th normalisation, in the model's order."""
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    for i, layer in enumerate(convolutions):
        shape = tuple(layer.kernel.shape)
        arrays = [values.kernel(f"conv {i}", shape, int(np.prod(shape[:3])))]
        arrays += [values.vector(f"conv {i}", "bias", shape[3])] if layer.use_bias else []
        layer.set_weights(arrays)
    for i, layer in enumerate(norms):
        roles = (["scale"] if layer.scale else []) + ["offset", "mean", "variance"]
        width = int(layer.moving_mean.shape[0])
        layer.set_weights([values.vector(f"norm {i}", role, width) for role in roles])


def see_keras(folder=None):
    """The summaries of Keras' networks, by name and padding. folder: where files of their weights are written."""
    import keras  # pyright: ignore[reportMissingImports]

    known = {}
    for network, build in (
        ("inception_v3_keras", keras.applications.InceptionV3),
        ("resnet50_keras", keras.applications.ResNet50),
    ):
        keras.backend.clear_session()  # it counts conv2d, conv2d_1 ... from here
        model = build(include_top=False, weights=None, input_shape=(values.HEIGHT, values.WIDTH, 3))
        fill(model)
        x = 255 * values.image()[None]
        if network == "inception_v3_keras":
            x = x / 127.5 - 1
            layers = {f"mixed{i}": f"mixed{i}" for i in range(11)}
        else:
            x = x[..., ::-1] - np.array((103.939, 116.779, 123.68), np.float32)
            layers = {n.name: n.name for n in model.layers if n.name.endswith("_out")}
            layers |= {"conv1_relu": "conv1_relu", "pool1_pool": "pool1_pool"}
        layers |= {name: name for name in RAW.get(network, ())}
        whole = keras.Model(model.input, [model.get_layer(name).output for name in layers.values()])
        found = dict(zip(layers, whole.predict(x.astype(np.float32), verbose=0), strict=True))
        known[network] = {"zero": {layer: values.summary(layer, a[0]) for layer, a in found.items()}}
        if folder:
            model.save_weights(Path(folder) / f"{network}.weights.h5")
            model.save(Path(folder) / f"{network}.h5")
        print(network, len(found))
    return known


if __name__ == "__main__":
    seen = see_torchvision() if sys.argv[1] == "torchvision" else see_keras(*sys.argv[2:])
    before = json.loads(FILE.read_text()) if FILE.exists() else {}
    text = (
        json.dumps(before | seen, indent=None, separators=(",", ":")).replace('"},"', '"},\n"').replace("]},", "]},\n")
    )
    FILE.write_text(text + "\n")

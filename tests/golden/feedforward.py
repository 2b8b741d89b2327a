"""What torch gives for the feed-forward networks, with the values of tests/feedforward_values.py.

    pip install torch==2.13.0 && python tests/golden/feedforward.py

Written to feedforward.json: result -> its shape and some of its numbers. torch is not needed for the tests. Each
network is written here once more, from its publication, layer by layer and in float64: the publications are named in
nst_jax/methods/feedforward/records.py. TensorFlow's padding is written out.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

import feedforward_values as values  # noqa: E402

FILE = HERE / "feedforward.json"
MEAN = torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64)[:, None, None]  # BGR
NARROW, MIDDLE, WIDE = values.WIDTHS


def tensor(array):
    """An array in float64."""
    return torch.from_numpy(np.ascontiguousarray(array)).double()


def channels_first(array):
    """(..., height, width, channels) -> (..., channels, height, width)."""
    return tensor(np.moveaxis(array, -1, -3))


def channels_last(x):
    """The inverse, as an array."""
    return np.moveaxis(x.numpy(), -3, -1)


def spread(x, around, mode):
    """Padding of so many pixels on each side: reflect, replicate."""
    return functional.pad(x, (around,) * 4, mode=mode)


class Layers:
    """The layers of one network: its parameters by name, and its normalisation."""

    def __init__(self, network, *, bias, norm, eps):
        self.network, self.bias, self.norm, self.eps = network, bias, norm, eps
        self.mixes = None  # of the conditional network: (batch, styles)

    def conv(self, name, x, width, size, *, stride=1, pad="zero", norm=True, relu=True):
        """A convolution with its padding, the normalisation and the ReLU."""
        own = self.values(name, (size, size, x.shape[1], width), norm)
        half = size // 2
        if pad in ("reflect", "replicate"):
            x = spread(x, half, pad)
        elif pad == "zero":
            x = functional.pad(x, (half,) * 4)
        elif pad == "same":  # TensorFlow: with a stride of 2 and an even side nothing before and one after
            x = functional.pad(x, (half,) * 4) if stride == 1 else functional.pad(x, (0, 1, 0, 1))
        weight = tensor(own["kernel"].transpose(3, 2, 0, 1))
        return self.finish(functional.conv2d(x, weight, stride=stride), own, norm, relu)

    def transposed(self, name, x, width, *, same):
        """A transposed convolution of stride 2. same: TensorFlow's; else torch's with padding 1 and adjustment 1."""
        own = self.values(name, (3, 3, x.shape[1], width), True)
        weight = tensor(own["kernel"][::-1, ::-1].transpose(2, 3, 0, 1))
        if same:  # the gradient of a convolution with 0 zeros before and 1 after
            x = functional.conv_transpose2d(x, weight, stride=2)[:, :, :-1, :-1]
        else:
            x = functional.conv_transpose2d(x, weight, stride=2, padding=1, output_padding=1)
        return self.finish(x, own, True, True)

    def residual(self, name, x, width, pad):
        """Two convolutions, added to what comes in."""
        y = self.conv(f"{name}_1", x, width, 3, pad=pad)
        y = self.conv(f"{name}_2", y, width, 3, pad=pad, relu=False)
        return y + (x[:, :, 2:-2, 2:-2] if pad == "none" else x)

    def values(self, name, shape, norm):
        styles = len(values.STYLES[0])
        norm = self.norm if norm else "none"
        return values.layer(self.network, name, shape, bias=self.bias, norm=norm, styles=styles)

    def finish(self, x, own, norm, relu):
        if "bias" in own:
            x = x + tensor(own["bias"])[:, None, None]
        if norm and self.norm == "batch":
            roles = (own[role] for role in ("mean", "variance", "scale", "offset"))
            x = functional.batch_norm(x, *map(tensor, roles), eps=self.eps)
        elif norm:
            x = functional.instance_norm(x, eps=self.eps)
            scale, offset = tensor(own["scale"]), tensor(own["offset"])
            if self.mixes is not None:
                scale, offset = self.mixes @ scale, self.mixes @ offset
            x = x * scale[..., None, None] + offset[..., None, None]
        return functional.relu(x) if relu else x


def johnson(images, network, norm):
    """jcjohnson/fast-neural-style: c9s1-32,d64,d128,R128 x 5,u64,u32,c9s1-3, reflect-start."""
    own = Layers(network, bias=True, norm=norm, eps=1e-5)
    x = images.flip(1) * 255 - MEAN
    x = spread(x, 40, "reflect")
    x = own.conv("conv1", x, NARROW, 9)
    x = own.conv("conv2", x, MIDDLE, 3, stride=2)
    x = own.conv("conv3", x, WIDE, 3, stride=2)
    for i in range(1, 6):
        x = own.residual(f"residual{i}", x, WIDE, "none")
    x = own.transposed("transposed1", x, MIDDLE, same=False)
    x = own.transposed("transposed2", x, NARROW, same=False)
    x = 150 * torch.tanh(own.conv("conv4", x, 3, 9, norm=False, relu=False))
    return (x + MEAN).flip(1) / 255


def lengstrom(images):
    """lengstrom/fast-style-transfer."""
    own = Layers("lengstrom", bias=False, norm="instance", eps=1e-3)
    x = own.conv("conv1", 255 * images, NARROW, 9, pad="same")
    x = own.conv("conv2", x, MIDDLE, 3, stride=2, pad="same")
    x = own.conv("conv3", x, WIDE, 3, stride=2, pad="same")
    for i in range(1, 6):
        x = own.residual(f"residual{i}", x, WIDE, "same")
    x = own.transposed("transposed1", x, MIDDLE, same=True)
    x = own.transposed("transposed2", x, NARROW, same=True)
    return (150 * torch.tanh(own.conv("conv4", x, 3, 9, pad="same", relu=False)) + 127.5) / 255


def pytorch_examples(images):
    """pytorch/examples, fast_neural_style."""
    own = Layers("pytorch_examples", bias=True, norm="instance", eps=1e-5)
    x = own.conv("conv1", 255 * images, NARROW, 9, pad="reflect")
    x = own.conv("conv2", x, MIDDLE, 3, stride=2, pad="reflect")
    x = own.conv("conv3", x, WIDE, 3, stride=2, pad="reflect")
    for i in range(1, 6):
        x = own.residual(f"residual{i}", x, WIDE, "reflect")
    for i, width in ((1, MIDDLE), (2, NARROW)):
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        x = own.conv(f"nearest{i}", x, width, 3, pad="reflect")
    return own.conv("conv4", x, 3, 9, pad="reflect", norm=False, relu=False) / 255


def ulyanov(images):
    """DmitryUlyanov/texture_nets, models/johnson.lua."""
    own = Layers("ulyanov", bias=True, norm="instance", eps=1e-5)
    x = own.conv("conv1", images, NARROW, 9, pad="replicate")
    x = own.conv("conv2", x, MIDDLE, 3, stride=2, pad="replicate")
    x = own.conv("conv3", x, WIDE, 3, stride=2, pad="replicate")
    for i in range(1, 6):
        x = own.residual(f"residual{i}", x, WIDE, "replicate")
    x = own.transposed("transposed1", x, MIDDLE, same=False)
    x = own.transposed("transposed2", x, NARROW, same=False)
    x = own.conv("conv4", x, 3, 3, pad="replicate", norm=False, relu=False)
    return (x + MEAN).flip(1) / 255


def dumoulin(images):
    """magenta, image_stylization/model.py."""
    own = Layers("dumoulin", bias=False, norm="conditional", eps=1e-5)
    own.mixes = tensor(np.array(values.STYLES))
    x = own.conv("conv1", images, NARROW, 9, pad="reflect")
    x = own.conv("conv2", x, MIDDLE, 3, stride=2, pad="reflect")
    x = own.conv("conv3", x, WIDE, 3, stride=2, pad="reflect")
    for i in range(1, 6):
        x = own.residual(f"residual{i}", x, WIDE, "reflect")
    for i, width in ((1, MIDDLE), (2, NARROW)):
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        x = own.conv(f"nearest{i}", x, width, 3, pad="reflect")
    return torch.sigmoid(own.conv("conv4", x, 3, 9, pad="reflect", relu=False))


def encode(x, *, ceil, until):
    """A narrow VGG-19 with reflect padding, as far as relu{until}_1: its activations relu1_1, relu2_1, ..."""
    own, found = Layers("vgg", bias=True, norm="none", eps=0.0), []
    for block, (width, depth) in enumerate(values.BLOCKS[:until], 1):
        for i in range(1, (depth if block < until else 1) + 1):
            x = own.conv(f"conv{block}_{i}", x, width, 3, pad="reflect", norm=False)
            found += [x] if i == 1 else []
        x = functional.max_pool2d(x, 2, ceil_mode=ceil) if block < until else x
    return found


DECODERS = {  # the channels out of each convolution
    1: (3,),
    2: (4, "up", 4, 3),
    3: (8, "up", 8, 4, "up", 4, 3),
    4: (12, "up", 12, 12, 12, 8, "up", 8, 4, "up", 4, 3),
    5: (16, "up", 16, 16, 16, 12, "up", 12, 12, 12, 8, "up", 8, 4, "up", 4, 3),
}


def decode(x, level):
    """The mirror of the encoder."""
    own, number = Layers(f"decoder{level}", bias=True, norm="none", eps=0.0), 0
    for width in DECODERS[level]:
        if width == "up":
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            continue
        number += 1
        x = own.conv(f"conv{number}", x, width, 3, pad="reflect", norm=False, relu=width != 3)
    return x


def adain(content, style, form):
    """(channels, ...) of each. form: adain_style or pytorch_adain."""
    shape, content, style = content.shape, content.flatten(1), style.flatten(1)
    unbiased = form == "pytorch_adain"
    variance = style.var(1, unbiased=unbiased, keepdim=True) + (1e-5 if unbiased else 0)
    own = content.var(1, unbiased=unbiased, keepdim=True) + 1e-5
    moved = (content - content.mean(1, keepdim=True)) / own.sqrt() * variance.sqrt() + style.mean(1, keepdim=True)
    return moved.reshape(shape)


def wct(content, style, *, damping):
    """(channels, ...) of each. damping: added to the diagonal of the content's covariance. Cut at 1e-5."""
    shape, content, style = content.shape, content.flatten(1), style.flatten(1)
    content = content - content.mean(1, keepdim=True)
    mean = style.mean(1, keepdim=True)
    roots = []
    for x, power, add in ((content, -0.5, damping), (style - mean, 0.5, 0.0)):
        covariance = x @ x.T / (x.shape[1] - 1) + add * torch.eye(len(x), dtype=x.dtype)
        u, s, _ = torch.linalg.svd(covariance)
        k = int((s >= 1e-5).sum())
        roots.append(u[:, :k] * s[:k] ** power @ u[:, :k].T)
    return (roots[1] @ roots[0] @ content + mean).reshape(shape)


def by_region(transform, content, styles):
    """Each region of the content by its own positions."""
    masks = values.regions(content.shape[1], content.shape[2])
    total = torch.zeros_like(content)
    for mask, style in zip(masks, styles, strict=True):
        place = tensor(mask) > 0.5
        total[:, place] = transform(content[:, place], style)
    return total


def transforms():
    """AdaIN and WCT on features."""
    content, low, first, second = (
        channels_first(values.features(*shape, **rest))
        for shape, rest in (
            (("content", 12, 15), {}),
            (("low", 12, 15), {"rank": 9}),
            (("first", 10, 18), {}),
            (("second", 14, 11), {}),
        )
    )
    for form in ("adain_style", "pytorch_adain"):
        yield f"adain {form}", adain(content, first, form)
    yield "adain alpha", 0.3 * adain(content, first, "adain_style") + 0.7 * content
    both = [adain(content, style, "adain_style") for style in (first, second)]
    yield "adain mix", 0.25 * both[0] + 0.75 * both[1]
    yield "adain regions", by_region(lambda c, s: adain(c, s, "adain_style"), content, (first, second))
    for rule, damping in (("ust", 0.0), ("pytorch_wct", 1.0)):
        yield f"wct {rule}", wct(content, first, damping=damping)
        yield f"wct low {rule}", wct(low, first, damping=damping)
    yield "wct alpha", 0.6 * wct(content, first, damping=0.0) + 0.4 * content
    both = [wct(content, style, damping=0.0) for style in (first, second)]
    yield "wct mix", 0.25 * both[0] + 0.75 * both[1]
    yield "wct regions", by_region(lambda c, s: wct(c, s, damping=0.0), content, (first, second))


def pipelines(images):
    """The whole way of AdaIN and of WCT: from two pictures to one."""
    content, style = images[:1], images[1:]
    own, aim = (encode(x, ceil=True, until=4)[-1][0] for x in (content, style))
    mixed = 0.7 * adain(own, aim, "pytorch_adain") + 0.3 * own
    yield "adain picture", decode(mixed[None], 4)
    x = content
    for level in (5, 4, 3, 2, 1):
        own, aim = (encode(each, ceil=False, until=level)[-1][0] for each in (x, style))
        x = decode((0.6 * wct(own, aim, damping=0.0) + 0.4 * own)[None], level)
    yield "wct picture", x


def main():
    """Write the file."""
    images = channels_first(values.pictures())
    norms = {"johnson": "batch", "johnson_instance": "instance"}
    found = {network: johnson(images, network, norm) for network, norm in norms.items()}
    for network in (lengstrom, pytorch_examples, ulyanov, dumoulin):
        found[network.__name__] = network(images)
    found |= dict(transforms()) | dict(pipelines(images))
    kept = {name: values.keep(name, channels_last(x)) for name, x in found.items()}
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(x, separators=(',', ':'))}" for name, x in kept.items())
    FILE.write_text("{" + lines + "}\n")
    for name, x in found.items():
        print(f"{name:20} {tuple(x.shape)} {x.min():.3f} to {x.max():.3f}")


if __name__ == "__main__":
    with torch.no_grad():
        main()

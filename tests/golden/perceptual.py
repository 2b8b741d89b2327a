"""What LPIPS and SIFID give in torch, for parameters and images of tests/network_values.py.

    pip install torch==2.13.0 torchvision==0.28.0 lpips==0.1.4 scipy && python tests/golden/perceptual.py

Written to perceptual.json. None of these is needed for the tests. SIFID is computed as SIFID/sifid_score.py of
github.com/tamarott/SinGAN does: the features of torchvision's Inception v3 before its second pooling, numpy.cov, and
scipy's square root of a matrix.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

import network_values as values  # noqa: E402

FILE = HERE / "perceptual.json"
LAYERS = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
ROLES = {"weight": "scale", "bias": "offset", "running_mean": "mean", "running_var": "variance"}


def as_batch(image):
    """An image as torch has it."""
    import torch  # pyright: ignore[reportMissingImports]

    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)[None]))


def distance(net):
    """LPIPS of the two images, by a trunk with our values and the package's linear weights; and each layer's share."""
    import lpips  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    state = {}
    for name, tensor in model.net.state_dict().items():
        path = "features." + name.split(".", 1)[1].rpartition(".")[0]
        if tensor.ndim > 1:
            array = values.kernel(path, tuple(tensor.shape), int(np.prod(tensor.shape[1:])))
        else:
            array = values.vector(path, "bias", len(tensor))
        state[name] = torch.from_numpy(array)
    model.net.load_state_dict(state)
    with torch.no_grad():
        whole, shares = model(
            as_batch(values.image()), as_batch(values.other_image()), retPerLayer=True, normalize=True
        )
    return {"distance": float(whole), "shares": [float(share) for share in shares]}


def see_inception(image):
    """The features before the second pooling, a row for each position."""
    import torch  # pyright: ignore[reportMissingImports]
    from torchvision import models  # pyright: ignore[reportMissingImports]

    model = models.inception_v3(weights=None, init_weights=False).eval()
    x = 2 * as_batch(image) - 1
    for name in LAYERS:
        module = getattr(model, name)
        state = {}
        for key, tensor in module.state_dict().items():
            path, _, role = f"{name}.{key}".rpartition(".")
            if tensor.ndim > 1:
                state[key] = torch.from_numpy(values.kernel(path, tuple(tensor.shape), int(np.prod(tensor.shape[1:]))))
            elif role in ROLES:
                state[key] = torch.from_numpy(values.vector(path, ROLES[role], len(tensor)))
        module.load_state_dict(state, strict=False)
        with torch.no_grad():
            x = module(x)
    return x[0].permute(1, 2, 0).reshape(-1, x.shape[1]).numpy().astype(np.float64)


def frechet_distance(a, b):
    """calculate_frechet_distance of sifid_score.py."""
    from scipy import linalg

    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(0) - b.mean(0)
    root = linalg.sqrtm(one.dot(two))
    return float(gap.dot(gap) + np.trace(one) + np.trace(two) - 2 * np.real(np.trace(root)))


def main():
    """Write the file."""
    found = {net: distance(net) for net in ("alex", "vgg", "squeeze")}
    one, two = see_inception(values.image()), see_inception(values.other_image()[:100])
    found["sifid"] = {"distance": frechet_distance(one, two), "features": list(one.shape)}
    FILE.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

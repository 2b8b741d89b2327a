"""Parameters, pictures and features that every machine makes alike, for the feed-forward networks. NumPy alone.

tests/golden/feedforward.py gives them to networks of torch, tests/test_feedforward.py to ours. A kernel is (height,
width, in, out), as it is laid over the picture.
"""

import numpy as np
from network_values import image, kernel, rng_of, vector

HEIGHT, WIDTH = 48, 64  # of a picture
WIDTHS = (8, 16, 32)  # a quarter of the published ones
STYLES = ((0.5, 0.2, 0.4), (0.0, 1.0, 0.0))  # of the conditional network: how its three styles are mixed
BLOCKS = ((4, 2), (8, 2), (12, 4), (16, 4), (16, 4))  # a narrow VGG-19: channels, convolutions
PLACES = 200  # single values that are kept of each result


def pictures():
    """Two pictures (2, 48, 64, 3)."""
    whole = image()
    return np.stack([whole[:HEIGHT, :WIDTH], whole[-HEIGHT:, -WIDTH:] ** 2])


def layer(network, name, shape, *, bias, norm, styles=0):
    """The parameters of a convolution and of what follows it: kernel, bias, scale, offset, mean, variance.

    norm: none, instance, batch or conditional.
    """
    path = f"{network} {name}"
    found = {"kernel": kernel(path, shape, int(np.prod(shape[:3])))}
    if bias:
        found["bias"] = vector(path, "bias", shape[3])
    if norm != "none":
        rows = [f"{path} {i}" for i in range(styles)] if norm == "conditional" else [path]
        for role in ("scale", "offset"):
            each = np.stack([vector(row, role, shape[3]) for row in rows])
            found[role] = each if norm == "conditional" else each[0]
    if norm == "batch":
        found |= {role: vector(path, role, shape[3]) for role in ("mean", "variance")}
    return found


def features(name, height, width, *, channels=24, rank=48):
    """Features (height, width, channels) of some mean, whose channels go together; in 48 ways, or in fewer than 24."""
    rng = rng_of("features", name)
    sources = rng.standard_normal((height, width, rank))
    mixing = rng.standard_normal((rank, channels)) / np.sqrt(rank)
    return (sources @ mixing + rng.standard_normal(channels)).astype(np.float32)


def regions(height, width):
    """Two masks of ones and zeros that sum to 1."""
    left = (np.arange(width)[None] + 0 * np.arange(height)[:, None] < width / 3).astype(np.float32)
    return np.stack([left, 1 - left])


def keep(name, result):
    """What is kept of a result: its shape, and some of its numbers."""
    result = np.asarray(result, np.float64)
    places = rng_of(name, "places").choice(result.size, min(PLACES, result.size), replace=False)
    return {"shape": list(result.shape), "numbers": [float(f"{x:.8g}") for x in result.reshape(-1)[places]]}

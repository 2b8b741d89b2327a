"""Parameters and an image that every machine makes alike, and what is kept of an activation. NumPy alone.

tests/golden/networks.py gives them to the networks of torchvision and Keras; tests/test_networks.py to ours.
"""

import zlib

import numpy as np

HEIGHT, WIDTH = 139, 123
AT = 6  # single values that are kept of each layer


def rng_of(*names):
    """A generator of numbers for a name."""
    return np.random.default_rng([zlib.crc32(str(name).encode()) for name in names])


def other_image():
    """Another one, of warmer colours."""
    return image("other image") * np.array((1, 0.8, 0.6), np.float32)


def image(name="image"):
    """RGB in [0, 1]: noise of several sizes."""
    rng, total = rng_of(name), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for step in (1, 4, 16, 48):
        rows, columns = -(-HEIGHT // step), -(-WIDTH // step)
        coarse = rng.random((rows, columns, 3), dtype=np.float32)
        total += coarse.repeat(step, 0).repeat(step, 1)[:HEIGHT, :WIDTH] / 4
    return total


def kernel(name, shape, fan_in):
    """Normal, with the deviation of He et al. 2015."""
    return rng_of(name).standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / fan_in))


def vector(name, role, width):
    """A bias, or one of the four vectors of a batch normalisation."""
    noise = rng_of(name, role).standard_normal(width, dtype=np.float32)
    if role == "scale":
        return np.float32(0.7) + np.float32(0.1) * noise
    if role == "variance":
        return np.float32(1) + np.float32(0.2) * np.abs(noise)
    return np.float32(0.2) * noise


def summary(name, activation):
    """Numbers of an activation (height, width, channels): each of its values has a share in the second."""
    a = np.asarray(activation, np.float64)
    rng = rng_of(name, "summary")
    pattern = rng.standard_normal(a.shape)
    places = [tuple(int(n * side) for n, side in zip(rng.random(3), a.shape, strict=True)) for _ in range(AT)]
    scale = np.sqrt((a**2).mean())
    found = [scale, (a * pattern).sum() / np.sqrt(a.size), a.mean(), *(a[place] for place in places)]
    return {"shape": list(a.shape), "numbers": [float(f"{number:.8g}") for number in found]}

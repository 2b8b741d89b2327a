"""The types that every module shares.

An image is (height, width, 3), float32, RGB in [0, 1], unbatched. This is said once, here, and holds in every module.
Preprocessing (BGR, mean, 0..255) is the first layer of a network and travels with its weights.
"""

from collections.abc import Mapping

from jaxtyping import Array, Bool, Float

Mask = Float[Array, "_ _"]  # (height, width): a weight for each position, from 0 to 1
Places = Bool[Array, "_ _"]  # (height, width): whether each position counts
Axes = tuple[int, ...]  # of an image or an activation: 0 the height, 1 the width
Scalar = Float[Array, ""]
Active = Bool[Array, ""] | bool  # a flag; a bool where the program need not choose
Image = Float[Array, "_ _ 3"]  # height, width: not bound, since two pictures in one call may differ
Activation = Float[Array, "_ _ _"]  # height, width, channels
Activations = Mapping[str, Activation]  # by published layer name: relu4_2, conv4_2, pool4
Params = Mapping[str, Mapping[str, Array]]  # conv1_1 -> kernel (height, width, in, out), bias (out)

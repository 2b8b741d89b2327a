"""The words everybody uses.

An image is (height, width, 3), float32, RGB in [0, 1], unbatched: this is said once, here, and holds in
every module. Preprocessing (BGR, mean, 0..255) lives beside the weights that need it: see `vgg`.
"""

from collections.abc import Mapping

from jaxtyping import Array, Bool, Float

Scalar = Float[Array, ""]
Mask = Bool[Array, ""] | bool  # a bool where the program need not choose
Image = Float[Array, "_ _ 3"]  # height, width: not bound, since two pictures in one call may differ
Activation = Float[Array, "_ _ _"]  # height, width, channels
Activations = Mapping[str, Activation]  # by published layer name: relu4_2, conv4_2, pool4
Params = Mapping[str, Mapping[str, Array]]  # conv1_1 -> kernel (height, width, in, out), bias (out)

"""The networks, by name. Each is a linen module behind the same call: `features(network, params, image)`."""

from nst_jax.vgg import VGG16, VGG19, Blocks

BLOCKS: dict[str, Blocks] = {"vgg19": VGG19, "vgg16": VGG16}

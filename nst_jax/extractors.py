"""The networks, by name. Each is a linen module behind the same call: `features(network, params, image)`."""

from nst_jax.vgg import VGG16, VGG19, Blocks

# Ours: a small VGG trained on generated textures (experiments/train_texnet.py, docs/texnet.md)
TEXNET: Blocks = ((32, 2), (64, 2), (96, 3), (96, 2))

BLOCKS: dict[str, Blocks] = {"vgg19": VGG19, "vgg16": VGG16, "texnet": TEXNET}

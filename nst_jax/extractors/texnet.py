"""texnet: a small VGG of our own, trained on generated textures. See docs/explanations/texnet.md."""

from nst_jax.extractors.vgg import Blocks, describe

BLOCKS: Blocks = ((32, 2), (64, 2), (96, 3), (96, 2))

ARCHITECTURES = {
    "texnet": describe("texnet", BLOCKS)._replace(
        packaged="trained/texnet.safetensors", profile="texnet", convention="texnet", pool="avg", shallow=""
    )
}

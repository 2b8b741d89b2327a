"""The conventions that compare Gram matrices. The same words, other constants: each one says where it comes from.

N and M are a layer's channels and positions, F and P activations, G and A second moments (sums over
positions): the papers' Gram matrices. Versions of the sources and all of their numbers: docs/conventions.md.
"""

from math import sqrt

from nst_jax.conventions.smoothness import (
    absolute_steps,
    across_and_between_colours,
    corner_mean,
    d2l_steps,
    keras_steps,
    mean_squared_steps,
    unit_absolute_steps,
    unseen_squared_steps,
)
from nst_jax.losses import Convention, Moments, channels, gram, mse, nothing, sse
from nst_jax.types import Activation, Scalar


def paper_error(g: Moments, a: Moments) -> Scalar:
    """Eq. 4 of Gatys et al. 2016, with M the image's own at every G and A: sum (G - A)^2 / (4 N^2 M^2).

    As sums: the target is right only for a style picture of the image's size.
    """
    return sse(g.second / g.mass, a.second / g.mass) / (4 * channels(g) ** 2)


def keras_error(g: Moments, a: Moments, *, pixels: int) -> Scalar:
    """3 channels and the image's size at every layer, whatever the layer's own: as published. G is a sum."""
    return sse(g.second / pixels, a.second / pixels) / (4 * 3**2)


def root_error(f: Activation, p: Activation) -> Scalar:
    """Sum (F - P)^2 / (2 sqrt(N) sqrt(M)): halfway between a sum and a mean."""
    h, w, n = f.shape
    return sse(f, p) / (2 * sqrt(n) * sqrt(h * w))


GATYS_2016 = Convention(  # Gatys, Ecker & Bethge 2016, CVPR
    content=lambda f, p: sse(f, p) / 2,  # eq. 1
    style=lambda g, a, _: sse(gram(g), gram(a)) / (4 * channels(g) ** 2),  # eq. 4: 1 / 4 N^2 M^2, M of each picture
    smooth=nothing,
    profile=lambda n, layers: 1 / layers,  # section 3: w_l = 1/5
)

DEEP_TEXTURES = GATYS_2016._replace(  # leongatys/DeepTextures @289dfe6, LossFunctions.py:21-23: G / M, sum / 4 N^2
    profile=lambda n, layers: 1.0,
)

GATYS_RELEASED = Convention(  # leongatys/PytorchNeuralStyleTransfer @be6c8e2, cells 2 and 7
    content=mse,
    style=lambda g, a, _: mse(gram(g), gram(a)),  # G.div_(h*w), then nn.MSELoss
    smooth=nothing,
    profile=lambda n, layers: 1 / n**2,  # style_weights = [1e3/n**2 for n in ...]
)

NEURAL_IMAGE_SYNTHESIS = (
    GATYS_RELEASED  # leongatys/NeuralImageSynthesis @cced0b9, LossLayers.lua:12, 63-75, 112; org_pad
)

NIS_NORMALISED = GATYS_RELEASED._replace(  # BasicStyleTransfer, cells 6 and 8, norm_pad: 1e9 / 5 for each layer
    profile=lambda n, layers: 1 / layers,
)

NEURAL_STYLE = Convention(  # jcjohnson/neural-style @07c4b82, neural_style.lua
    content=mse,  # :458
    style=lambda g, a, _: mse(gram(g), gram(a)) / channels(g) ** 2,  # :500, :544: G / (N M), mean over N^2
    smooth=unseen_squared_steps,  # :582
    profile=lambda n, layers: 1.0,
)

NEURAL_STYLE_PT = NEURAL_STYLE._replace(  # ProGamerGov/neural-style-pt @7251405, neural_style.py:423, 461, 470
    smooth=absolute_steps,  # :483, in the loss
)

ANISHATHALYE = NEURAL_STYLE._replace(  # anishathalye/neural-style @d0a1148, stylize.py:102, 121-151
    smooth=mean_squared_steps,  # :156
    profile=lambda n, layers: 1 / layers,  # :70-81: weights exp^i with exp = 1, made to sum to 1
)

LENGSTROM = NEURAL_STYLE._replace(  # lengstrom/fast-style-transfer @0d3d981, --slow: src/optimize.py:62-66
    smooth=mean_squared_steps,  # :82-86
)

PYSTICHE = Convention(  # pystiche/pystiche @71217c2
    content=mse,  # loss/_comparison.py:96
    style=lambda g, a, _: mse(gram(g), gram(a)),  # core/_math.py:64-70, _comparison.py:145, 177
    smooth=corner_mean,
    profile=lambda n, layers: 1 / layers,  # MultiLayerEncodingLoss takes the mean over layers
)

PYSTICHE_RELEASED = GATYS_RELEASED  # pystiche/papers @a8a87f4, GEB2016 impl_params=True: _loss.py:52-57, _utils.py:96

PYSTICHE_PAPER = GATYS_2016  # impl_params=False: _loss.py:141, 1/4 mean((dG/M)^2) is eq. 4, and the mean over layers

GORDICALEKSA = Convention(  # gordicaleksa/pytorch-neural-style-transfer @a244dc6
    content=mse,  # neural_style_transfer.py:19
    style=lambda g, a, _: sse(gram(g), gram(a)) / channels(g) ** 2,  # :24, a sum; utils/utils.py:130: G / (N M)
    smooth=absolute_steps,  # utils/utils.py:140
    profile=lambda n, layers: 1 / layers,  # :25
)

CYSMITH = Convention(  # cysmith/neural-style-tf @a2c374f, neural_style.py
    content=root_error,  # :347-358, K = 1 / (2 sqrt(N) sqrt(M)), the default of three
    style=lambda g, a, _: paper_error(g, a),  # :360-367
    smooth=absolute_steps,  # tf.image.total_variation
    profile=lambda n, layers: 0.2 / layers,  # :406-420, as published: weights of 0.2, then averaged once more
)

HWALSUKLEE = Convention(  # hwalsuklee/tensorflow-style-transfer @3d02839, style_transfer.py
    content=root_error,  # :72-77, type 3, the default
    style=lambda g, a, _: paper_error(g, a),  # :93
    smooth=nothing,
    profile=lambda n, layers: 0.2,  # run_main.py:27
)

FZLIU = Convention(  # fzliu/style-transfer @265f7e4, style.py
    content=lambda f, p: sse(f, p) / 2,  # :120-123; its mask F > 0 is the gradient of the ReLU
    style=lambda g, a, _: paper_error(g, a),  # :107-110, the style picture 1.2 times as large all the same
    smooth=nothing,
    profile=lambda n, layers: 0.2,  # :59-64
)

KERAS = Convention(  # keras-io, examples/generative/neural_style_transfer.py @0896b2e6
    content=sse,
    style=lambda g, a, pixels: keras_error(g, a, pixels=pixels),
    smooth=keras_steps,
    profile=lambda n, layers: 1 / layers,
)

TITU1994 = KERAS  # titu1994/Neural-Style-Transfer @d093348, Network.py:425-456; content multiplier 1, the default

HNARAYANAN = KERAS  # hnarayanan/artistic-style-transfer @05c95e5, notebook 6

TENSORFLOW_TUTORIAL = Convention(  # tensorflow/docs @023b91c8, generative/style_transfer.ipynb
    content=mse,
    style=lambda g, a, _: mse(gram(g), gram(a)),  # divided by num_locations
    smooth=unit_absolute_steps,
    profile=lambda n, layers: 1 / layers,
)

PYTORCH_TUTORIAL = NEURAL_STYLE._replace(smooth=nothing)  # pytorch/tutorials @0a7e6866, neural_style_tutorial.py

NICHOLASJNG = PYTORCH_TUTORIAL  # nicholasjng/jax-styletransfer @568c467, modules.py:23, 36, 50

ZESHENGLIU = NEURAL_STYLE._replace(  # ZeshengLiu22/StyleTransfer @ff8a306, V4; its photograph's Laplacian left out
    smooth=across_and_between_colours,
)

D2L = NEURAL_STYLE._replace(smooth=d2l_steps)  # d2l.ai, 14.12 Neural Style Transfer

TEXSYN_GRAM = GATYS_RELEASED._replace(  # ryushinn/texsyn_sliceW @22b8852, metrics.py:190-211
    profile=lambda n, layers: 1.0,
)

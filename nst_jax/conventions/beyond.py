"""The conventions that compare something other than Gram matrices, each with its source.

F is an activation, mu, sigma and Sigma its mean, deviation and covariance over the positions.
"""

import jax.numpy as jnp
from jax import Array

from nst_jax.conventions import matching, strotss
from nst_jax.conventions.differences import pictures_by_laplacian, scaled_error, unit_pull
from nst_jax.conventions.gram import GATYS_RELEASED, NEURAL_STYLE
from nst_jax.conventions.smoothness import corner_mean, nine_point, replicated_steps, squared_steps, wrapped_steps
from nst_jax.conventions.statistics import (
    covariance,
    deviation,
    gaussian,
    mean,
    shifted,
    wasserstein,
    whitened,
    whitening,
)
from nst_jax.losses import Convention, Moments, channels, gram, moments, mse, nothing, sse
from nst_jax.types import Activation, Scalar


def gram_half(activation: Activation, target: Moments) -> Scalar:
    """Half the squared error of G / (N M)."""
    m = moments(activation)
    return sse(gram(m) / channels(m), gram(target) / channels(m)) / 2


def energy(a: Array) -> Scalar:
    """The sum of the squares; not quite 0 for a target without any."""
    return jnp.maximum(jnp.sum(a.astype(jnp.float32) ** 2), 1e-12)


def half(f: Activation, p: Activation) -> Scalar:
    """Half the squared error."""
    return sse(f, p) / 2


STYLE_TRANSFER_PYTORCH = Convention(  # crowsonkb/style-transfer-pytorch @e7e2c71, style_transfer.py
    content=mse,  # :119-126
    style=lambda g, a, _: wasserstein(g, a),  # :149-181
    smooth=nine_point,  # :184
    profile=lambda n, layers: 1.0,  # :320: 256, 64, 16, 4 and 1 of 341 for the five layers, see layers=crowson
    aim=gaussian,
)

STYLE_TRANSFER_PYTORCH_2022 = Convention(  # the same @1107fe6
    content=scaled_error,
    style=lambda g, a, _: scaled_error(gram(g), gram(a)),
    smooth=replicated_steps,
    profile=lambda n, layers: 1.0,
)

STYLE_TRANSFER_CAFFE = Convention(  # crowsonkb/style_transfer @47633b9, num_utils.py:69-87, 143-162
    content=unit_pull(half),
    style=lambda f, a, _: unit_pull(gram_half)(f, a),
    smooth=wrapped_steps,
    profile=lambda n, layers: 1 / layers,
    summary=matching.itself,
    aim=lambda key, f: moments(f),
)

STROTSS = Convention(  # nkolkin13/STROTSS @9a1543a, see strotss.py for what is not reproduced
    content=strotss.self_similarity_error,
    style=lambda a, b, _: strotss.relaxed_earth_movers(a, b) + strotss.moment_difference(a, b),
    smooth=nothing,
    profile=lambda n, layers: 1 / layers,
    summary=strotss.grid,
)

SLICED_WASSERSTEIN = Convention(  # Heitz et al. 2021; tchambon/A-Sliced-Wasserstein-Loss @491ee6d; directions fixed
    content=mse,
    style=lambda f, a, _: matching.slice_error(f, a),
    smooth=nothing,
    profile=lambda n, layers: 1.0,
    summary=matching.itself,
    aim=matching.drawn,
)

TEXSYN_SLICED = (
    SLICED_WASSERSTEIN  # ryushinn/texsyn_sliceW @22b8852, metrics.py:165-187; directions anew each step there
)

BATCH_STATISTICS = GATYS_RELEASED._replace(  # Li et al. 2017, IJCAI, arXiv 1701.01036, eq. 14: 1/N sum dmu^2 + dsigma^2
    style=lambda g, a, _: mse(mean(g), mean(a)) + mse(deviation(g), deviation(a)),
    profile=lambda n, layers: 1.0,
)

ADAIN = BATCH_STATISTICS._replace(  # Huang & Belongie 2017, ICCV, arXiv 1703.06868, eq. 13, where norms have no square
    # xunhuang1995/AdaIN-style, lib/StyleINLossModule.lua: sums of squares
    style=lambda g, a, _: sse(mean(g), mean(a)) + sse(deviation(g), deviation(a)),
)

COVARIANCE = BATCH_STATISTICS._replace(  # Sun & Saenko 2016, arXiv 1607.01719, eq. 1; / (n - 1) there, / n here
    style=lambda g, a, _: sse(covariance(g), covariance(a)) / (4 * channels(g) ** 2),
)

ACTIVATION_SHIFT = Convention(  # Novak & Nikulin 2016, arXiv 1605.04603: (F - 1)(F - 1)^T; all else as Gatys et al.
    content=half,
    style=lambda g, a, _: sse(gram(shifted(g, by=-1.0)), gram(shifted(a, by=-1.0))) / (4 * channels(g) ** 2),
    smooth=nothing,
    profile=lambda n, layers: 1 / layers,
)

RELATIVE = Convention(  # ours: each term in parts of its target, so that a weight means the same in every network
    content=lambda f, p: sse(f, p) / energy(p),
    style=lambda g, a, _: sse(gram(g), gram(a)) / energy(gram(a)),
    smooth=corner_mean,
    profile=lambda n, layers: 1 / layers,
)

WHITENED = RELATIVE._replace(  # ours, too: along the eigenvectors of the style's Gram matrix
    style=lambda g, a, _: whitened(g, a),
    aim=whitening,
)

MRF = Convention(  # Li & Wand 2016, CVPR, arXiv 1601.04589; constants of chuanli11/CNNMRF @fddcf4d
    content=mse,  # mylib/content.lua
    # eqs. 2 and 3. mylib/mrf.lua pulls each position to the mean over the 9 patches that hold it: 1 / (2 * 9) of
    # the paper's sum, exactly so away from the border
    style=lambda f, a, _: matching.patch_error(f, a) / 18,
    smooth=squared_steps,  # as neural-style, from which it comes
    profile=lambda n, layers: 1.0,
    summary=matching.itself,
    aim=matching.neighbours,
)

HISTOGRAM = Convention(  # Risser et al. 2017, arXiv 1701.08893: the histogram term alone
    content=mse,
    style=lambda f, a, _: matching.histogram_error(f, a),
    smooth=nothing,
    profile=lambda n, layers: 1.0,
    summary=matching.itself,
    aim=matching.by_channel,
)

LAPLACIAN = NEURAL_STYLE._replace(  # askerlee/lapstyle @60489ea: neural-style and the picture's Laplacian at `input`
    content=pictures_by_laplacian,
)

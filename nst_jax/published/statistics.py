"""Losses of papers that compare other statistics of an activation: means, deviations, covariances, histograms.

mu, sigma and Sigma are the mean, deviation and covariance of the channels over the positions.
"""

from nst_jax.losses import matching
from nst_jax.losses.differences import half_sum, mean_of_squares
from nst_jax.losses.grams import shifted_gram
from nst_jax.losses.statistics import covariance_quarter, mean_statistics, sum_statistics
from nst_jax.losses.term import itself
from nst_jax.published.base import Convention, Losses, Profile, content, mean, one, style
from nst_jax.published.gatys import GATYS_RELEASED

BATCH_STATISTICS = GATYS_RELEASED._replace(  # Li et al. 2017, IJCAI, arXiv 1701.01036, eq. 14: 1/N sum dmu^2 + dsigma^2
    style_term=style(mean_statistics),
    share=one,
)

ADAIN = BATCH_STATISTICS._replace(  # Huang & Belongie 2017, ICCV, arXiv 1703.06868, eq. 13, where norms have no square
    # xunhuang1995/AdaIN-style, lib/StyleINLossModule.lua: sums of squares
    style_term=style(sum_statistics),
)

COVARIANCE = BATCH_STATISTICS._replace(  # Sun & Saenko 2016, arXiv 1607.01719, eq. 1; / (n - 1) there, / n here
    style_term=style(covariance_quarter),
)

ACTIVATION_SHIFT = Convention(  # Novak & Nikulin 2016, arXiv 1605.04603: (F - 1)(F - 1)^T; all else as Gatys et al.
    content_term=content(half_sum),
    style_term=style(shifted_gram),
    share=mean,
)

HISTOGRAM = Convention(  # Risser et al. 2017, arXiv 1701.08893: the histogram term alone
    content_term=content(mean_of_squares),
    style_term=style(matching.histogram_error, itself, matching.sort_channels, additive=False),
    share=one,
)

LOSSES = (
    Losses(
        name="batch_statistics",
        source=("Li et al. 2017: means and deviations. The weights are ours: the paper states none for this form"),
        convention=BATCH_STATISTICS,
        content_weight=1.0,
        style_weight=100.0,
        tv_weight=0.0,
    ),
    Losses(
        name="adain",
        source="Huang & Belongie 2017 as released, for the normalised VGG; use layers=adain",
        convention=ADAIN,
        content_weight=1.0,
        style_weight=0.01,
        tv_weight=0.0,
    ),
    Losses(
        name="covariance",
        source="Sun & Saenko 2016: covariances. The weights are ours: there it aligns domains",
        convention=COVARIANCE,
        content_weight=1.0,
        style_weight=0.01,
        tv_weight=0.0,
    ),
    Losses(
        name="activation_shift",
        source="Novak & Nikulin 2016: Gram matrices of activations less 1; the weights are gatys_2016's",
        convention=ACTIVATION_SHIFT,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="histogram",
        source=(
            "Risser et al. 2017, the histogram term alone. The weights are ours: there it stands beside a Gram term"
        ),
        convention=HISTOGRAM,
        content_weight=1.0,
        style_weight=1e-4,
        tv_weight=0.0,
    ),
)

PROFILES = (
    Profile(
        name="adain",
        source="xunhuang1995/AdaIN-style train.lua.",
        content={"relu4_1": 1.0},
        style={"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0},
    ),
)

PROGRAMS = ()  # losses, not programs

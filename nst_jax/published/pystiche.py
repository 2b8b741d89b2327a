"""pystiche: its command line, and its replication of Gatys, Ecker & Bethge 2016."""

from nst_jax.losses.differences import mean_of_squares
from nst_jax.losses.grams import gram_mean
from nst_jax.losses.smoothness import corner_mean
from nst_jax.published.base import (
    ORIGINAL,
    Convention,
    Losses,
    Program,
    content,
    mean,
    option,
    smooth,
    style,
)
from nst_jax.published.gatys import GATYS_2016, GATYS_RELEASED

PYSTICHE = Convention(  # pystiche/pystiche @71217c2
    content_term=content(mean_of_squares),  # loss/_comparison.py:96
    style_term=style(gram_mean),  # core/_math.py:64-70, _comparison.py:145, 177
    smooth_term=smooth(corner_mean),
    share=mean,  # MultiLayerEncodingLoss takes the mean over layers
)

PYSTICHE_RELEASED = GATYS_RELEASED  # pystiche/papers @a8a87f4, GEB2016 impl_params=True: _loss.py:52-57, _utils.py:96

PYSTICHE_PAPER = GATYS_2016  # impl_params=False: _loss.py:141, 1/4 mean((dG/M)^2) is eq. 4, and the mean over layers

ROUNDED_MEAN = "The mean colour is rounded, as in the source: (0.408, 0.458, 0.485) of 255 in BGR."

LOSSES = (
    Losses(
        name="pystiche",
        source="pystiche, its command line",
        convention=PYSTICHE,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="pystiche_released",
        source="pystiche/papers, GEB2016 with impl_params=True: as gatys_released",
        convention=PYSTICHE_RELEASED,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
    Losses(
        name="pystiche_paper",
        source="pystiche/papers, GEB2016 with impl_params=False: as gatys_2016",
        convention=PYSTICHE_PAPER,
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
    ),
)

PROFILES = ()

PROGRAMS = (
    Program(
        name="pystiche",
        source="pystiche @71217c2, its command line",
        needs="torchvision's",
        otherwise=(
            "With the original values (weights=keras) features are about 57 times larger, and style is 57^2 times as "
            "strong."
        ),
        weights=option("torchvision"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="pystiche",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=1.0),
        start=option("content"),
        size=500,
        size_rule="short",
        steps=500,
        not_reproduced=("one evaluation of L-BFGS at a time, as here, but with torch's tolerances",),
    ),
    Program(
        name="pystiche_released",
        source="pystiche/papers @a8a87f4, GEB2016 with impl_params=True: what Gatys' released code does",
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras", preprocessing="pystiche"),
        network="vgg19",
        pool="max",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="pystiche_released",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("content"),
        size=500,
        size_rule="short",
        steps=500,
        notes=(ROUNDED_MEAN, "Size and steps are those of pystiche's command line: the table has none of its own."),
    ),
    Program(
        name="pystiche_paper",
        source="pystiche/papers @a8a87f4, GEB2016 with impl_params=False: what the paper says",
        needs="the original Caffe values",
        otherwise=ORIGINAL,
        weights=option("keras", preprocessing="pystiche"),
        network="vgg19",
        pool="avg",
        rounding="floor",
        padding="zero",
        layers="gatys",
        convention="pystiche_paper",
        solver=option("lbfgs_torch", learning_rate=1.0, memory=100, unit=255.0),
        start=option("content"),
        size=500,
        size_rule="short",
        steps=500,
        not_reproduced=("hyper_parameters of the paper are not passed on unless they are given (_nst.py:41-42)",),
        notes=(ROUNDED_MEAN, "Size and steps are those of pystiche's command line: the table has none of its own."),
    ),
)

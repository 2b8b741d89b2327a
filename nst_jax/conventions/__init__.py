"""The published conventions, as values and by name. The weights that go with each are in conf/convention/."""

from nst_jax.conventions import beyond, gram
from nst_jax.conventions.gram import GATYS_2016, GATYS_RELEASED, KERAS, NEURAL_STYLE, NEURAL_STYLE_PT
from nst_jax.losses import Convention

__all__ = ["CONVENTIONS", "GATYS_2016", "GATYS_RELEASED", "KERAS", "NEURAL_STYLE", "NEURAL_STYLE_PT"]

GRAM: dict[str, Convention] = {  # those that compare Gram matrices: each can be said in the terms of another
    "gatys_2016": GATYS_2016,
    "deep_textures": gram.DEEP_TEXTURES,
    "gatys_released": GATYS_RELEASED,
    "nis": gram.NEURAL_IMAGE_SYNTHESIS,
    "nis_normalised": gram.NIS_NORMALISED,
    "neural_style": NEURAL_STYLE,
    "neural_style_pt": NEURAL_STYLE_PT,
    "anishathalye": gram.ANISHATHALYE,
    "lengstrom": gram.LENGSTROM,
    "pystiche": gram.PYSTICHE,
    "pystiche_released": gram.PYSTICHE_RELEASED,
    "pystiche_paper": gram.PYSTICHE_PAPER,
    "gordicaleksa": gram.GORDICALEKSA,
    "cysmith": gram.CYSMITH,
    "hwalsuklee": gram.HWALSUKLEE,
    "fzliu": gram.FZLIU,
    "keras": KERAS,
    "titu1994": gram.TITU1994,
    "hnarayanan": gram.HNARAYANAN,
    "tensorflow_tutorial": gram.TENSORFLOW_TUTORIAL,
    "pytorch_tutorial": gram.PYTORCH_TUTORIAL,
    "nicholasjng": gram.NICHOLASJNG,
    "zeshengliu": gram.ZESHENGLIU,
    "d2l": gram.D2L,
    "texsyn_gram": gram.TEXSYN_GRAM,
    "laplacian": beyond.LAPLACIAN,
}

OTHERS: dict[str, Convention] = {
    "style_transfer_pytorch": beyond.STYLE_TRANSFER_PYTORCH,
    "style_transfer_pytorch_2022": beyond.STYLE_TRANSFER_PYTORCH_2022,
    "style_transfer_caffe": beyond.STYLE_TRANSFER_CAFFE,
    "strotss": beyond.STROTSS,
    "sliced_wasserstein": beyond.SLICED_WASSERSTEIN,
    "texsyn_sliced": beyond.TEXSYN_SLICED,
    "batch_statistics": beyond.BATCH_STATISTICS,
    "adain": beyond.ADAIN,
    "covariance": beyond.COVARIANCE,
    "activation_shift": beyond.ACTIVATION_SHIFT,
    "relative": beyond.RELATIVE,
    "whitened": beyond.WHITENED,
    "mrf": beyond.MRF,
    "histogram": beyond.HISTOGRAM,
}

CONVENTIONS: dict[str, Convention] = GRAM | OTHERS

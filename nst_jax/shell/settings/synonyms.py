"""Words of other programs and what they are here: read, suggested and listed from this table.

Sources: jcjohnson/neural-style (neural_style.lua), ProGamerGov/neural-style-pt (neural_style.py),
crowsonkb/style-transfer-pytorch (style_transfer/cli.py) and keras-team/keras-io
(examples/generative/neural_style_transfer.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

NEURAL_STYLE = "neural-style, neural-style-pt"
CROWSON = "style-transfer-pytorch"
KERAS = "Keras' example"
ANY = "any"

PRESETS = {NEURAL_STYLE: "neural_style_pt", CROWSON: "style_transfer_pytorch"}  # what makes weights mean the same


class Synonym(NamedTuple):
    """A word of another program.

    Attributes:
      word: without its hyphens, with underscores for the others.
      means: the setting here, or KEY=VALUE for a word that has no value; "": there is none.
      of: the program.
      values: values of other names.
      note: what a reader of the table should know.
      also: settings that go with it.
    """

    word: str
    means: str
    of: str = ANY
    values: Mapping[str, str] = {}
    note: str = ""
    also: tuple[str, ...] = ()


RATE = "optimiser.learning_rate"
SYNONYMS = (
    # what people type anywhere
    Synonym("content_image", "content"),
    Synonym("content_path", "content"),
    Synonym("photo", "content"),
    Synonym("image", "content"),
    Synonym("input", "content"),
    Synonym("style_image", "style"),
    Synonym("style_path", "style"),
    Synonym("painting", "style"),
    Synonym("styles", "style"),
    Synonym("output_image", "output.to"),
    Synonym("output_path", "output.to"),
    Synonym("out", "output.to"),
    Synonym("to", "output.to"),
    Synonym("save_to", "output.to"),
    Synonym("output_folder", "output.folder"),
    Synonym("output_dir", "output.folder"),
    Synonym("iterations", "steps"),
    Synonym("iters", "steps"),
    Synonym("iter", "steps"),
    Synonym("num_iterations", "steps"),
    Synonym("num_iter", "steps"),
    Synonym("num_steps", "steps"),
    Synonym("max_iter", "steps"),
    Synonym("epochs", "steps"),
    Synonym("image_size", "size"),
    Synonym("img_size", "size"),
    Synonym("imsize", "size"),
    Synonym("max_size", "size"),
    Synonym("resolution", "size"),
    Synonym("width", "size", also=("size_rule=width",)),
    Synonym("height", "size", also=("size_rule=height",)),
    Synonym("optimizer", "optimiser"),
    Synonym("learning_rate", RATE),
    Synonym("lr", RATE),
    Synonym("alpha", "content_weight"),
    Synonym("beta", "style_weight"),
    Synonym("strength", "style_weight"),
    Synonym("total_variation_weight", "tv_weight"),
    Synonym("tv", "tv_weight"),
    Synonym("init", "canvas", values={"random": "noise", "image": "content"}),
    Synonym("pooling", "network.pool", values={"average": "avg", "mean": "avg"}),
    Synonym("model", "network"),
    Synonym("backbone", "network"),
    Synonym("extractor", "network"),
    Synonym("preset", "+preset"),
    Synonym("again", "from"),
    Synonym("repeat", "from"),
    Synonym("rerun", "from"),
    Synonym("like", "from"),
    Synonym("experiment", "+experiment"),
    Synonym("random_seed", "seed"),
    Synonym("color", "colour"),
    Synonym("original_colors", "colour", values={"1": "keep", "0": "style", "true": "keep", "false": "style"}),
    Synonym("preserve_color", "colour", values={"1": "keep", "0": "style", "true": "keep", "false": "style"}),
    Synonym("save_every", "output.every"),
    Synonym("film", "output.film"),
    Synonym("video", "output.film"),
    Synonym("dtype", "device.precision"),
    # neural-style and neural-style-pt: one hyphen
    Synonym("content_image", "content", NEURAL_STYLE),
    Synonym("style_image", "style", NEURAL_STYLE),
    Synonym("output_image", "output.to", NEURAL_STYLE),
    Synonym("image_size", "size", NEURAL_STYLE),
    Synonym("num_iterations", "steps", NEURAL_STYLE),
    Synonym("content_weight", "content_weight", NEURAL_STYLE, note="means the same with the preset"),
    Synonym("style_weight", "style_weight", NEURAL_STYLE, note="means the same with the preset"),
    Synonym("tv_weight", "tv_weight", NEURAL_STYLE, note="means the same with the preset"),
    Synonym("init", "canvas", NEURAL_STYLE, {"random": "noise", "image": "content"}),
    Synonym("init_image", "canvas.path", NEURAL_STYLE, also=("canvas=file",)),
    Synonym(
        "optimizer", "optimiser", NEURAL_STYLE, {"lbfgs": "lbfgs_torch"}, "lbfgs_torch: without a line search, as there"
    ),
    Synonym("learning_rate", RATE, NEURAL_STYLE, note="of pixels in 0..255 there, in 0..1 here: divide Adam's by 255"),
    Synonym("lbfgs_num_correction", "optimiser.memory", NEURAL_STYLE),
    Synonym("save_iter", "output.every", NEURAL_STYLE),
    Synonym("style_scale", "style_scale", NEURAL_STYLE),
    Synonym("pooling", "network.pool", NEURAL_STYLE),
    Synonym("seed", "seed", NEURAL_STYLE),
    Synonym("model_file", "weights.path", NEURAL_STYLE, note=".pth, .h5, .mat or .safetensors", also=("weights=file",)),
    Synonym("gpu", "", NEURAL_STYLE, note="jax takes the GPU that it finds; CUDA_VISIBLE_DEVICES chooses"),
    Synonym("backend", "", NEURAL_STYLE, note="jax chooses"),
    Synonym("cudnn_autotune", "", NEURAL_STYLE, note="jax does it"),
    Synonym("proto_file", "", NEURAL_STYLE, note="not needed"),
    Synonym("print_iter", "", NEURAL_STYLE, note="the bar shows every step"),
    Synonym("disable_check", "", NEURAL_STYLE, note="not needed"),
    Synonym("original_colors", "colour", NEURAL_STYLE, {"1": "keep", "0": "style"}),
    Synonym("style_blend_weights", "style_blend", NEURAL_STYLE, note="of style=[one.jpg,two.jpg]: style_blend=[3,7]"),
    Synonym("normalize_gradients", "", NEURAL_STYLE, note="not there"),
    Synonym(
        "content_layers", "layers.content", NEURAL_STYLE, note="layers.content={relu4_2:1}, or a profile: layers=NAME"
    ),
    Synonym(
        "style_layers", "layers.style", NEURAL_STYLE, note="layers.style={relu1_1:1,...}, or a profile: layers=NAME"
    ),
    # style-transfer-pytorch
    Synonym("o", "output.to", CROWSON),
    Synonym("r", "seed", CROWSON),
    Synonym("cw", "content_weight", CROWSON, note="means the same with the preset"),
    Synonym("sw", "style_weight", CROWSON, note="there: the share of each style; here the weight of all"),
    Synonym("tw", "tv_weight", CROWSON, note="means the same with the preset"),
    Synonym("tw2", "tv_weight", CROWSON, note="means the same with the preset"),
    Synonym("s", "size", CROWSON),
    Synonym("end_scale", "size", CROWSON),
    Synonym("i", "scale.then", CROWSON, note="steps at each size after the first"),
    Synonym("ss", RATE, CROWSON),
    Synonym("step_size", RATE, CROWSON),
    Synonym("style_scale_fac", "style_scale", CROWSON),
    Synonym("init", "canvas", CROWSON, {"random": "noise"}),
    Synonym("pooling", "network.pool", CROWSON, {"average": "avg"}),
    Synonym("style_img_weights", "style_blend", CROWSON, note="of style=[one.jpg,two.jpg]: style_blend=[3,7]"),
    Synonym("ms", "scale.from", CROWSON),
    Synonym("min_scale", "scale.from", CROWSON),
    Synonym("ii", "steps", CROWSON, note="at the first size"),
    Synonym("initial_iterations", "steps", CROWSON, note="at the first size"),
    Synonym("ad", "average", CROWSON),
    Synonym("avg_decay", "average", CROWSON),
    Synonym("tw1", "", CROWSON, note="one smoothness term here"),
    Synonym("style_size", "", CROWSON, note="style_scale is relative to size"),
    Synonym("device", "", CROWSON, note="JAX_PLATFORMS=cpu or cuda chooses"),
    # Keras' example and its descendants
    Synonym("base_image_path", "content", KERAS),
    Synonym("style_reference_image_path", "style", KERAS),
    Synonym("result_prefix", "output.to", KERAS),
    Synonym("iter", "steps", KERAS),
)
OF_ANY = {s.word: s for s in SYNONYMS if s.of == ANY}


def normal(word: str) -> str:
    """A word without its leading hyphens, with underscores within: --Style-Weight is style_weight."""
    return word.lstrip("-").replace("-", "_").lower()


def entry(word: str, of: str) -> Synonym | None:
    """The entry of a program's word, or None."""
    return next((s for s in SYNONYMS if s.word == normal(word) and s.of == of), None)


def translate(synonym: Synonym, value: str) -> list[str]:
    """The settings here that the word and its value ask for."""
    return [*synonym.also, f"{synonym.means}={synonym.values.get(value, value)}"]

"""The choices that the page offers, in words. jax is not imported, so that the page is there at once."""

from typing import Any

# name -> what the picture looks like; the sentences of published.looks, as a test says
LOOKS = {
    "gentle": "The photograph, in the painting's colours and with its texture.",
    "balanced": "Brush strokes, and every shape in its place.",
    "strong": "The painting's strokes and colours; shapes give way.",
    "painterly": "Painted anew, in strokes of twice the size.",
    "plain": "The published numbers, as they are.",
}
LOOK_NETWORKS = ("vgg19", "vgg16", "distilled")  # that looks are made for: published.looks.NETWORKS
COLOURS = {
    "style": "of the painting",
    "match": "of the photograph; the painting is recoloured first",
    "luminance": "of the photograph; only brightness is painted",
    "keep": "of the photograph; put back at the end",
}
NETWORKS = {
    "distilled": "quick",
    "vgg19": "of the papers, slower",
    "vgg16": "slower",
    "texnet": "trained on textures",
}
METHODS = {
    "optimise": "Step by step: the best picture, in minutes.",
    "instant": "In one pass: a picture in seconds.",
}
BUG = "something went wrong that should not; the terminal of nst-serve says what"
SIZES = (64, 2048)  # pixels of the longer side
STEPS = (1, 5000)
BEGIN = {  # what the page has at first
    "photo": "bundled/landscape",
    "painting": "bundled/brush",
    "keep": None,
    "method": "optimise",
    "look": "balanced",
    "size": 384,
    "colour": "style",
    "network": "distilled",
    "steps": 150,
    "strength": 1.0,
}


def describe() -> dict[str, Any]:
    """All of it, for the page."""
    rows = lambda table: [{"name": name, "about": about} for name, about in table.items()]
    return {
        "looks": rows(LOOKS),
        "look_networks": list(LOOK_NETWORKS),
        "colours": rows(COLOURS),
        "networks": NETWORKS,
        "methods": rows(METHODS),
        "sizes": SIZES,
        "steps": STEPS,
        "begin": BEGIN,
    }

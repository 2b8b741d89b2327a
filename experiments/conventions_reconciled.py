"""Every Gram convention on one pair of pictures: with its published weights, and with weights of one meaning.

Source: docs/conventions.md. Expected: the pictures of the upper row differ, from hardly touched to hardly
recognisable; those of the lower are one picture, as all have the objective of the first convention. Smoothness
is left out, and the style picture is cut to the image's shape. Cost: 2 runs for each of 19 different conventions.

    python -m experiments.conventions_reconciled content=photo.jpg style=painting.jpg size=256 steps=100
"""

from pathlib import Path

from nst_jax.shell.saving import save  # noqa: F401

TABLE = Path(__file__).parents[1] / "docs/canonical.csv"

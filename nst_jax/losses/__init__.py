"""The losses. `term` defines a loss; the other modules hold the measures of terms and their comparisons.

To add a loss: write its `measure` and its `compare`, and make a `Term` of them.
"""

from nst_jax.losses import term

__all__ = ["term"]

"""What is compared. `term` says what a loss is; the other modules hold what terms measure and how they compare it.

To add a loss: write its `measure` and its `compare`, and make a `Term` of them.
"""

from nst_jax.losses import term

__all__ = ["term"]

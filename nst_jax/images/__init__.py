"""Images: their sizes, and where an image starts."""

from nst_jax.images import size, starts

__all__ = ["size", "starts"]

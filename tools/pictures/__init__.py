"""What draws the bundled pictures of nst_jax."""

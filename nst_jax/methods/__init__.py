"""Methods: the optimisation of one image."""

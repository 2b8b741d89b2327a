"""Trainings: what `nst-train` runs."""

"""Experiments: `papers`, the papers' figures and ablations; `networks`, what trains and compares feature extractors.

An experiment of `papers` is a saved sweep, conf/experiment/NAME.yaml, and a page here that draws its figure:

    python -m experiments.papers.start content=photo.jpg style=painting.jpg
"""

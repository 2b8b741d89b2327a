"""The functions that a researcher types: load a network, state a problem, run it. They call the pure functions below.

>>> import nst_jax as nst
>>> net = nst.load("distilled")
>>> image = nst.stylise(net, "landscape", "brush", size=32, steps=3, progress=False).image
>>> image.shape
(24, 32, 3)

Modules that read or write files are imported by the function that needs them.
"""

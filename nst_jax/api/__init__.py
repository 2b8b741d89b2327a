"""What a researcher types: load a network, state a problem, run it. Made of the pure functions of the package.

>>> import nst_jax as nst
>>> net = nst.load("distilled")
>>> image = nst.stylise(net, "landscape", "brush", size=32, steps=3, progress=False).image
>>> image.shape
(24, 32, 3)

What reads or writes files is imported by the function that needs it.
"""

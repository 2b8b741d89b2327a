"""Minimising a function of one array: solvers, line search, and the loop. They know no image.

To add an optimiser: write a function in `solvers` that returns a `Solver`, and name it in SOLVERS.
"""

"""Side by side with PyTorch and with ourselves: `python -m benchmarks.NAME`; step, loop, run, lanes, sweep, memory,
peak, startup, layers.

Each one interleaves what it compares in one process on one machine, repeats, and prints medians and ratios as
a Markdown table; only the ratios travel to another machine. PyTorch is optional: without it its rows are left out.
"""

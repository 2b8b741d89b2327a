"""One session of runs: from settings to values, the program, the loop, checkpoints, provenance."""

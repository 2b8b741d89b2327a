"""Sweeps: from a line to jobs, groups of jobs as lanes, and the engines that run them."""

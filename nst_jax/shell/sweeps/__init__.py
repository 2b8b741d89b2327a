"""Sweeps: many jobs from one line, as lanes of few programs, in one process or many; their table and their page."""

"""Measures of results and conventions: metrics, translation, and weights at another size."""

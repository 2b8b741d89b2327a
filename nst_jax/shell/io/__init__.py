"""Files: pictures in and out, weights, the cache, locks and marks."""

"""Feed-forward style transfer: networks that paint in one pass. See docs/feedforward.md."""

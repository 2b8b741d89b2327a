"""Feed-forward style transfer: networks that paint in one pass. See docs/explanations/feedforward.md."""

"""Images: their sizes, and where an image starts."""

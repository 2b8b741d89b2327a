"""The weights that come with the package: `texnet.safetensors`, trained on generated pictures (docs/texnet.md)."""

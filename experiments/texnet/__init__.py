"""texnet: a feature extractor trained on generated textures alone. The command is experiments/train_texnet.py."""

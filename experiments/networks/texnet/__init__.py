"""texnet: a network trained on generated textures alone. To train it: python -m experiments.networks.train_texnet."""

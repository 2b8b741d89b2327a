"""Distillation: a narrow network learns to give a VGG's activations, each layer by a linear map."""

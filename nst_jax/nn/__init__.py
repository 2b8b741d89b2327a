"""Operations on activations: convolutions, pooling. They know no network."""

"""Settings: their types, their values, presets."""

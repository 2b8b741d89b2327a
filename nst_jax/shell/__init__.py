"""Everything that touches files, settings, clocks and screens. The core knows none of it."""

"""Everything with a path, a name to look up, a clock or a log. The pure core is one floor down."""

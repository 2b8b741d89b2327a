"""Networks as tables: what a table is, and all that follows from one."""

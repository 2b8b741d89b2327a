"""What makes files of this repository. Not in the wheel."""

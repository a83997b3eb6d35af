"""Starts the parts of the product together and ends them together: `python -m stack run | demo | incident`."""

"""A month of the panel in virtual time: nothing may grow but what is meant to (`python -m bench.month`)."""

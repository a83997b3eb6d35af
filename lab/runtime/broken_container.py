"""The container of a broken release: it says so and ends at once."""

import sys

if __name__ == "__main__":
    sys.exit("This release is broken.")

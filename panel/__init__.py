"""The control panel, on Django."""

VERSION = "0.1.0"

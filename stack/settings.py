"""Where things are kept, and what the environment may not say."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(ValueError):
    """The stack can't start as it is configured; the text is a sentence that names the variable and the way out."""

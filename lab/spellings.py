"""How names in a world file are spelled: a pattern, and what it allows in words."""

# Also what a target group, SLUG-lambda, may be called: 32 characters.
SLUG = r"[A-Za-z0-9]([A-Za-z0-9-]{0,23}[A-Za-z0-9])?", "letters, digits and hyphens inside, 25 at the most"
NAME = r"[A-Za-z0-9_.-]{1,255}", "letters, digits, hyphens, dots and underscores"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and underscores"
PATH = r"/[\x21-\x7e]*", "paths that begin with /"
RULE_PATH = r"[\x21-\x7e]{1,128}", "1 to 128 characters without spaces"
ACCOUNT = r"\d{12}", "twelve digits"
REGION = r"[a-z]{2}(-[a-z]+)+-\d", "regions such as eu-west-1"
ALARM_NAME = r"[^\x00-\x1f]{1,255}", "1 to 255 characters"
_TAG = r"[\w .:/=+@-]"
TAG_KEY = (
    rf"(?!(?i:aws:)){_TAG}{{1,128}}",
    "letters, digits, spaces and .:/=+@-_, 128 at the most, not beginning with aws:",
)
TAG_VALUE = rf"{_TAG}{{0,256}}", "letters, digits, spaces and .:/=+@-_, 256 at the most"

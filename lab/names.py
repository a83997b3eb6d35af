"""Names that AWS would make up."""

import hashlib


def identifier(name: str) -> str:
    """Sixteen hexadecimal digits, the same in every lab: an application's ARNs survive a restart."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]

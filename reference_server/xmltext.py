"""Text inside XML: what must be escaped, and how S3 writes what XML 1.0 cannot carry."""

from __future__ import annotations

import re

# A carriage return must be written as a reference, else every parser reads it as a line feed (XML 1.0 §2.11).
# Other control characters are not legal in XML 1.0 at all; AWS writes references all the same, and clients
# avoid the problem with encoding-type=url.
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]")
_REFERENCES = {code: f"&#x{code:x};" for code in (*range(9), *range(0xB, 0x20), 0xFFFE, 0xFFFF)}
_REFERENCES[0x0D] = "&#13;"
_REFERENCES[ord("&")] = "&amp;"
_REFERENCES[ord("<")] = "&lt;"
_REFERENCES[ord(">")] = "&gt;"


def escape(text: str) -> str:
    """Text as it may stand between two tags."""
    return text.translate(_REFERENCES) if _SPECIAL.search(text) else text

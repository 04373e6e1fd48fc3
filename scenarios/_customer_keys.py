"""Keys that the user provides for every request (SSE-C)."""

from __future__ import annotations

import base64
import hashlib

KEY = b"0123456789abcdef0123456789ABCDEF"
OTHER_KEY = b"another key of exactly 32 bytes."


def customer_key(key: bytes = KEY) -> dict[str, str]:
    """The three parameters of a request with a customer key; the key is 32 bytes.

    With the MD5 given, SDKs send the base64 of the key as it is here instead of making it themselves.
    """
    return {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": base64.b64encode(key).decode(),
        "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }

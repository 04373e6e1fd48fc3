"""The bytes of an object against what the answer says of them: LINT-012 (MD5) and LINT-014."""

from __future__ import annotations

import hashlib

from harness.lint import values
from harness.lint.view import View, shown
from harness.wire.checksums import ALGORITHMS, checksum, header

_SLOW = frozenset({"CRC32C", "CRC64NVME"})
_MOST = 256 * 1024
"""Bytes of which a slow checksum is computed: they take some 30 ms."""
_OTHER_KEYS = ("x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-aws-kms-key-id")


def digests(view: View) -> None:
    """A whole object that came with 200; part of one that did is LINT-028."""
    if view.operation != "GetObject" or view.status != 200 or view.body is None or "content-range" in view.headers:
        return
    etag = view.headers.get("etag", "").strip('"')
    encryption = view.headers.get("x-amz-server-side-encryption", "AES256")
    plain = encryption == "AES256" and not any(name in view.headers for name in _OTHER_KEYS)
    if plain and len(etag) == 32 and not values.etag(etag) and etag.lower() != hashlib.md5(view.body).hexdigest():
        view.say("LINT-012", f"ETag {etag} is not the MD5 of the {len(view.body)} bytes that came", "digest")
    if view.headers.get("x-amz-checksum-type", "FULL_OBJECT") != "FULL_OBJECT":
        return
    for algorithm in ALGORITHMS:
        value = view.headers.get(header(algorithm), "-")
        known = "-" not in value and not values.checksum(algorithm, value)
        small = algorithm not in _SLOW or len(view.body) <= _MOST
        if known and small and value != checksum(algorithm, view.body):
            view.say("LINT-014", f"{header(algorithm)} {shown(value)} is not that of the bytes that came", algorithm)


CHECKS = (digests,)

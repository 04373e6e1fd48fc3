"""COPY: how x-amz-copy-source is read."""

from __future__ import annotations

from harness.expect import body, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios.copies import source_of
from scenarios.mpu import read_back

SLASHED = "Grüße/文件"
NAMES = ("x%2Fy", "50%25", "a b", "a+b", "a&b=c?d#e", SLASHED)
"""Keys that a second decoding makes other keys, and characters that a URL treats specially."""

DECOYS = ("x/y", "50%")
"""What the first two become by a second decoding."""


@scenario(
    "COPY-009",
    MUST,
    "CopyObject",
    source="LocalStack test_copy_object_special_character (recorded on AWS)",
    confidence="partly unverified",
)
def source_is_decoded_once(s3: Scene) -> None:
    """The copy source is percent-decoded exactly once, and a slash in front of the bucket makes no difference.

    S3 promises: the header holds bucket and key percent-encoded. %2F stands for a slash, %25 for a percent sign,
    and what comes out is the literal key; letters beyond ASCII are encoded as UTF-8.

    Breaks: server-side copies and moves of files with spaces, umlauts or percent signs, with every client. Decoded
    twice, a copy of "50%25" silently takes "50%"; not decoded, it is a 404 for some file names only.

    Fix: take one leading slash away, split at the first slash, decode once, and never through a form decoder twice.
    """
    names = ("a b+c%2F50%25 Grüße",) if s3.costly else NAMES
    for name in (*names, *DECOYS):
        s3.put(s3.key(name), name.encode())
    for number, name in enumerate(names):
        target = s3.key(f"target/{number}")
        s3.expect(s3.call("CopyObject", Key=target, CopySource=source_of(s3, s3.key(name))), ok())
        read_back(s3, target, name.encode())
    if s3.client.name == "raw":  # the other clients write the header in a form of their own
        for number, form in enumerate(_forms(s3, SLASHED)):
            target = s3.key(f"form/{number}")
            s3.expect(s3.call("CopyObject", Key=target, CopySource=form), ok())
            s3.expect(s3.look("GetObject", Key=target), ok(), body(SLASHED.encode()))


def _forms(s3: Scene, name: str) -> list[str]:
    """Other ways to write the same source: with a slash in front, and with the slashes of the key encoded."""
    key = s3.key(name)
    return [f"/{source_of(s3, key)}", f"{s3.bucket}/{encode(key)}", f"/{s3.bucket}/{encode(key)}"]


@scenario(
    "COPY-010",
    SHOULD,
    "CopyObject",
    source="LocalStack test_copy_object_special_character_plus_for_space (recorded on AWS)",
    clients=("raw",),
)
def plus_in_source(s3: Scene) -> None:
    """In the copy source "+" stands for a space, and %2B for a plus sign.

    S3 promises: the header is read as a form is, unlike the path of a request, in which "+" is a plus sign.

    Breaks: clients that encode the header with a form encoder (PHP, older Java) copy keys with spaces this way; a
    client that relies on %2B for a plus sign gets the object whose name has a space where both are decoded alike.

    Fix: replace "+" by a space before percent-decoding, in this header only.
    """
    for name in ("a b", "a+b"):
        s3.put(s3.key(name), name.encode())
    start = source_of(s3, s3.key("a"))
    for number, (written, name) in enumerate((("+b", "a b"), ("%20b", "a b"), ("%2Bb", "a+b"))):
        target = s3.key(f"target-{number}")
        s3.expect(s3.call("CopyObject", Key=target, CopySource=start + written), ok())
        read_back(s3, target, name.encode())

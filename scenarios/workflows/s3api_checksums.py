"""`aws s3api put-object` with digests: all five checksum algorithms, and bodies that are not what was announced."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from botocore import xform_name

from harness.clients.base import Observed
from harness.expect import body, ok, output
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.etag import content_md5
from scenarios.workflows._s3api import SOURCE, api, at, done, file, is_missing, is_whole, rejected

CONTENT = b"123456789"
"""The text whose value every catalogue of cyclic redundancy checks gives."""
OTHER = b"987654321"


def crc(content: bytes, polynomial: int, width: int) -> bytes:
    """The reflected cyclic redundancy check, all bits set before and inverted after; most significant byte first."""
    ones = (1 << width) - 1
    rest = ones
    for byte in content:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (polynomial if rest & 1 else 0)
    return (rest ^ ones).to_bytes(width // 8, "big")


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda content: crc(content, 0xEDB88320, 32),
    "CRC32C": lambda content: crc(content, 0x82F63B78, 32),
    "CRC64NVME": lambda content: crc(content, 0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda content: hashlib.sha1(content).digest(),
    "SHA256": lambda content: hashlib.sha256(content).digest(),
}
"""Digests by the name that S3 gives the algorithm; the polynomials are reflected."""


def checksum(algorithm: str, content: bytes) -> str:
    """The value of x-amz-checksum-* for a body: the digest in base64."""
    return base64.b64encode(ALGORITHMS[algorithm](content)).decode()


def _asked(algorithm: str) -> list[str]:
    """The options for an algorithm: its name, or its value where version 1 needs a library to compute it."""
    if algorithm in ("CRC32C", "CRC64NVME"):
        return [f"--{xform_name(f'Checksum{algorithm}', '-')}", checksum(algorithm, CONTENT)]
    return ["--checksum-algorithm", algorithm]


def _fault(s3: Scene, algorithm: str, key: str, run: Observed) -> str:
    """What is wrong with an upload with this algorithm; "" if nothing is."""
    member, value = f"Checksum{algorithm}", checksum(algorithm, CONTENT)
    whole = s3.look("GetObject", Key=key)
    shown = s3.look("HeadObject", Key=key, ChecksumMode="ENABLED")
    tests = [
        (run, done()),
        (run, output(member, value)),
        (whole, ok()),
        (whole, body(CONTENT)),
        (shown, output(member, value)),
    ]
    return next((f"{algorithm}: {seen.operation}: {found}" for seen, each in tests if (found := each.test(seen))), "")


@scenario(
    "S3API-024",
    SHOULD,
    "PutObject",
    "HeadObject",
    source=SOURCE.format("put-object") + "; Amazon S3 user guide, Checking object integrity",
    clients=("awscli",),
)
def five_algorithms(s3: Scene) -> None:
    """`aws s3api put-object --checksum-algorithm` and `--checksum-…` work with all five algorithms.

    S3 promises: the checksum that came with the upload, CRC32, CRC32C, CRC64NVME, SHA1 or SHA256, is verified,
    printed, and shown again to those who ask.

    Breaks: the AWS CLI adds a checksum to every upload, CRC32 in version 1, CRC64NVME in newer releases of version
    2; a gateway that does not know the header, or its trailing form over https, refuses or corrupts the upload.

    Fix: verify and keep all five, as a header and as a trailer.
    """
    path, runs = file(s3, CONTENT), dict[str, Observed]()
    for algorithm in ALGORITHMS:
        place = at(s3.bucket, s3.key(algorithm))
        runs[algorithm] = api(s3, "put-object", *place, "--body", path, *_asked(algorithm))
    faults = {name: fault for name, run in runs.items() if (fault := _fault(s3, name, s3.key(name), run))}
    first = runs[next(iter(faults))] if faults else None
    s3.check(not faults, f"{', '.join(ALGORITHMS)} verified, kept and shown", "; ".join(faults.values()), first)


@scenario("S3API-025", MUST, "PutObject", source=SOURCE.format("put-object"), clients=("awscli",))
def wrong_md5(s3: Scene) -> None:
    """`aws s3api put-object --content-md5` of other bytes is BadDigest, and what is there stays; the right one is fine.

    S3 promises: a body that is not what Content-MD5 says is refused with 400 BadDigest, and nothing of it is kept.

    Breaks: whoever relies on the digest to find damage on the way: a damaged file replaces a whole one, unnoticed.

    Fix: compute the MD5 while the body comes in, and make the object visible only after it was compared.
    """
    there, absent = s3.key("there"), s3.key("absent")
    s3.put(there, OTHER)
    upload = ["--body", file(s3, CONTENT), "--content-md5"]
    for key in (there, absent):
        run = api(s3, "put-object", *at(s3.bucket, key), *upload, content_md5(OTHER))
        s3.expect(run, rejected(400, "BadDigest"))
    is_whole(s3, there, OTHER)
    is_missing(s3, absent)
    s3.expect(api(s3, "put-object", *at(s3.bucket, absent), *upload, content_md5(CONTENT)), done())
    is_whole(s3, absent, CONTENT)


@scenario(
    "S3API-034",
    SHOULD,
    "PutObject",
    source=SOURCE.format("put-object") + "; Amazon S3 user guide, Checking object integrity",
    clients=("awscli",),
)
def wrong_checksum(s3: Scene) -> None:
    """`aws s3api put-object --checksum-sha256` or `--checksum-crc32` of other bytes is BadDigest; nothing is stored.

    S3 promises: a body that is not what x-amz-checksum-* says is refused with 400 BadDigest, and nothing is kept.

    Breaks: every upload by a current SDK trusts this check; where it is only stored, damage is certified instead.

    Fix: compute the announced checksum while the body comes in, and compare before the object becomes visible.
    """
    path = file(s3, CONTENT)
    for algorithm in ("SHA256", "CRC32"):
        key = s3.key(algorithm)
        option = [f"--checksum-{algorithm.lower()}", checksum(algorithm, OTHER)]
        run = api(s3, "put-object", *at(s3.bucket, key), "--body", path, *option)
        s3.expect(run, rejected(400, "BadDigest"))
        is_missing(s3, key)

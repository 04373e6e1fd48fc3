"""rclone's encryption over the endpoint: names and bytes that nobody can read, and that still are the right ones."""

from __future__ import annotations

from harness.expect import body, ok
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault
from scenarios.workflows._rclone import OWN_BUCKET, printed, remote
from scenarios.workflows._steps import files, found, lines

SECRETS = {"plain.txt": b"what nobody is to read", "folder/large.bin": bytes(range(256)) * 600}

_HEAD, _BLOCK, _SEAL = 32, 65536, 16
"""Bytes of the head of an encrypted file, of plain text in a block, and of the seal of each block."""


def encrypted_size(plain: int) -> int:
    """Bytes of an encrypted file. Source: rclone documentation, crypt, "File formats"."""
    return _HEAD + plain + _SEAL * -(-plain // _BLOCK)


def encrypted(s3: Scene) -> str:
    """The cell's place as a remote that encrypts names and bytes, by connection string."""
    run = s3.program("obscure", "a password that is no secret")
    password = run.stdout.strip()
    if run.exit_code or not password:
        raise ClientFault(f"rclone obscure gave no password: {run.summary()}")
    return f':crypt,remote="{remote(s3)}",password={password}:'


@scenario(
    "RCLONE-044",
    SHOULD,
    "PutObject",
    "GetObject",
    "ListObjects",
    source="rclone documentation, crypt and cryptcheck; output and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def crypt(s3: Scene) -> None:
    """`rclone copy` to a crypt remote stores unreadable objects; `cryptcheck` and `cat` find them right, by parts.

    S3 promises: bytes come back as they were sent, and any range of them; the ETag is the MD5 of the stored bytes.

    Breaks: encrypted backups. cryptcheck reads the first 32 bytes of each object and compares its ETag with what the
    file would be under encryption; `cat --offset` reads from the middle.

    Fix: serve ranges exactly, and give the MD5 of the stored bytes as ETag.
    """
    secret = encrypted(s3)
    local = files(s3, SECRETS)
    s3.expect(s3.program("copy", str(local), secret, OWN_BUCKET), ok())
    stored = s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok())
    sizes = sorted(int(each.get("Size", -1)) for each in stored.output.get("Contents", []))
    expected = sorted(encrypted_size(len(content)) for content in SECRETS.values())
    s3.check(sizes == expected, f"objects of {expected} bytes", f"there are {sizes}", stored)
    for key in stored.keys:
        read = s3.expect(s3.look("GetObject", Key=key), ok())
        hidden = not any(
            name.rpartition("/")[2] in key or content[:20] in (read.body or b"") for name, content in SECRETS.items()
        )
        s3.check(hidden, "neither name nor content can be read", f"{key!r} holds {(read.body or b'')[:60]!r}", read)
    printed(s3, s3.program("cryptcheck", str(local), secret, "--combined", "-"), *(f"= {name}" for name in SECRETS))
    part = s3.program("cat", f"{secret}folder/large.bin", "--offset", "70000", "--count", "100")
    s3.expect(part, ok(), body(SECRETS["folder/large.bin"][70000:70100]))


@scenario(
    "RCLONE-115",
    SHOULD,
    "GetObject",
    "HeadObject",
    source="rclone documentation, cryptcheck; output and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def cryptcheck_finds_damage(s3: Scene) -> None:
    """`rclone cryptcheck` ends with exit code 1 and names the file whose encrypted object has a changed byte.

    S3 promises: the ETag of a plain upload follows from its bytes, so that other bytes of the same size show.

    Breaks: whoever trusts an encrypted backup: the content cannot be looked at, the check is all there is.

    Fix: give the MD5 of the stored bytes as ETag, of every overwrite anew.
    """
    secret = encrypted(s3)
    local = files(s3, {"plain.txt": SECRETS["plain.txt"]})
    s3.expect(s3.program("copy", str(local), secret, OWN_BUCKET), ok())
    listed = s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok())
    s3.check(len(listed.keys) == 1, "one object", f"there are {listed.keys}", listed)
    sealed = s3.expect(s3.look("GetObject", Key=listed.keys[0]), ok()).body or b""
    s3.put(listed.keys[0], sealed[:-1] + bytes([sealed[-1] ^ 1]))
    run = s3.program("cryptcheck", str(local), secret, "--combined", "-")
    found_out = run.exit_code == 1 and lines(run) == ["* plain.txt"]
    s3.check(found_out, "exit code 1 and the line '* plain.txt'", f"got {run.summary()} and {lines(run)}", run)
    target = s3.folder
    run = s3.program("copy", secret, str(target))
    s3.check(run.exit_code == 1 and not found(target), "nothing is decrypted", f"got {run.summary()}", run)

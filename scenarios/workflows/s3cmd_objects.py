"""s3cmd with single objects: `put`, `get`, `info`, `signurl`, and its exit codes."""

from __future__ import annotations

import hashlib

from harness.clients.base import Observed
from harness.expect import body, ok, one_of, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault
from scenarios.workflows._steps import LARGE, exits, files, finished, holds, place, prints, requests, tells

CONTENT = b"kept by s3cmd"
TYPE = "text/x-s3conform"
PUBLIC = b"for everyone who has the URL"


def signed(s3: Scene, name: str) -> str:
    """The URL that `s3cmd signurl` prints.

    Raises:
        ClientFault: it printed none; for this it asks nobody.
    """
    run = s3.program("signurl", place(s3, name), "+600")
    url = run.stdout.strip()
    if not run.ok or not url.startswith(("http://", "https://")):
        raise ClientFault(f"s3cmd signurl printed no URL: {run.summary()}")
    return url


def attributes(shown: Observed) -> str:
    """What s3cmd keeps of a file as metadata of the object, "" where there is nothing."""
    return str((shown.output.get("Metadata") or {}).get("s3cmd-attrs", ""))


@scenario(
    "S3CMD-002",
    MUST,
    "PutObject",
    source="s3cmd documentation, put; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def put(s3: Scene) -> None:
    """`s3cmd put` stores a file's bytes with its type, and its digest and times in x-amz-meta-s3cmd-attrs.

    S3 promises: the ETag of the answer is the MD5 of the body; user metadata comes back as it was sent.

    Breaks: every upload: s3cmd compares the ETag with the MD5 that it computed, and takes another for a damaged
    object; `sync` reads the digest of large files from this metadata.

    Fix: MD5 as ETag of what is stored in one piece; keep slashes and colons in metadata.
    """
    source = files(s3, {"file": CONTENT}) / "file"
    run = s3.program("put", "--mime-type", TYPE, str(source), place(s3, "a b+é"))
    finished(s3, run, "PutObject", Key=s3.key("a b+é"), Body=CONTENT)
    holds(s3, {"a b+é": CONTENT})
    shown = s3.expect(s3.look("HeadObject", Key=s3.key("a b+é")), ok())
    kept, digest = attributes(shown), f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    s3.check(digest in kept.split("/"), f"x-amz-meta-s3cmd-attrs with {digest}", f"it is {kept!r}", shown)
    found = shown.output.get("ContentType")
    s3.check(found == TYPE, f"Content-Type {TYPE}", f"it is {found!r}", shown)


@scenario(
    "S3CMD-003",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="s3cmd documentation, put --multipart-chunk-size-mb; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def put_in_parts(s3: Scene) -> None:
    """`s3cmd put --multipart-chunk-size-mb=5` uploads a file in parts of 5 MiB, and the object is the file.

    S3 promises: parts are joined by their numbers; metadata of CreateMultipartUpload is the object's.

    Breaks: all files above 15 MiB, which s3cmd sends in parts by default.

    Fix: the ETag of a part is the MD5 of its body; keep the metadata until the completion.
    """
    source = files(s3, {"large": LARGE}) / "large"
    run = s3.program("put", "--multipart-chunk-size-mb=5", str(source), place(s3, "large"))
    finished(s3, run, "CreateMultipartUpload", Key=s3.key("large"))
    parts = len(requests(s3, run, "UploadPart"))
    s3.check(parts == 2, "two parts", f"it sent {parts}", run)
    holds(s3, {"large": LARGE})
    shown = s3.expect(s3.look("HeadObject", Key=s3.key("large")), ok())
    kept, digest = attributes(shown), f"md5:{hashlib.md5(LARGE).hexdigest()}"
    s3.check(digest in kept.split("/"), f"x-amz-meta-s3cmd-attrs with {digest}", f"it is {kept!r}", shown)


@scenario(
    "S3CMD-007",
    SHOULD,
    "HeadObject",
    "GetBucketPolicy",
    "GetBucketCors",
    "GetObjectAcl",
    source="s3cmd documentation, info; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def info(s3: Scene) -> None:
    """`s3cmd info` prints size, type, MD5 and metadata of an object; it asks for policy, CORS and ACL as well.

    S3 promises: 404 where a bucket has no policy and no CORS rules; the ACL of every object.

    Breaks: s3cmd, which goes on after 404 and 501 and gives up after any other refusal of these.

    Fix: answer subresources that are not offered with 501 NotImplemented.
    """
    s3.put(s3.key("object"), CONTENT, ContentType=TYPE, Metadata={"colour": "blue"})
    run = s3.program("info", place(s3, "object"))
    finished(s3, run, "HeadObject", Key=s3.key("object"))
    digest = hashlib.md5(CONTENT).hexdigest()
    s3.expect(run, prints(f"File size: {len(CONTENT)}\n"), prints(f"MIME type: {TYPE}\n"))
    s3.expect(run, prints(f"MD5 sum:   {digest}\n"), prints("x-amz-meta-colour: blue\n"))
    s3.expect(s3.look("GetObject", Key=s3.key("object")), ok(), body(CONTENT))


@scenario(
    "S3CMD-008",
    MUST,
    "HeadObject",
    "GetObject",
    source="s3cmd documentation, get --force; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def get_force(s3: Scene) -> None:
    """`s3cmd get --force` replaces a local file by the object's bytes.

    S3 promises: GetObject answers the stored bytes, their length and an ETag.

    Breaks: restores: s3cmd compares the MD5 of what came with the ETag.

    Fix: send the bytes that were stored, uncompressed, with their Content-Length.
    """
    s3.put(s3.key("a b+é"), CONTENT)
    target = files(s3, {"file": b"something older, and longer than the object"}) / "file"
    run = s3.program("get", "--force", place(s3, "a b+é"), str(target))
    finished(s3, run, "GetObject", Key=s3.key("a b+é"))
    found = target.read_bytes() if target.is_file() else b""
    s3.check(found == CONTENT, f"the file {CONTENT!r}", f"it is {found!r}", run)
    s3.expect(s3.look("GetObject", Key=s3.key("a b+é")), ok(), body(CONTENT))


@scenario(
    "S3CMD-011",
    SHOULD,
    "GetObject",
    source="s3cmd documentation, signurl; measured: s3cmd 2.4.0 signs with version 2",
    clients=("s3cmd",),
)
def signurl(s3: Scene) -> None:
    """`s3cmd signurl` prints a URL, signed with Signature Version 2, that gives the object to anybody.

    S3 promises: in the regions that existed before 2014, AWSAccessKeyId, Expires and Signature in the query stand for
    an Authorization header.

    Breaks: links that are sent to people; s3cmd has no other way to make them.

    Fix: accept Signature Version 2 in the query, or tell users to make links with another client.
    """
    s3.put(s3.key("a b+é"), PUBLIC)
    s3.expect(s3.fetch(signed(s3, "a b+é")), ok(), body(PUBLIC))


@scenario(
    "S3CMD-022",
    SHOULD,
    "GetObject",
    source="Amazon S3 API reference, signing and authenticating REST requests (version 2)",
    clients=("s3cmd",),
)
def signurl_of_another_key(s3: Scene) -> None:
    """A URL of `s3cmd signurl` opens the one object that it was made for: with another key in it, it is refused.

    S3 promises: the signature covers method, time and path; anything else is 403.

    Breaks: everybody who shares one file and not the whole bucket.

    Fix: compute the signature from the request as it came, and compare; refuse what cannot be verified.
    """
    s3.put(s3.key("public"), PUBLIC)
    s3.put(s3.key("secret"), b"for nobody")
    url = signed(s3, "public").replace("/public?", "/secret?")
    # A store that takes no such URLs at all keeps its secrets too.
    s3.expect(s3.fetch(url), one_of(*map(refused, (400, 401, 403))))


@scenario(
    "S3CMD-019",
    SHOULD,
    "HeadObject",
    "ListObjects",
    source="s3cmd, exit codes of sysexits.h; measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def exit_code_12(s3: Scene) -> None:
    """`s3cmd info` of a missing object and `s3cmd ls` of a missing bucket end with exit code 12, which means 404.

    S3 promises: HeadObject of a missing key is 404; every operation on a missing bucket is 404 NoSuchBucket.

    Breaks: scripts that tell by the exit code what is missing from what is refused.

    Fix: 404 for what is not there, and 403 only for who may not know.
    """
    missing = s3.program("info", place(s3, "none"))
    s3.expect(s3.look("HeadObject", Key=s3.key("none")), refused(404))
    s3.expect(missing, exits(12), tells("404"))
    name = s3.bucket_name()
    missing = s3.program("ls", f"s3://{name}")
    s3.expect(s3.look("ListObjects", Bucket=name), refused(404, "NoSuchBucket"))
    s3.expect(missing, exits(12), tells("NoSuchBucket"))


@scenario(
    "S3CMD-020",
    SHOULD,
    "ListObjects",
    source="s3cmd, exit codes of sysexits.h; measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def exit_code_77(s3: Scene) -> None:
    """`s3cmd ls` with a wrong secret key ends with exit code 77, which means 403, and names the error.

    S3 promises: a signature that does not match is 403 SignatureDoesNotMatch.

    Breaks: everything that is kept in the store, where signatures are not checked; with another status s3cmd tries
    again, or calls it another error.

    Fix: verify every signature; 403 with a code that says what was wrong.
    """
    s3.put(s3.key("object"), CONTENT)
    wrong = {"AWS_SECRET_ACCESS_KEY": "not-the-secret-of-this-access-key"}
    run = s3.program("ls", place(s3), environment=wrong)
    s3.expect(run, exits(77), tells("403"))
    statuses = [sent.status for sent in requests(s3, run, "ListObjects")]
    s3.check(statuses == [403], "one ListObjects, refused with 403", f"the answers were {statuses}", run)

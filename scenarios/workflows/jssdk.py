"""Applications on the AWS SDK for JavaScript v3: objects written, read, listed, copied and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from harness.clients.base import Observed
from harness.clients.jssdk import JsSdk
from harness.expect import Matcher, body, header, keys, metadata, ok, one_of, output, prefixes, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible

CONTENT = b"written by an application in JavaScript\n"
MEASURED = "measured with client-s3 3.1169.0 on Node 20"


def script(
    s3: Scene, name: str, operation: str, *, settings: Mapping[str, Any] | None = None, **params: Any
) -> Observed:
    """One of the SDK's snippets (see `JsSdk.script`), with options of its client that hold for this call.

    Raises:
        Inexpressible: the client under test is another one.
    """
    if not isinstance(s3.client, JsSdk):
        raise Inexpressible(f"{s3.client.name} is not the AWS SDK for JavaScript")
    observed = s3.client.script(name, operation, {"Bucket": s3.bucket} | params, settings=settings)
    return s3.keep("client", observed)


def is_whole(s3: Scene, key: str, content: bytes) -> None:
    """The witness reads exactly these bytes."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))


def is_missing(s3: Scene, key: str) -> None:
    """The witness finds no such object."""
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))


def sent(observed: Observed) -> list[str]:
    """The names of all request header lines of a call, in lower case."""
    return [name.lower() for exchange in observed.exchanges for name, _ in exchange.request_headers]


@scenario(
    "JSSDK-001",
    MUST,
    "PutObject",
    source=f"AWS SDK for JavaScript v3, PutObjectCommand; {MEASURED}",
    clients=("jssdk",),
)
def put(s3: Scene) -> None:
    """`new PutObjectCommand({ Body })` stores bytes, content type and metadata as they were given.

    S3 promises: the object is what was sent. By default the SDK adds a CRC32 of the bytes (x-amz-checksum-crc32, and
    x-amz-sdk-checksum-algorithm), and the query parameter x-id=PutObject to the signed URL.

    Breaks: every upload of every Node application since January 2025, on gateways that answer 501 or 400 to checksum
    headers they do not know, or refuse query parameters that they do not expect.

    Fix: verify the checksum or ignore it; sign over whatever query there is, and ignore x-id.
    """
    key = s3.key("notes & more/été.txt")
    kind, author = "text/plain; charset=utf-8", {"written-by": "application"}
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, ContentType=kind, Metadata=author), ok())
    found = s3.look("GetObject", Key=key)
    s3.expect(found, ok(), body(CONTENT), header("Content-Type", kind), metadata(author))


@scenario(
    "JSSDK-004",
    MUST,
    "GetObject",
    source=f"AWS SDK for JavaScript v3, GetObjectCommand; {MEASURED}",
    clients=("jssdk",),
)
def get(s3: Scene) -> None:
    """`new GetObjectCommand()` reads the bytes to their end, with type, length and metadata.

    S3 promises: the object as it was stored. By default the SDK asks for a checksum (x-amz-checksum-mode: ENABLED) and
    compares it at the end of the stream, where a wrong one is thrown as an error.

    Breaks: every download: a checksum of anything but the object's bytes makes them unreadable, and so does a
    Content-Encoding that the object never had.

    Fix: send a checksum that was verified, or none.
    """
    key, content = s3.key("photo.bin"), bytes(range(256)) * 300
    s3.put(key, content, ContentType="image/x-test", Metadata={"camera": "none"})
    found = s3.call("GetObject", Key=key)
    s3.expect(found, ok(), body(content), metadata({"camera": "none"}))
    s3.expect(found, output("ContentLength", len(content)), output("ContentType", "image/x-test"))


@scenario(
    "JSSDK-005",
    SHOULD,
    "HeadObject",
    source=f"AWS SDK for JavaScript v3, HeadObjectCommand; {MEASURED}",
    clients=("jssdk",),
)
def head_of_nothing(s3: Scene) -> None:
    """`new HeadObjectCommand()` of a missing key throws an error of the name NotFound, and finds a key that is there.

    S3 promises: 404 without a body; the SDK has nothing but the status to make a name from. 403 becomes "403" or
    Forbidden, which no application takes for an absent object.

    Breaks: the usual way to ask "is it there?", `error.name === "NotFound"`: with another status, uploads that should
    create an object end with an error instead.

    Fix: answer HEAD of a missing key with 404 for whoever may list the bucket.
    """
    key = s3.key("there")
    s3.put(key, CONTENT)
    s3.expect(s3.call("HeadObject", Key=key), ok(), output("ContentLength", len(CONTENT)))
    s3.expect(s3.call("HeadObject", Key=s3.key("not-there")), refused(404, "NotFound"))


@scenario(
    "JSSDK-016",
    SHOULD,
    "GetObject",
    source=f"AWS SDK for JavaScript v3, class NoSuchKey; {MEASURED}",
    clients=("jssdk",),
)
def get_of_nothing(s3: Scene) -> None:
    """`new GetObjectCommand()` of a missing key throws NoSuchKey with status 404.

    S3 promises: an error document whose Code is NoSuchKey; the SDK turns it into a class of that name.

    Breaks: `error instanceof NoSuchKey`, by which applications tell an absent object from a failure; without an XML
    body the SDK throws a NotFound or UnknownError that they do not catch.

    Fix: answer 404 with `<Error><Code>NoSuchKey</Code>…`.
    """
    key = s3.key("there")
    s3.put(key, CONTENT)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(CONTENT))
    s3.expect(s3.call("GetObject", Key=s3.key("not-there")), refused(404, "NoSuchKey"))


@scenario(
    "JSSDK-006",
    MUST,
    "ListObjectsV2",
    source=f"AWS SDK for JavaScript v3, paginateListObjectsV2; {MEASURED}",
    clients=("jssdk",),
)
def list_by_pages(s3: Scene) -> None:
    """`paginateListObjectsV2` gives every key once, in order, and every folder once, and comes to an end.

    S3 promises: pages in UTF-8 order; NextContinuationToken where there are more, none on the last one. The SDK asks
    for no encoding of keys, so that they are told as XML text.

    Breaks: the paginator has no guard against loops: a token that comes again fills the memory of the process. Common
    prefixes that come on two pages are processed twice; `+`, `%` or `&` not escaped as XML name other objects.

    Fix: continue behind the last key or common prefix that was shown, and give a token only where there are more.
    """
    names = [
        "a&b.txt",
        "a+b.txt",
        "a%20b.txt",
        "été/1",
        "été/2",
        "sub/1",
        "sub/2",
        "sub/3",
        "sub0",
        "z",
        "\uff5e",
        "\U0001f600",
    ]
    wanted = sorted((s3.key(name) for name in names), key=str.encode)
    for key in wanted:
        s3.put(key, CONTENT)
    s3.expect(s3.list_all(2, Prefix=s3.prefix, MaxKeys=2), ok(), keys(wanted))
    folders = s3.list_all(2, Prefix=s3.prefix, Delimiter="/", MaxKeys=2)
    files = [key for key in wanted if "/" not in key.removeprefix(s3.prefix)]
    s3.expect(folders, ok(), keys(files), prefixes([s3.key("sub/"), s3.key("été/")]))


@scenario(
    "JSSDK-007",
    MUST,
    "CopyObject",
    source=f"AWS SDK for JavaScript v3, CopyObjectCommand; {MEASURED}",
    clients=("jssdk",),
)
def copy(s3: Scene) -> None:
    """`new CopyObjectCommand({ CopySource })` copies bytes and metadata, and leaves the source.

    S3 promises: CopySource is percent-encoded by the application; the object named by it is copied with its metadata,
    and the answer is a document with the ETag of the copy.

    Breaks: renaming, which is a copy and a delete: a copy that was not made loses the object.

    Fix: decode x-amz-copy-source once; answer with a CopyObjectResult only when the copy is there.
    """
    source, target = s3.key("from here/été+1.txt"), s3.key("to there.txt")
    s3.put(source, CONTENT, Metadata={"kept": "yes"})
    done = s3.call("CopyObject", Key=target, CopySource=f"{s3.bucket}/{quote(source)}")
    s3.expect(done, ok())
    result = done.output.get("CopyObjectResult", {})
    s3.check("ETag" in result, "a CopyObjectResult with the ETag of the copy", f"it was {result}", done)
    s3.expect(s3.look("GetObject", Key=target), ok(), body(CONTENT), metadata({"kept": "yes"}))
    is_whole(s3, source, CONTENT)


def _named_refusal() -> Matcher:
    """A refusal that an application can tell by its name."""
    known = ((403, "AccessDenied"), (405, "MethodNotAllowed"), (501, "NotImplemented"))
    return one_of(*(refused(*pair) for pair in known))


@scenario(
    "JSSDK-011",
    MUST,
    "DeleteObject",
    source=f"AWS SDK for JavaScript v3, DeleteObjectCommand; {MEASURED}",
    clients=("jssdk",),
)
def delete(s3: Scene) -> None:
    """`new DeleteObjectCommand()` resolves and the object is gone, or throws a named error and it is whole.

    S3 promises: 204 for what is gone. A store that keeps its objects refuses with an error document; the SDK throws
    an error with its code as name, and the status in $metadata.

    Breaks: applications that free their own record of an object once the promise has resolved; ones that look for
    `error.name === "AccessDenied"` where a refusal without a document is called UnknownError.

    Fix: 204 only for what is gone; else 403 AccessDenied, or 405 MethodNotAllowed, with an error document.
    """
    key = s3.key("once")
    s3.put(key, CONTENT)
    answer = s3.call("DeleteObject", Key=key)
    if answer.ok:
        s3.expect(answer, ok(204))
        is_missing(s3, key)
        return
    s3.expect(answer, _named_refusal())
    is_whole(s3, key, CONTENT)


@scenario(
    "JSSDK-010",
    SHOULD,
    "DeleteObjects",
    source=f"AWS SDK for JavaScript v3, DeleteObjectsCommand; versitygw REST DeleteObjects; {MEASURED}",
    clients=("jssdk",),
)
def delete_many(s3: Scene) -> None:
    """`new DeleteObjectsCommand()` lists under Deleted what is gone, and under Errors, with a code, what is whole.

    S3 promises: one entry for each key, with status 200 in any case. A version that does not exist is an Error, and
    its object stays. The SDK sends a CRC32 of the document and never Content-MD5.

    Breaks: the promise resolves whatever became of the keys: applications that do not look into Errors, and all of
    them where Errors are not told. Gateways that insist on Content-MD5 refuse every such request.

    Fix: carry out every entry for itself, read its VersionId, and accept any checksum in place of Content-MD5.
    """
    plain, missing, pinned = s3.key("plain & simple"), s3.key("missing"), s3.key("pinned")
    s3.put(plain, CONTENT)
    s3.put(pinned, CONTENT)
    entries = [{"Key": plain}, {"Key": missing}, {"Key": pinned, "VersionId": "no-such-version"}]
    answer = s3.expect(s3.call("DeleteObjects", Delete={"Objects": entries}), ok())
    is_whole(s3, pinned, CONTENT)
    gone = [entry.get("Key", "") for entry in answer.output.get("Deleted", [])]
    failed = {entry.get("Key", ""): entry.get("Code", "") for entry in answer.output.get("Errors", [])}
    told = f"Deleted {gone}, Errors {failed}"
    s3.check(sorted([*gone, *failed]) == sorted([plain, missing, pinned]), "one entry for each of 3 keys", told, answer)
    s3.check(pinned in failed, f"Errors with {pinned}, whose version does not exist", told, answer)
    s3.check(all(failed.values()), "a Code in every entry of Errors", told, answer)
    if plain in gone:
        is_missing(s3, plain)
    else:
        is_whole(s3, plain, CONTENT)

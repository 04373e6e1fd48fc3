"""`aws s3api` on single objects: put, get, head, delete and copy, each read again by raw HTTP."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import etag, metadata, ok, output, output_where
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done, downloaded, file, is_missing, is_whole, rejected

CONTENT = b"bytes of an object: \x00\x01\xfe\xff\r\n and no line end"
ODD = "a b+c%20&=é.txt"
"""A name whose every second character has to be encoded in a URL, and some of them in a header too."""
NOTES = {"color": "red", "long-name": "two  words"}


def _shorthand(notes: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in notes.items())


@scenario("S3API-002", MUST, "PutObject", source=SOURCE.format("put-object"), clients=("awscli",))
def put_object(s3: Scene) -> None:
    """`aws s3api put-object` stores the bytes, type and metadata of a file, and prints the ETag that HEAD shows.

    S3 promises: after 200 the object is there, whole, with the headers it was sent with.

    Breaks: scripts that keep what put-object prints to recognise a change later, and every reader of the metadata.

    Fix: answer with the ETag under which the object is served from then on; store Content-Type, Cache-Control and
    x-amz-meta-* as sent.
    """
    key = s3.key(ODD)
    options = ["--content-type", "text/x-notes", "--cache-control", "max-age=60", "--metadata", _shorthand(NOTES)]
    run = s3.expect(api(s3, "put-object", *at(s3.bucket, key), "--body", file(s3, CONTENT), *options), done())
    found = is_whole(s3, key, CONTENT)
    s3.expect(found, output("ContentType", "text/x-notes"), output("CacheControl", "max-age=60"), metadata(NOTES))
    s3.expect(run, etag(_etag(s3, key)))


@scenario("S3API-003", MUST, "GetObject", source=SOURCE.format("get-object"), clients=("awscli",))
def get_object(s3: Scene) -> None:
    """`aws s3api get-object` writes an object's bytes to a file and prints its headers; a missing key is NoSuchKey.

    S3 promises: the bytes, length, type and metadata that were stored; 404 NoSuchKey where there is nothing.

    Breaks: every script that downloads; one that gets an empty success for a missing key goes on with an empty file.

    Fix: send Content-Length, Content-Type and x-amz-meta-* with the object, and an error document with the 404.
    """
    key = s3.key(ODD)
    s3.put(key, CONTENT, ContentType="text/x-notes", Metadata=NOTES)
    run = s3.expect(downloaded(s3, "get-object", *at(s3.bucket, key)), done())
    same = run.body == CONTENT
    s3.check(same, f"a file of {len(CONTENT)} bytes, those stored", f"it holds {len(run.body or b'')} bytes", run)
    s3.expect(run, output("ContentLength", len(CONTENT)), output("ContentType", "text/x-notes"), metadata(NOTES))
    s3.expect(downloaded(s3, "get-object", *at(s3.bucket, s3.key("missing"))), rejected(404, "NoSuchKey"))
    is_missing(s3, s3.key("missing"))


@scenario("S3API-004", MUST, "HeadObject", source=SOURCE.format("head-object"), clients=("awscli",))
def head_object(s3: Scene) -> None:
    """`aws s3api head-object` prints the length, type, ETag, time and metadata of an object, as a GET shows them.

    S3 promises: HEAD answers with the headers of GET, and no body.

    Breaks: whoever asks for the size before downloading; with Content-Length 0 or none, empty files are made.

    Fix: answer HEAD from the same code as GET, Content-Length of the whole object among the headers.
    """
    key = s3.key(ODD)
    s3.put(key, CONTENT, ContentType="text/x-notes", Metadata=NOTES)
    run = s3.expect(api(s3, "head-object", *at(s3.bucket, key)), done())
    s3.expect(run, output("ContentLength", len(CONTENT)), output("ContentType", "text/x-notes"), metadata(NOTES))
    s3.expect(run, output_where("LastModified", "a time", bool))
    found = is_whole(s3, key, CONTENT)
    s3.expect(found, output_where("ETag", "the one that head-object printed", lambda shown: shown == run.etag))


@scenario(
    "S3API-005",
    MUST,
    "DeleteObject",
    source=SOURCE.format("delete-object"),
    clients=("awscli",),
)
def delete_object(s3: Scene) -> None:
    """`aws s3api delete-object` removes the one object it names, or tells by exit code 254 or 255 why it stays.

    S3 promises: 204 for what is gone, and for what never was; an error with a reason for what stays, whole.

    Breaks: clean-up scripts and their logs: what is called deleted is paid for and found by others, or is lost
    though it was called kept.

    Fix: delete exactly the named key before answering 204; a store that keeps its objects refuses with 403
    AccessDenied.
    """
    key, other = s3.key("one"), s3.key("one and more")
    s3.put(key, CONTENT)
    s3.put(other, CONTENT)
    run = api(s3, "delete-object", *at(s3.bucket, key))
    if run.ok:
        is_missing(s3, key)
        s3.expect(api(s3, "delete-object", *at(s3.bucket, s3.key("never was"))), done())
    else:
        s3.expect(run, rejected(403, "AccessDenied"))
        is_whole(s3, key, CONTENT)
    is_whole(s3, other, CONTENT)


@scenario("S3API-006", MUST, "CopyObject", source=SOURCE.format("copy-object"), clients=("awscli",))
def copy_object(s3: Scene) -> None:
    """`aws s3api copy-object` copies bytes, type and metadata; with `--metadata-directive REPLACE`, only bytes.

    S3 promises: a copy has the headers of its source unless they are to be replaced; the source stays as it was.

    Breaks: renames, and `aws s3 cp` between keys: copies that are empty or have lost their type are found later.

    Fix: read x-amz-copy-source, decode it once, and copy the headers beside the bytes unless told otherwise.
    """
    source, plain, replaced = s3.key(ODD), s3.key("copy"), s3.key("replaced")
    s3.put(source, CONTENT, ContentType="text/x-notes", Metadata=NOTES)
    place = ["--copy-source", f"{s3.bucket}/{source}"]
    run = s3.expect(api(s3, "copy-object", *at(s3.bucket, plain), *place), done())
    found = is_whole(s3, plain, CONTENT)
    s3.expect(found, output("ContentType", "text/x-notes"), metadata(NOTES))
    copied = run.output.get("CopyObjectResult", {}).get("ETag")
    s3.check(copied == found.etag, f"CopyObjectResult with the ETag {found.etag}", f"it was {copied}", run)
    options = ["--metadata-directive", "REPLACE", "--metadata", "size=small", "--content-type", "text/x-other"]
    s3.expect(api(s3, "copy-object", *at(s3.bucket, replaced), *place, *options), done())
    found = is_whole(s3, replaced, CONTENT)
    s3.expect(found, output("ContentType", "text/x-other"), metadata({"size": "small"}))
    s3.expect(is_whole(s3, source, CONTENT), metadata(NOTES))


def _etag(s3: Scene, key: str) -> str:
    """The ETag that HEAD shows to the witness."""
    seen: Observed = s3.expect(s3.look("HeadObject", Key=key), ok())
    return seen.etag or "in the answer to HEAD"

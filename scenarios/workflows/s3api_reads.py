"""`aws s3api` that asks first: for a range, on a condition, for attributes, or whether an object is there at all."""

from __future__ import annotations

from harness.expect import Matcher, output, output_where
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done, downloaded, file, is_missing, is_whole, rejected

CONTENT = b"0123456789 and what follows the ten digits"
OTHER_ETAG = '"00000000000000000000000000000000"'
"""An ETag that no object of these scenarios has."""


def _holds(content: bytes) -> Matcher:
    """The file that a command wrote has exactly these bytes."""
    return Matcher(f"a file with {content!r}", lambda seen: "" if seen.body == content else f"it has {seen.body!r}")


def _stored(s3: Scene) -> tuple[str, list[str]]:
    """An object: its key, and the arguments that name it."""
    key = s3.key("digits")
    s3.put(key, CONTENT)
    return key, at(s3.bucket, key)


@scenario("S3API-015", MUST, "GetObject", source=SOURCE.format("get-object"), clients=("awscli",))
def ranges(s3: Scene) -> None:
    """`aws s3api get-object --range` downloads those bytes alone, also the last; behind the end it is InvalidRange.

    S3 promises: bytes=3-8 are six bytes from offset 3, bytes=-4 the last four, both with 206 and Content-Range; a
    range that begins behind the end is 416 InvalidRange.

    Breaks: parallel and resumed downloads; a whole object where a part was asked for makes files of garbage.

    Fix: read one range in all three forms, and refuse what lies behind the end.
    """
    _, place = _stored(s3)
    size = len(CONTENT)
    for asked, start, end in (("bytes=3-8", 3, 8), ("bytes=-4", size - 4, size - 1)):
        run = s3.expect(downloaded(s3, "get-object", *place, "--range", asked), done())
        s3.expect(run, _holds(CONTENT[start : end + 1]), output("ContentRange", f"bytes {start}-{end}/{size}"))
    beyond = f"bytes={size}-{size + 9}"
    s3.expect(downloaded(s3, "get-object", *place, "--range", beyond), rejected(416, "InvalidRange"))


@scenario("S3API-017", SHOULD, "GetObject", source=SOURCE.format("get-object"), clients=("awscli",))
def reads_on_condition(s3: Scene) -> None:
    """`aws s3api get-object --if-none-match` ends with exit code 254 or 255 and "(304)" where nothing has changed.

    S3 promises: 304 without a body for the ETag that the object has, the object for any other; and with --if-match
    412 PreconditionFailed for any other.

    Breaks: caches and pollers. Told 200 they download again and again; told 304 wrongly they keep what is outdated.

    Fix: compare ETags as they are served, quotes included; 304 for reads, 412 for a match that fails.
    """
    key, place = _stored(s3)
    tag = is_whole(s3, key, CONTENT).etag or ""
    s3.expect(downloaded(s3, "get-object", *place, "--if-none-match", tag), rejected(304), _holds(b""))
    s3.expect(downloaded(s3, "get-object", *place, "--if-none-match", OTHER_ETAG), done(), _holds(CONTENT))
    refused = rejected(412, "PreconditionFailed")
    s3.expect(downloaded(s3, "get-object", *place, "--if-match", OTHER_ETAG), refused, _holds(b""))


@scenario("S3API-018", SHOULD, "PutObject", source=SOURCE.format("put-object"), clients=("awscli",))
def writes_once(s3: Scene) -> None:
    """`aws s3api put-object --if-none-match '*'` stores an object once; the second time it is PreconditionFailed.

    S3 promises: the object is stored where there is none, and 412 PreconditionFailed leaves the one there is whole.

    Breaks: locks and leader election by object, as Terraform and table formats use them: with the condition ignored
    both writers believe that they won.

    Fix: check and store as one step; a gateway that cannot answers 501, and does not store.
    """
    key, only = s3.key("lock"), ["--if-none-match", "*"]
    first, second = CONTENT, b"the second writer"
    s3.expect(api(s3, "put-object", *at(s3.bucket, key), *only, "--body", file(s3, first)), done())
    is_whole(s3, key, first)
    run = api(s3, "put-object", *at(s3.bucket, key), *only, "--body", file(s3, second))
    s3.expect(run, rejected(412, "PreconditionFailed"))
    is_whole(s3, key, first)


@scenario(
    "S3API-019", SHOULD, "GetObjectAttributes", source=SOURCE.format("get-object-attributes"), clients=("awscli",)
)
def attributes(s3: Scene) -> None:
    """`aws s3api get-object-attributes` prints an object's ETag and size; a missing key is NoSuchKey.

    S3 promises: those of ETag, ObjectSize and others that were asked for, without the object itself.

    Breaks: inventories and integrity checks. A gateway that ignores ?attributes sends the whole object instead.

    Fix: route by the query before the method; a gateway without the operation answers 501.
    """
    key, place = _stored(s3)
    wanted = ["--object-attributes", "ETag", "ObjectSize"]
    tag = (is_whole(s3, key, CONTENT).etag or "").strip('"')
    run = s3.expect(api(s3, "get-object-attributes", *place, *wanted), done(), output("ObjectSize", len(CONTENT)))
    s3.expect(run, output_where("ETag", f"{tag}, as a GET shows it", lambda shown: str(shown).strip('"') == tag))
    missing = at(s3.bucket, s3.key("missing"))
    s3.expect(api(s3, "get-object-attributes", *missing, *wanted), rejected(404, "NoSuchKey"))


@scenario("S3API-027", SHOULD, "HeadObject", source=SOURCE.format("head-object"), clients=("awscli",))
def missing_or_forbidden(s3: Scene) -> None:
    """`aws s3api head-object` tells a missing key, "(404)", from a request that is not let in, "(403)".

    S3 promises: HEAD has no document, so the status says all: 404 for what is not there, 403 for a wrong signature.

    Breaks: `aws s3 cp`, rclone and every "upload if it is missing": 403 for a missing key stops them, 404 for a wrong
    key makes them upload again, and any other status is a failure.

    Fix: check the signature first (403), then look for the object (404).
    """
    _, place = _stored(s3)
    s3.expect(api(s3, "head-object", *at(s3.bucket, s3.key("missing"))), rejected(404))
    stranger = {"AWS_SECRET_ACCESS_KEY": "not-the-secret-of-this-access-key-at-all"}
    s3.expect(api(s3, "head-object", *place, environment=stranger), rejected(403))
    s3.expect(api(s3, "head-object", *place), done(), output("ContentLength", len(CONTENT)))


@scenario(
    "S3API-028",
    SHOULD,
    "HeadObject",
    source=SOURCE.format("wait object-exists and wait object-not-exists"),
    clients=("awscli",),
)
def waiters(s3: Scene) -> None:
    """`aws s3api wait object-exists` ends at once where the object is, `wait object-not-exists` where it is not.

    S3 promises: HEAD is 200 from the moment on at which an upload was answered, and 404 where there is nothing.

    Breaks: pipelines that wait for a file. Any other status than 404 for a missing key ends the wait with an error,
    and a 404 for one that is there makes it last for 100 seconds.

    Fix: let HEAD see what PUT stored; answer 404, not 403, for a missing key to those who may list.
    """
    key, place = _stored(s3)
    s3.expect(api(s3, "wait object-exists", *place), done())
    is_whole(s3, key, CONTENT)
    missing = s3.key("missing")
    run = api(s3, "wait object-not-exists", *at(s3.bucket, missing))
    is_missing(s3, missing)
    s3.check(run.exit_code == 0, "exit code 0", f"exit code was {run.exit_code}: {run.stderr.strip()[-200:]}", run)

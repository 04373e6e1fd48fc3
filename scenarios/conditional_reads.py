"""CRD: conditional reads, GetObject and HeadObject with If-Match, If-None-Match and the two dates."""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import NamedTuple

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, header, if_shown, no_body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from scenarios._conditional import STALE, failed, put_for_etag
from scenarios.get import http_date

CONTENT = b"what a cache holds already"

PRECONDITIONS = "LocalStack test_s3_get_object_preconditions (recorded on AWS)"

NOT_MODIFIED = refused(304)
"""304 is no error, but SDKs report it as one."""


class Stored(NamedTuple):
    """An object with CONTENT, its ETag, and when it was stored, as Last-Modified says."""

    key: str
    etag: str
    modified: dt.datetime

    def at(self, **offset: float) -> str:
        """An HTTP date so far from Last-Modified: `seconds=-1`, `hours=1`."""
        return email.utils.format_datetime(self.modified + dt.timedelta(**offset), usegmt=True)


def stored(s3: Scene) -> Stored:
    """An object to read, with its ETag and Last-Modified as the witness is shown them."""
    key = s3.key()
    tag = put_for_etag(s3, key, CONTENT)
    head = s3.expect(s3.look("HeadObject", Key=key), ok(), http_date("Last-Modified"))
    return Stored(key, tag, email.utils.parsedate_to_datetime((head.headers or {})["last-modified"]))


@scenario("CRD-001", MUST, "GetObject", "HeadObject", source=PRECONDITIONS, clients=CALLERS)
def read_if_match(s3: Scene) -> None:
    """If-Match lets a read through while the object has the ETag, and answers 412 PreconditionFailed once it has not.

    S3 promises: GET and HEAD with the current ETag are answered as if the header were not there; with another one the
    answer is 412, and no byte of the object is sent.

    Breaks: boto3's and the AWS CLI's downloads in parts put the ETag they saw first into every further request. If the
    object is replaced meanwhile and nobody says so, the file is put together from two objects.

    Fix: compare with the ETag of the very version that is about to be served, before the status line is written.
    """
    key = s3.key()
    tag = put_for_etag(s3, key, CONTENT)
    s3.expect(s3.call("GetObject", Key=key, IfMatch=tag), ok(), body(CONTENT))
    s3.expect(s3.call("HeadObject", Key=key, IfMatch=tag), ok())
    s3.expect(s3.call("GetObject", Key=key, IfMatch=STALE), refused(412, "PreconditionFailed"))
    s3.expect(s3.call("HeadObject", Key=key, IfMatch=STALE), refused(412))


@scenario("CRD-002", SHOULD, "GetObject", source=PRECONDITIONS, clients=LIBRARIES)
def failed_read_names_its_condition(s3: Scene) -> None:
    """The error document of a failed read condition names the header in its element Condition.

    S3 promises: PreconditionFailed comes with Condition: "If-Match" where the ETag was another one,
    "If-Unmodified-Since" where the object is newer than the date.

    Breaks: no client stops for want of it; programs that send several conditions log it, and without it nobody can tell
    from the outside which of them failed.

    Fix: raise the error where the condition is compared, and carry its name into the document.
    """
    found = stored(s3)
    s3.expect(
        s3.call("GetObject", Key=found.key, IfMatch=found.etag, IfUnmodifiedSince=found.at()), ok(), body(CONTENT)
    )
    s3.expect(s3.call("GetObject", Key=found.key, IfMatch=STALE), failed("If-Match"))
    older = found.at(hours=-1)
    s3.expect(s3.call("GetObject", Key=found.key, IfUnmodifiedSince=older), failed("If-Unmodified-Since"))


@scenario("CRD-003", MUST, "GetObject", "HeadObject", source=PRECONDITIONS, clients=CALLERS)
def read_if_none_match(s3: Scene) -> None:
    """If-None-Match with the current ETag is answered 304 without a body, with another ETag 200 and the object.

    S3 promises: a reader who already has the object is told so by 304 Not Modified, on GET and HEAD, and nothing is
    sent. Any other ETag changes nothing about the answer.

    Breaks: CDNs, browsers and package managers check by this header whether their copy is still good. Ignored, every
    check is a whole download; compared without regard to quotes, a stale copy is served for ever.

    Fix: compare the stored ETag with each tag in the header, quotes aside, and send 304 with headers only.
    """
    key = s3.key()
    tag = put_for_etag(s3, key, CONTENT)
    s3.expect(s3.call("GetObject", Key=key, IfNoneMatch=STALE), ok(), body(CONTENT))
    s3.expect(s3.call("HeadObject", Key=key, IfNoneMatch=STALE), ok())
    for operation in ("GetObject", "HeadObject"):
        s3.expect(s3.call(operation, Key=key, IfNoneMatch=tag), NOT_MODIFIED, if_shown(no_body()))


@scenario("CRD-004", MUST, "GetObject", source=PRECONDITIONS, clients=CALLERS)
def read_if_modified_since(s3: Scene) -> None:
    """If-Modified-Since equal to Last-Modified is answered 304, an earlier date 200 and the object.

    S3 promises: the date that came as Last-Modified, sent back, means "I have this one": 304. One second less, and the
    object counts as modified.

    Breaks: browsers and CDNs repeat the date that they were given. A store that keeps fractions of a second finds its
    own object newer than the header it printed, and every check becomes a download.

    Fix: cut the stored time to whole seconds before comparing, as it is cut when Last-Modified is printed.
    """
    found = stored(s3)
    same = s3.call("GetObject", Key=found.key, IfModifiedSince=found.at())
    s3.expect(same, NOT_MODIFIED, if_shown(no_body()))
    for earlier in (found.at(seconds=-1), found.at(days=-400)):
        s3.expect(s3.call("GetObject", Key=found.key, IfModifiedSince=earlier), ok(), body(CONTENT))


@scenario("CRD-005", SHOULD, "GetObject", source=PRECONDITIONS, clients=LIBRARIES)
def future_date_is_ignored(s3: Scene) -> None:
    """An If-Modified-Since in the future is ignored: the answer is 200 with the object.

    S3 promises: a date later than the server's own clock cannot have been a Last-Modified, and is treated as if the
    header were absent (RFC 9110 §13.1.3 has the same rule).

    Breaks: machines whose clock is ahead and that send their own time instead of the one they were given; they
    would keep an old copy until the future arrives, without any sign of it.

    Fix: compare the header with the current time first, and drop it when it is later.
    """
    found = stored(s3)
    for ahead in (found.at(days=1), found.at(days=3650)):
        s3.expect(s3.call("GetObject", Key=found.key, IfModifiedSince=ahead), ok(), body(CONTENT))


@scenario("CRD-006", MUST, "GetObject", source=PRECONDITIONS, clients=CALLERS)
def read_if_unmodified_since(s3: Scene) -> None:
    """If-Unmodified-Since equal to Last-Modified is answered 200, an earlier date 412 PreconditionFailed.

    S3 promises: the object is sent while it is no newer than the date; the date of Last-Modified itself still counts
    as unmodified.

    Breaks: resumed downloads and block readers that have no ETag at hand pin an object this way. With fractions of a
    second in the comparison the first request already fails; ignored, a changed file is spliced together.

    Fix: compare whole seconds, and let equality pass.
    """
    found = stored(s3)
    for date in (found.at(), found.at(hours=1)):
        s3.expect(s3.call("GetObject", Key=found.key, IfUnmodifiedSince=date), ok(), body(CONTENT))
    for earlier in (found.at(seconds=-1), found.at(days=-400)):
        newer = s3.call("GetObject", Key=found.key, IfUnmodifiedSince=earlier)
        s3.expect(newer, refused(412, "PreconditionFailed"))


@scenario("CRD-009", SHOULD, "GetObject", "HeadObject", source=PRECONDITIONS, clients=LIBRARIES)
def order_of_read_conditions(s3: Scene) -> None:
    """Of several failing read conditions If-Match decides first, then If-Unmodified-Since, then the two that give 304.

    S3 promises: with all four failing the answer is 412 with Condition If-Match; without If-Match 412 with
    If-Unmodified-Since; with only If-None-Match and If-Modified-Since left 304. HEAD has the same statuses.

    Breaks: readers that send both kinds: 304 in place of 412 tells a cache that its copy of a replaced object is
    still good. Strict validation beyond that.

    Fix: evaluate in the order of RFC 9110 §13.2.2, and stop at the first condition that fails.
    """
    found = stored(s3)
    refusing = {
        "IfMatch": STALE,
        "IfUnmodifiedSince": found.at(hours=-1),
        "IfNoneMatch": found.etag,
        "IfModifiedSince": found.at(),
    }
    all_hold = {"IfMatch": found.etag, "IfUnmodifiedSince": found.at(), "IfNoneMatch": STALE}
    s3.expect(s3.call("GetObject", Key=found.key, **all_hold), ok(), body(CONTENT))
    for dropped, wanted in (
        ("", failed("If-Match")),
        ("IfMatch", failed("If-Unmodified-Since")),
        ("IfUnmodifiedSince", NOT_MODIFIED),
    ):
        refusing.pop(dropped, "")
        answer = s3.expect(s3.call("GetObject", Key=found.key, **refusing), wanted)
        s3.expect(s3.call("HeadObject", Key=found.key, **refusing), refused(answer.status or 0))


@scenario("CRD-010", SHOULD, "HeadObject", source=PRECONDITIONS, clients=("raw",))
def failed_head_has_no_body(s3: Scene) -> None:
    """The 412 and the 304 that a conditional HEAD can come to have not one byte of body.

    S3 promises: HEAD is answered by status and headers alone, also when the condition fails and GET would have had an
    error document.

    Breaks: every client with kept connections: the bytes of the document are read as the beginning of the next answer,
    and a later request fails for no reason that its user could find.

    Fix: drop the body in one place for all answers to HEAD, behind the code that writes errors.
    """
    found = stored(s3)
    head = "HeadObject"
    s3.expect(s3.call(head, Key=found.key, IfMatch=STALE), refused(412), no_body())
    s3.expect(s3.call(head, Key=found.key, IfUnmodifiedSince=found.at(hours=-1)), refused(412), no_body())
    s3.expect(s3.call(head, Key=found.key, IfNoneMatch=found.etag), NOT_MODIFIED, no_body())
    s3.expect(s3.call(head, Key=found.key, IfModifiedSince=found.at()), NOT_MODIFIED, no_body())
    s3.expect(s3.call(head, Key=found.key), ok(), no_body(), header("Content-Length", str(len(CONTENT))))


@scenario(
    "CRD-011",
    SHOULD,
    "GetObject",
    source="LocalStack test_pre_signed_url_if_none_match and test_pre_signed_url_if_match (recorded on AWS)",
    clients=("raw",),
)
def conditions_of_presigned_reads(s3: Scene) -> None:
    """If-Match and If-None-Match work on a request that is signed in its query, as they do on any other.

    S3 promises: a presigned GET may sign further headers. If-None-Match with the current ETag gives 304, If-Match with
    another one 412, and both let the object through when they hold.

    Breaks: browsers and download managers that were handed a link: they check their copy before they fetch it again,
    and a gateway that reads conditions only beside an Authorization header sends them everything each time.

    Fix: evaluate conditions after authentication, whichever way the request was signed.
    """
    key = s3.key()
    tag = put_for_etag(s3, key, CONTENT)
    target = model.build("GetObject", {"Bucket": s3.bucket, "Key": key}).target
    for name, value, matchers in (
        ("if-none-match", STALE, (ok(), body(CONTENT))),
        ("if-none-match", tag, (NOT_MODIFIED, no_body())),
        ("if-match", tag, (ok(), body(CONTENT))),
        ("if-match", STALE, (refused(412, "PreconditionFailed"),)),
    ):
        signed = s3.witness.presign("GET", target, [(name, value)], bucket=s3.bucket)
        answer = s3.send("GetObject", "GET", signed, (name, value), bucket=s3.bucket, signing=None)
        s3.expect(answer, *matchers)


@scenario(
    "CRD-012",
    SHOULD,
    "GetObject",
    source="no record found; RFC 9110 §15.4.5 asks for the validators in a 304",
    clients=LIBRARIES,
    confidence="unverified",
)
def not_modified_has_validators(s3: Scene) -> None:
    """A 304 carries the ETag and the Last-Modified of the object.

    S3 promises: the answer that sends nothing still says what is there, so that a cache can renew the entry it has.

    Breaks: HTTP caches in front of a bucket (nginx, Varnish, CDNs) refresh an entry from the headers of the 304; those
    that hold several variants need the ETag to know which one is meant.

    Fix: write the headers of the hit, then leave out the body and its length.
    """
    found = stored(s3)
    for condition in ({"IfNoneMatch": found.etag}, {"IfModifiedSince": found.at()}):
        answer = s3.call("GetObject", Key=found.key, **condition)
        s3.expect(answer, NOT_MODIFIED, header("ETag", found.etag), header("Last-Modified", found.at()))

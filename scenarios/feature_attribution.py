"""ATTR: a list of buckets that says by which partner's program each was made."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import ok, root
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.wire.xml import Node
from scenarios._features import STORJ


def _buckets(answer: Observed) -> list[Node]:
    """The Bucket elements of an answer."""
    document = answer.document
    lists = [] if document is None else [child for child in document if child.tag == "Buckets"]
    return [bucket for one in lists for bucket in one if bucket.tag == "Bucket"]


def _dates(answer: Observed) -> dict[str | None, str | None]:
    """When each bucket was made, by its name."""
    return {bucket.get("Name"): bucket.get("CreationDate") for bucket in _buckets(answer)}


def _owner(answer: Observed) -> dict[str, str]:
    return {str(name): str(value) for name, value in (answer.output.get("Owner") or {}).items()}


@scenario(
    "ATTR-001",
    MUST,
    "ListBuckets",
    source=f"{STORJ}, ListBucketsWithAttribution",
    clients=("raw",),
    feature="attribution",
)
def with_attribution(s3: Scene) -> None:
    """GET /?attribution answers as ListBuckets does, and each Bucket has an Attribution element beside Name and date.

    The gateway promises: ListBucketsWithAttribution is ListBuckets with one element more. Names, dates and owner are
    the same, and Attribution is there for every bucket, empty where nobody is to be named.

    Breaks: partners' programs that look for the buckets that were made with them.

    Fix: add the element to each Bucket of the same document, and nothing to ListBuckets itself.
    """
    own = s3.new_bucket()
    answer = s3.send("ListBuckets", "GET", "/?attribution")
    s3.expect(answer, ok(), root("ListAllMyBucketsResult"))
    plain = s3.expect(s3.look("ListBuckets"), ok())
    buckets, found, wanted = _buckets(answer), _dates(answer), _dates(plain)
    s3.check(own in found and own in wanted, f"both lists name {own}", "one of them does not", answer)
    other = [name for name in found.keys() & wanted.keys() if found[name] != wanted[name]]  # others come and go
    s3.check(not other, "dates of ListBuckets", f"other ones of {len(other)} buckets", answer)
    s3.check(_owner(answer) == _owner(plain), f"owner {_owner(plain)}", f"it is {_owner(answer)}", answer)
    bare = [bucket.get("Name") for bucket in buckets if bucket.get("Attribution") is None]
    s3.check(not bare, "an Attribution in each Bucket", f"there is none in {len(bare)} of {len(buckets)}", answer)
    extra = [bucket for bucket in _buckets(plain) if bucket.get("Attribution") is not None]
    s3.check(not extra, "ListBuckets without Attribution", f"{len(extra)} buckets have it", plain)

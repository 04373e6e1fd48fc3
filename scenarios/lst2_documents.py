"""LST2: how ListObjectsV2 writes names down, and in which order its elements stand."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, keys, ok, output, prefixes
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import TREE, listing, plant

SCALARS = ("Prefix", "KeyCount", "MaxKeys", "Delimiter", "IsTruncated", "NextContinuationToken")
"""What a reader must know of a page before its entries arrive."""

NAMES = ("a b", "a%20b", "a+b", "a/b", "a=1", "a=2", "b&c", "é/1")
"""A space, signs with a meaning in forms, a slash, a percent sign and what is not ASCII. No * and no ~, of which
nothing is recorded."""


@scenario(
    "LST2-016",
    SHOULD,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_with_prefix (recorded on AWS); versitygw REST test ListObjects, encoding "
    "success",
    clients=LIBRARIES,
)
def form_encoding(s3: Scene) -> None:
    """With encoding-type=url names are encoded as in a form: "/" is kept, a space is "+", "+" %2B and "=" %3D.

    S3 promises: Key, Prefix, Delimiter, StartAfter and common prefixes are encoded this way, and EncodingType url
    is echoed.

    Breaks: boto3, the AWS CLI, rclone and the SDKs for Java and Go ask for it and decode "+" to a space. A plus sign
    that was left as it is comes out as a space, and the object cannot be found under the name; slashes as %2F
    confuse clients that split before they decode.

    Fix: use the encoding of HTML forms with "/" kept, on every name of the answer, once.
    """
    planted = plant(s3, NAMES)
    start = s3.key("a =")
    asked: dict[str, Any] = {"Prefix": s3.prefix, "EncodingType": "url"}
    page = s3.call("ListObjectsV2", StartAfter=start, **asked)
    found = listing(planted, s3.prefix, after=start)
    s3.expect(page, ok(), output("EncodingType", "url"), keys(map(_encoded, found.keys)))
    s3.expect(page, output("Prefix", _encoded(s3.prefix)), output("StartAfter", _encoded(start)))
    for delimiter in ("=", " ", "+", "/"):
        page = s3.call("ListObjectsV2", Delimiter=delimiter, **asked)
        found = listing(planted, s3.prefix, delimiter)
        s3.expect(page, ok(), keys(map(_encoded, found.keys)), prefixes(map(_encoded, found.prefixes)))
        s3.expect(page, output("Delimiter", _encoded(delimiter)))


@scenario(
    "LST2-019",
    EXTENDED,
    "ListObjectsV2",
    source="LocalStack test_response_structure (recorded on AWS)",
    clients=("raw",),
)
def order_of_elements(s3: Scene) -> None:
    """In the document Name comes before the Contents, and so does all else that describes the page.

    S3 promises: the elements have an order: Name first, then Prefix, the numbers, IsTruncated and the token, and
    Contents behind them.

    Breaks: parsers that read a listing as it arrives (older Java and Go programs, some log readers) act on each entry
    when its element ends, and by then must know the bucket and the page.

    Fix: write the members in the order of the examples in the API reference, not in that of a hash table or of the
    alphabet.
    """
    full = listing(plant(s3, TREE), s3.prefix, "/")
    page = s3.call("ListObjectsV2", Prefix=s3.prefix, Delimiter="/", MaxKeys=5)
    s3.expect(page, ok(), *full.first(5).shown(), output("IsTruncated", True), _name_first(), _before_contents())


def _encoded(name: str) -> str:
    """A name as S3 writes it with encoding-type=url."""
    return quote_plus(name, safe="/")


def _tags(seen: Observed) -> list[str]:
    return [] if seen.document is None else [child.tag for child in seen.document]


def _name_first() -> Matcher:
    def test(seen: Observed) -> str:
        tags = _tags(seen)
        found = "Name" in tags and "Contents" in tags and tags.index("Name") < tags.index("Contents")
        return "" if found else f"the elements were {list(dict.fromkeys(tags))}"

    return Matcher("Name before Contents", test)


def _before_contents() -> Matcher:
    """Of those scalars that are there; which of them must be is said by other statements."""

    def test(seen: Observed) -> str:
        tags = _tags(seen)
        late = [tag for tag in SCALARS if tag in tags and tags.index(tag) > tags.index("Contents")]
        return f"{', '.join(late)} came behind Contents" if late else ""

    return Matcher("all scalars before Contents", test)

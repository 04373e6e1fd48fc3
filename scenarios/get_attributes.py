"""GET: GetObjectAttributes; what it shows of checksums and of parts is with CKS and MPC."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, header, if_shown, no_header, ok, output
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._checksums import attributes
from scenarios._versioned import with_and_without_versions
from scenarios.get import http_date
from scenarios.get_parts import TAIL, in_parts

ORDER = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
"""The attributes, in the order in which the document has them."""

CONTENT = b"an object with attributes"


def elements(*wanted: str, optional: str = "") -> Matcher:
    """The children of the document, in this order; `optional` may be missing."""

    def test(seen: Observed) -> str:
        if seen.document is None:
            if seen.client == "raw":
                return f"got {seen.summary()}"
            raise Inexpressible(f"{seen.client} does not show the document")
        found = [child.tag for child in seen.document]
        accepted = (list(wanted), [tag for tag in wanted if tag != optional])
        return "" if found in accepted else f"the elements were {found!r}"

    return Matcher(f"the elements {', '.join(wanted)}", test)


@scenario(
    "GET-039",
    EXTENDED,
    "GetObjectAttributes",
    source="LocalStack test_response_structure_get_obj_attrs (recorded on AWS)",
    clients=("raw",),
)
def order_of_attributes(s3: Scene) -> None:
    """GetObjectAttributes writes ETag, Checksum, ObjectParts, StorageClass and ObjectSize in this order, always.

    S3 promises: the document follows its schema, in whatever order the header names the attributes.

    Breaks: strict validation. Parsers generated from the schema as a sequence refuse another order; AWS's own SDKs do
    not mind.

    Fix: write the elements in a fixed order, and let the header only decide which of them are there.
    """
    key = s3.key()
    in_parts(s3, key, TAIL)
    for names in (ORDER[::-1], ("ObjectSize", "ETag", "ObjectParts", "StorageClass", "Checksum")):
        # Whether an object stored without a checksum gets one is for CKS to say.
        s3.expect(attributes(s3, key, *names), ok(), elements(*ORDER, optional="Checksum"))


@scenario(
    "GET-040",
    SHOULD,
    "GetObjectAttributes",
    source="LocalStack test_get_object_attributes and test_get_object_attributes_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def only_attributes_asked_for(s3: Scene) -> None:
    """GetObjectAttributes shows the attributes that were asked for and no other; the time is in a header.

    S3 promises: the document has an element for each name in x-amz-object-attributes that applies. Last-Modified is a
    header and not an element, and x-amz-version-id is there only in a bucket with versions.

    Breaks: SDK programs test for a member to learn what applies; Last-Modified as an element is dropped by every SDK,
    so that the time is missing.

    Fix: start from an empty document and add what is asked for; put time and version into the headers.
    """
    key = s3.key()
    size: list[tuple[str, Any]] = [("ObjectSize", len(CONTENT)), ("StorageClass", "STANDARD")]
    for bucket in with_and_without_versions(s3):
        version = s3.put(key, CONTENT, Bucket=bucket).output.get("VersionId", "")
        answer = attributes(s3, key, "ObjectSize", Bucket=bucket)
        s3.expect(answer, ok(), output(*size[0]), if_shown(elements("ObjectSize")))
        s3.expect(answer, *[absent(name) for name in ORDER if name != "ObjectSize"], http_date("Last-Modified"))
        both = attributes(s3, key, "StorageClass", "ObjectSize", Bucket=bucket)
        s3.expect(both, ok(), *[output(*pair) for pair in size], if_shown(elements("StorageClass", "ObjectSize")))
        plain = bucket == s3.bucket
        s3.expect(both, no_header("x-amz-version-id") if plain else header("x-amz-version-id", version))

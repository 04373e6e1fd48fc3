"""`aws s3api` on versions: switched on, written, hidden by a delete marker, read, and listed in slices."""

from __future__ import annotations

from typing import Any, Self

from harness.clients.base import Observed
from harness.expect import output, output_where
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done, downloaded, is_missing, is_whole

FIRST, SECOND = b"the first version", b"the second version"


class Versions:
    """Versions and delete markers in a bucket, each remembered, and gone after the block.

    A bucket with versions cannot be removed, and the clean-up of a run does not ask for them.
    """

    def __init__(self, s3: Scene, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._made: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key, version in self._made:
            self._s3.look("DeleteObject", Bucket=self._bucket, Key=key, VersionId=version)

    def put(self, key: str, content: bytes) -> str:
        """A version of an object; its id."""
        return self.note(key, self._s3.put(key, content, Bucket=self._bucket))

    def hide(self, key: str) -> str:
        """A delete marker; its id."""
        return self.note(key, self._s3.setup("DeleteObject", Bucket=self._bucket, Key=key))

    def note(self, key: str, answer: Observed) -> str:
        """Remember the version that an answer tells of; its id.

        Raises:
            Mismatch: it tells of none.
        """
        version = str(self._s3.expect(answer, output_where("VersionId", "an id", bool)).output["VersionId"])
        self._made.append((key, version))
        return version


@scenario(
    "S3API-022",
    EXTENDED,
    "PutBucketVersioning",
    "GetBucketVersioning",
    "DeleteObject",
    "GetObject",
    source=SOURCE.format("put-bucket-versioning and get-bucket-versioning"),
    clients=("awscli",),
)
def versioning(s3: Scene) -> None:
    """`aws s3api put-bucket-versioning` keeps what is overwritten and deleted; `get-object --version-id` reads it.

    S3 promises: with Status=Enabled every write has a version of its own, and a delete only adds a marker.

    Breaks: everybody's undo. A gateway that accepts the setting and forgets it loses data at the next overwrite.

    Fix: keep versions, or answer 501 NotImplemented to the setting; never 200 for what is not kept.
    """
    bucket, key = s3.new_bucket(), s3.key()
    s3.expect(api(s3, "put-bucket-versioning", *at(bucket), "--versioning-configuration", "Status=Enabled"), done())
    s3.expect(api(s3, "get-bucket-versioning", *at(bucket)), done(), output("Status", "Enabled"))
    with Versions(s3, bucket) as made:
        first, _ = made.put(key, FIRST), made.put(key, SECOND)
        delete = s3.expect(api(s3, "delete-object", *at(bucket, key)), done())
        made.note(key, delete)
        s3.expect(delete, output("DeleteMarker", True))
        is_missing(s3, key, Bucket=bucket)
        run = s3.expect(downloaded(s3, "get-object", *at(bucket, key), "--version-id", first), done())
        s3.check(run.body == FIRST, f"a file with {FIRST!r}", f"it has {run.body!r}", run)
        is_whole(s3, key, FIRST, Bucket=bucket, VersionId=first)


def _entries(output: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Key, version and whether it is the latest, of versions and delete markers, sorted."""
    listed = output.get("Versions", []) + output.get("DeleteMarkers", [])
    return sorted((entry.get("Key", ""), entry.get("VersionId", ""), entry.get("IsLatest")) for entry in listed)


@scenario(
    "S3API-023",
    EXTENDED,
    "ListObjectVersions",
    source=SOURCE.format("list-object-versions, and AWS CLI user guide, Using the pagination options"),
    clients=("awscli",),
)
def list_versions(s3: Scene) -> None:
    """`aws s3api list-object-versions` prints every version and delete marker once, in one go and in slices.

    S3 promises: versions of a key from the newest to the oldest, IsLatest for the newest alone; a page continues
    behind a key and a version together.

    Breaks: scripts that empty a bucket with versions before removing it: what the walk leaves out keeps the bucket.

    Fix: make both NextKeyMarker and NextVersionIdMarker, and read both.
    """
    bucket, one, two = s3.new_bucket(), s3.key("a & b"), s3.key("c")
    s3.setup("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with Versions(s3, bucket) as made:
        first, second = made.put(one, FIRST), made.put(one, SECOND)
        third, marker = made.put(two, FIRST), made.hide(two)
        wanted = sorted([(one, first, False), (one, second, True), (two, third, False), (two, marker, True)])
        for how, pages in (("at once", []), ("in pages of one", ["--page-size", "1"])):
            run = s3.expect(api(s3, "list-object-versions", *at(bucket), *pages), done())
            found = _entries(run.output)
            s3.check(found == wanted, f"{how}, versions and markers {wanted}", f"there are {found}", run)
            order = [entry.get("VersionId") for entry in run.output.get("Versions", [])]
            s3.check(order == [second, first, third], f"{how}, the newest of a key first", f"the order is {order}", run)

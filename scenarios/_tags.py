"""Tag sets: written by scenarios, and compared without regard to their order, which S3 does not promise."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import Matcher
from harness.scene import Scene

TagSet = list[dict[str, str]]
"""As the service model has it: `[{"Key": "colour", "Value": "red"}]`."""


def tag_set(*pairs: tuple[str, str]) -> TagSet:
    """A tag set of keys with their values."""
    return [{"Key": key, "Value": value} for key, value in pairs]


def numbered(count: int) -> TagSet:
    """So many tags with different keys."""
    return tag_set(*((f"key-{number}", f"value-{number}") for number in range(count)))


def tags(expected: TagSet) -> Matcher:
    """Exactly these tags, each once, in any order."""
    wanted = sorted((tag["Key"], tag["Value"]) for tag in expected)

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        shown = seen.output.get("TagSet") or []
        found = sorted((str(tag.get("Key")), str(tag.get("Value"))) for tag in shown)
        return "" if found == wanted else f"tags were {found!r}"

    return Matcher(f"tags {wanted!r}", test)


def keeps_tags(s3: Scene, key: str, expected: TagSet) -> None:
    """The witness finds exactly these tags at an object of the shared bucket."""
    s3.expect(s3.look("GetObjectTagging", Key=key), tags(expected))

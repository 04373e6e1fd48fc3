"""LST2: ListObjectsV2."""

from __future__ import annotations

from harness.expect import keys, ok, prefixes
from harness.scenario import MUST, scenario
from harness.scene import Scene

TREE = ("a", "b/1", "b/2", "b/3", "c", "d/1", "d/2", "e")
"""Boundaries of every kind: inside a common prefix, between prefixes and keys, at the last key."""


@scenario(
    "LST2-004",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_common_prefixes (recorded on AWS)",
)
def pages_add_up(s3: Scene) -> None:
    """Following continuation tokens yields every key and common prefix exactly once, in order, at any page size.

    S3 promises: whatever max-keys is, the pages joined together are the listing: nothing repeated, nothing lost,
    keys and common prefixes in UTF-8 byte order. A page that ends inside a group of keys that folds to one common
    prefix continues after the whole group.

    Breaks: rclone and `aws s3 sync` delete or upload again what a page lost; a repeated token makes them loop
    for ever.

    Fix: let the token say "after this key" or "after this prefix", and when it is a prefix skip all keys below it.
    """
    for name in TREE:
        s3.put(s3.key(name))
    for page_size in (2, 3) if s3.costly else (1, 2, 3, 4, 5, 8, 1000):
        listed = s3.list_all(2, Prefix=s3.prefix, Delimiter="/", MaxKeys=page_size)
        s3.expect(listed, ok(), keys(map(s3.key, ("a", "c", "e"))), prefixes(map(s3.key, ("b/", "d/"))))
    flat = s3.list_all(2, Prefix=s3.prefix, MaxKeys=3)
    s3.expect(flat, ok(), keys(sorted(map(s3.key, TREE))))

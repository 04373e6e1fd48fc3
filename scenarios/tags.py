"""TAG: tags of objects and buckets, put, read and removed. What a tag may be: `tags_refused`."""

from __future__ import annotations

from urllib.parse import urlencode

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, header, if_shown, no_header, ok, refused, root
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._tags import keeps_tags, tag_set, tags
from scenarios._versioned import versioned_bucket

_TWO = tag_set(("colour", "red"), ("team", "storage"))
_CONTENT = b"an object with tags"


@scenario(
    "TAG-001",
    SHOULD,
    "PutObjectTagging",
    "GetObjectTagging",
    "DeleteObjectTagging",
    source="LocalStack test_object_tagging_crud (recorded on AWS)",
)
def object_tags(s3: Scene) -> None:
    """Tags of an object are put with 200, read back, and deleted with 204, after which the tag set is empty.

    S3 promises: PutObjectTagging stores the whole set, GetObjectTagging gives it back, DeleteObjectTagging answers
    204. An object without tags answers GetObjectTagging with 200 and an empty TagSet, not with an error. The object
    itself is not touched by any of it.

    Breaks: data governance tools and lifecycle rules that select by tag; `aws s3 cp` between buckets reads the tags
    of every large object it copies and stops at an error. A gateway that does not know ?tagging may take the PUT for
    an upload, or the DELETE for that of the object, and loses data.

    Fix: route on the tagging parameter before method and path, keep the set beside the object, and answer
    an empty Tagging document where there is none.
    """
    key = s3.key()
    s3.put(key, _CONTENT)
    s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": _TWO}), ok())
    keeps_tags(s3, key, _TWO)
    s3.expect(s3.call("GetObjectTagging", Key=key), ok(), tags(_TWO))
    s3.expect(s3.call("DeleteObjectTagging", Key=key), ok(204))
    keeps_tags(s3, key, [])
    s3.expect(s3.call("GetObjectTagging", Key=key), ok(), tags([]), if_shown(root("Tagging")))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_CONTENT))


@scenario(
    "TAG-002",
    SHOULD,
    "PutBucketTagging",
    "GetBucketTagging",
    "DeleteBucketTagging",
    source="LocalStack test_bucket_tagging_crud (recorded on AWS); versitygw REST bucket tagging, no tags",
)
def bucket_tags(s3: Scene) -> None:
    """Tags of a bucket are put and deleted with 204, and without any the answer is 404 NoSuchTagSet.

    S3 promises: PutBucketTagging and DeleteBucketTagging answer 204, the latter also when there are no tags.
    GetBucketTagging of a bucket without tags is 404 NoSuchTagSet with the BucketName, unlike that of an object. The
    bucket and what is in it stay.

    Breaks: Terraform, Pulumi and cost reports read the tags of every bucket; they know NoSuchTagSet as "none" and
    fail on anything else. A gateway that drops the ?tagging of a DELETE deletes the bucket.

    Fix: keep bucket tags apart from object tags, make the delete repeatable, and name the error as S3 does.
    """
    bucket = s3.new_bucket()
    none = refused(404, "NoSuchTagSet", fields={"BucketName": bucket})
    s3.expect(s3.call("GetBucketTagging", Bucket=bucket), none)
    s3.expect(s3.call("PutBucketTagging", Bucket=bucket, Tagging={"TagSet": _TWO}), ok(204))
    s3.expect(s3.call("GetBucketTagging", Bucket=bucket), ok(), tags(_TWO))
    s3.expect(s3.look("GetBucketTagging", Bucket=bucket), ok(), tags(_TWO))
    for _ in range(2):
        s3.expect(s3.call("DeleteBucketTagging", Bucket=bucket), ok(204))
        s3.expect(s3.look("GetBucketTagging", Bucket=bucket), none)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "TAG-003",
    SHOULD,
    "GetObject",
    "HeadObject",
    source="LocalStack test_put_object_with_tags and test_head_object_with_tags (recorded on AWS)",
)
def tagging_count(s3: Scene) -> None:
    """x-amz-tagging-count tells the number of an object's tags, and is absent where there are none.

    S3 promises: GET and HEAD of an object with tags carry x-amz-tagging-count. Without tags the header is not there,
    not even as 0.

    Breaks: replication and copy programs look at the count to decide whether they need a second request for the
    tags; without it tags are silently left behind, with a 0 everywhere each object costs one request more.

    Fix: add the header to GET and HEAD from the size of the stored set, and only if that is above zero.
    """
    tagged, plain = s3.key("tagged"), s3.key("plain")
    s3.put(tagged, _CONTENT, Tagging=urlencode({tag["Key"]: tag["Value"] for tag in _TWO}))
    s3.put(plain, _CONTENT)
    for operation in ("HeadObject", "GetObject"):
        s3.expect(s3.call(operation, Key=tagged), ok(), header("x-amz-tagging-count", "2"))
        s3.expect(s3.call(operation, Key=plain), ok(), no_header("x-amz-tagging-count"))


@scenario(
    "TAG-009",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_with_tags and test_object_tagging_exc (recorded on AWS)",
)
def tagging_header(s3: Scene) -> None:
    """x-amz-tagging of an upload is a URL query: it sets the tags, and 400 InvalidArgument is what else it may be.

    S3 promises: the header has the form a=1&b=2, percent-encoded; a name without "=" is a tag with an empty value.
    Commas as separator, or a key given twice, are 400 InvalidArgument with ArgumentName x-amz-tagging, and nothing
    is stored.

    Breaks: SDK programs and `rclone --header-upload` that tag while uploading, and rules that expire or replicate by
    tag. Undecoded values look right in a listing and match no rule; a half-read header drops tags without a word.

    Fix: parse the header as form data, plus signs and percent signs included, and check it before the body is kept.
    """
    key, expected = s3.key(), tag_set(("a", "1"), ("b", ""), ("c d", "x+y/z"), ("e", ""))
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT, Tagging="a=1&b&c%20d=x%2By%2Fz&e="), ok())
    keeps_tags(s3, key, expected)
    wrong = s3.key("wrong")
    for header_value in ("a=1,b=2",) if s3.costly else ("a=1,b=2", "a=1&a=2"):
        refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "x-amz-tagging"})
        s3.expect(s3.call("PutObject", Key=wrong, Body=_CONTENT, Tagging=header_value), refusal)
        s3.expect(s3.look("HeadObject", Key=wrong), refused(404))


@scenario(
    "TAG-010",
    SHOULD,
    "PutObject",
    source="LocalStack test_object_tags_delete_or_overwrite_object (recorded on AWS)",
)
def overwrite_drops_tags(s3: Scene) -> None:
    """An object that overwrites another one has none of its tags.

    S3 promises: tags belong to the object, not to the key. An upload without x-amz-tagging replaces the object and
    leaves it without tags.

    Breaks: everything that decides by tag: a fresh upload under an old key would be expired, replicated or hidden
    because of what the earlier object was.

    Fix: replace the tags with the object in one step, by the empty set where the upload brings none.
    """
    key = s3.key()
    s3.put(key, b"the earlier object", Tagging="expire=yes")
    keeps_tags(s3, key, tag_set(("expire", "yes")))
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_CONTENT), no_header("x-amz-tagging-count"))
    keeps_tags(s3, key, [])


@scenario(
    "TAG-011",
    SHOULD,
    "PutObjectTagging",
    source="Moto test_put_object_tagging_unknown_key (verified on AWS); LocalStack test_object_tagging_exc (recorded "
    "on AWS)",
    clients=LIBRARIES,
)
def tags_of_missing_key(s3: Scene) -> None:
    """Tags for a key that does not exist are refused with 404 NoSuchKey, and no object appears.

    S3 promises: only an object can be tagged; for a missing key the answer is 404 NoSuchKey.

    Breaks: jobs that tag objects after the fact count on the 404 to notice that one was deleted meanwhile. A gateway
    that takes the request for an upload creates an object whose content is the tag document.

    Fix: look the object up first, and never create anything on ?tagging.
    """
    key, missing = s3.key(), s3.key("missing")
    s3.put(key, _CONTENT)
    s3.expect(s3.call("PutObjectTagging", Key=missing, Tagging={"TagSet": _TWO}), refused(404, "NoSuchKey"))
    s3.expect(s3.look("HeadObject", Key=missing), refused(404))
    s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": _TWO}), ok())
    keeps_tags(s3, key, _TWO)


@scenario(
    "TAG-012",
    EXTENDED,
    "PutObjectTagging",
    source="LocalStack test_object_tagging_versioned (recorded on AWS); Moto "
    "test_put_object_tagging_on_deleted_version (verified on AWS)",
    clients=LIBRARIES,
)
def tags_of_delete_marker(s3: Scene) -> None:
    """A delete marker cannot be tagged: 405 MethodNotAllowed with ResourceType DeleteMarker.

    S3 promises: PutObjectTagging that meets a delete marker, named by its version id or newest of its key, is 405
    with Method PUT and ResourceType DeleteMarker. Versions below it can still be tagged by their id.

    Breaks: only strict validation; programs that tag every version of a bucket tell markers by this answer, and
    would otherwise put tags on nothing.

    Fix: look at what kind of version was found before changing it, in every operation that takes a version id.
    """
    with versioned_bucket(s3) as bucket:
        target = {"Bucket": bucket, "Key": s3.key()}
        version = s3.setup("PutObject", **target, Body=_CONTENT).output.get("VersionId", "")
        marker = s3.setup("DeleteObject", **target).output.get("VersionId", "")
        fields = {"Method": "PUT", "ResourceType": "DeleteMarker"}
        for meant in ({}, {"VersionId": marker}):
            answer = s3.call("PutObjectTagging", **target, **meant, Tagging={"TagSet": _TWO})
            s3.expect(answer, refused(405, "MethodNotAllowed", fields=fields))
        s3.expect(s3.call("PutObjectTagging", **target, VersionId=version, Tagging={"TagSet": _TWO}), ok())
        s3.expect(s3.look("GetObjectTagging", **target, VersionId=version), ok(), tags(_TWO))


@scenario(
    "TAG-016",
    SHOULD,
    "PutObjectTagging",
    source="LocalStack test_put_object_tagging_empty_list (recorded on AWS)",
    clients=CALLERS,
)
def empty_tag_set(s3: Scene) -> None:
    """PutObjectTagging with an empty TagSet answers 200 and clears the tags.

    S3 promises: the set in the document replaces the one that was there, also when it is empty.

    Breaks: programs that compute the wanted set and put it, as infrastructure tools do, cannot remove the last tag
    where an empty set is refused, or ignored.

    Fix: accept a TagSet element without children, and replace what is stored instead of merging into it.
    """
    key = s3.key()
    s3.put(key, _CONTENT, Tagging="colour=red&team=storage")
    keeps_tags(s3, key, _TWO)
    s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": []}), ok())
    keeps_tags(s3, key, [])


@scenario(
    "TAG-017",
    EXTENDED,
    "GetObjectTagging",
    source="LocalStack test_object_tagging_versioned (recorded on AWS); versitygw REST GetObjectTagging, older "
    "version returns version ID",
    clients=LIBRARIES,
)
def version_of_tags(s3: Scene) -> None:
    """GetObjectTagging in a bucket with versions says in x-amz-version-id whose tags it shows.

    S3 promises: each version has its own tags. The answer carries x-amz-version-id: that of the version asked for,
    or of the newest one.

    Breaks: replication and audit programs that record tags by version attach them to the wrong one, since between
    their requests a newer version may have come.

    Fix: store tags with the version, and print its id on every ?tagging answer of a bucket with versions.
    """
    with versioned_bucket(s3) as bucket:
        target = {"Bucket": bucket, "Key": s3.key()}
        first = s3.setup("PutObject", **target, Body=_CONTENT, Tagging="colour=red").output.get("VersionId", "")
        last = s3.setup("PutObject", **target, Body=_CONTENT, Tagging="colour=blue").output.get("VersionId", "")
        red, blue = tag_set(("colour", "red")), tag_set(("colour", "blue"))
        newest = s3.call("GetObjectTagging", **target)
        s3.expect(newest, ok(), tags(blue), header("x-amz-version-id", last))
        older = s3.call("GetObjectTagging", **target, VersionId=first)
        s3.expect(older, ok(), tags(red), header("x-amz-version-id", first))

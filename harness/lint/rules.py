"""The rules, as reports and documentation print them; what applies them is in the other modules of this package.

Ids and sources are those of the catalogue. REQ rules are about what a client, or the harness itself, sent: the endpoint
is never blamed for them.
"""

from __future__ import annotations

from harness.lint.base import Rule

_DIGESTS = "scenarios DIG-001 and following send each operation once without a digest, and once with"

_RULES = (
    Rule(
        "LINT-001",
        "Success status",
        "botocore http.responseCode; recorded statuses",
        "a success with another status than 204 where the model says 204, or was recorded (PutBucketPolicy, "
        "PutBucketTagging), than 200 elsewhere; 206 where neither Range nor partNumber was asked for",
        elsewhere="the empty body of 204 is LINT-005, statuses of HEAD are LINT-032",
    ),
    Rule(
        "LINT-002",
        "Error status",
        "botocore shapes[*].error; Amazon S3 API Reference, Error responses",
        "a known error code with another HTTP status than its own; 200 counts as right for CopyObject, UploadPartCopy "
        "and CompleteMultipartUpload, which may fail after they began to answer",
    ),
    Rule(
        "LINT-003",
        "Error document",
        "rest-xml protocol; LocalStack test_response_structure (recorded on AWS); versitygw on AWS",
        "a status of 400 or more, other than to HEAD, without a well-formed document Error, without namespace, that "
        "has one Code, one Message, RequestId and HostId and is announced as application/xml; requests that are wrong "
        "HTTP on purpose may be refused without a document",
        "a code that is in no list of S3's",
    ),
    Rule(
        "LINT-004",
        "Answers to HEAD",
        "botocore HeadObjectOutput",
        "bytes of body after HEAD; HeadObject without Content-Length, or with another one than the GET of the object",
    ),
    Rule(
        "LINT-005",
        "Empty answers",
        "botocore operations without output; LocalStack test_response_structure (recorded on AWS)",
        "a body where the operation has no output but headers; a body or Content-Type with 204 or 304",
    ),
    Rule(
        "LINT-006",
        "Header values",
        "botocore members[*].location=header",
        "a modelled header whose value is no number or no true or false where the model says so, or that comes twice",
        elsewhere="listed values are LINT-031",
    ),
    Rule(
        "LINT-007",
        "Metadata headers",
        "botocore location=headers, x-amz-meta-",
        "capital letters in the name of user metadata; user metadata with another operation than GetObject and "
        "HeadObject",
    ),
    Rule(
        "LINT-008",
        "Dates in headers",
        "botocore timestampFormat; RFC 9110 §5.6.7",
        "Last-Modified or x-amz-abort-date that is no IMF-fixdate in GMT; x-amz-object-lock-retain-until-date that is "
        "not ISO 8601",
    ),
    Rule(
        "LINT-009",
        "Dates in bodies",
        "rest-xml protocol; LocalStack tests *_timestamp_precision (recorded on AWS)",
        "a date that is not ISO 8601 in UTC",
        "LastModified, CreationDate or Initiated in another form than YYYY-MM-DDThh:mm:ss.000Z",
    ),
    Rule(
        "LINT-010",
        "Expires",
        "botocore GetObjectOutput.ExpiresString",
        "Expires that is not, to the letter, what the last upload of the object sent; any text is right",
    ),
    Rule(
        "LINT-011",
        "Quotes of ETags",
        "LocalStack tests (recorded on AWS)",
        "an ETag, in a header or an element, that is not in double quotes; one in GetObjectAttributes that is. Error "
        "documents may have either",
    ),
    Rule(
        "LINT-012",
        "Form of ETags",
        "LocalStack tests (recorded on AWS)",
        "an ETag that is neither 32 hex digits nor 32 hex digits, “-” and a number of parts from 1 to 10000; one "
        "without “-” that is not the MD5 of the object read, where encryption is SSE-S3 or none",
    ),
    Rule(
        "LINT-013",
        "Form of checksums",
        "botocore members Checksum*, enum ChecksumType",
        "a checksum that is not base64 of as many bytes as its algorithm has; a suffix “-N” without ChecksumType "
        "COMPOSITE, or in GetObjectAttributes; more than one algorithm for one object",
    ),
    Rule(
        "LINT-014",
        "Checksum of the body",
        "botocore httpChecksum.responseAlgorithms",
        "GetObject with 200 and a checksum of the whole object that is not that of the body",
    ),
    Rule(
        "LINT-015",
        "Request digests",
        "botocore httpChecksum.requestChecksumRequired; versitygw on AWS",
        "a request accepted without Content-MD5 and x-amz-checksum-* although the operation needs one; never "
        "PutObjectTagging",
        "the same for PutBucketAcl, PutBucketLogging, PutBucketPolicy, PutBucketRequestPayment, PutBucketWebsite and "
        "PutObjectAcl, which s3cmd sends to AWS without; a client that sends such a request",
        _DIGESTS,
    ),
    Rule(
        "LINT-016",
        "Flattened lists",
        "botocore flattened",
        "a wrapper around, or within, the elements of a list that the model flattens",
    ),
    Rule(
        "LINT-017",
        "Wrapped lists",
        "botocore list member.locationName",
        "elements of a list without their wrapper, two wrappers, or another name within the wrapper",
    ),
    Rule(
        "LINT-018",
        "Names of elements",
        "botocore members[*].locationName",
        "an element with the name that SDKs show instead of the one on the wire (Parts for Part)",
    ),
    Rule(
        "LINT-019",
        "Unknown and ill-typed elements",
        "botocore output shapes",
        "a modelled element of the wrong type: text for a number, a boolean or a structure, elements in a text; or "
        "more than one of it",
        "an element or an x-amz-* header of a success that the output does not have",
    ),
    Rule(
        "LINT-020",
        "Required elements",
        "botocore required; LocalStack tests (recorded on AWS)",
        "a success without an element that the model requires or that AWS was always seen to send",
    ),
    Rule(
        "LINT-021",
        "Namespace",
        "botocore xmlNamespace; LocalStack test_response_structure (recorded on AWS)",
        "the root of a listing, location, tagging or copy result outside http://s3.amazonaws.com/doc/2006-03-01/, or "
        "children of a root in another namespace than it; a Grantee without xsi:type",
        "another document outside that namespace",
    ),
    Rule(
        "LINT-022",
        "Names of roots",
        "LocalStack test_response_structure (recorded on AWS); Amazon S3 API Reference",
        "another root element than the one recorded for listings, uploads, location, tagging and copy results, or than "
        "the payload that the model names",
        "another root element than the one documented",
    ),
    Rule(
        "LINT-023",
        "Declaration and encoding",
        "LocalStack test_response_structure (recorded on AWS)",
        "a document that does not begin with an XML 1.0 declaration of UTF-8, is not UTF-8 or not well-formed; "
        "characters that XML 1.0 cannot carry are forgiven unless encoding-type=url was asked for",
        elsewhere="that keys come back as they were sent is LINT-027, and LST2-016 to LST2-018",
    ),
    Rule(
        "LINT-024",
        "Payload members",
        "botocore payload",
        "a payload wrapped in a further element; a bucket policy that is not JSON",
    ),
    Rule(
        "LINT-025",
        "Pagination",
        "botocore paginators",
        "a truncated page without a way on, or with one that leads back; entries out of order or twice, in a page or "
        "from one page to the next; pages that add up to something else than the same listing in one page",
    ),
    Rule(
        "LINT-026",
        "Page size",
        "botocore paginators limit_key, result_key",
        "more entries and prefixes in a page than were asked for, or than 1000 (10000 buckets)",
    ),
    Rule(
        "LINT-027",
        "Echo",
        "botocore input and output shapes",
        "Bucket, Key, Prefix, Delimiter, MaxKeys, Marker, KeyMarker, UploadId, PartNumberMarker, MaxParts, "
        "EncodingType, ContinuationToken or StartAfter that is not what was asked; limits over 1000 may be echoed "
        "as 1000",
    ),
    Rule(
        "LINT-028",
        "Ranges",
        "botocore GetObjectOutput.ContentRange; RFC 9110 §14.4",
        "206 without “bytes a-b/n”, or with another Content-Length or another size than b-a+1; 200 with Content-Range",
        elsewhere="the document of a 416 is LINT-003, its absence after HEAD LINT-004",
    ),
    Rule(
        "LINT-029",
        "GET and HEAD",
        "botocore GetObjectOutput, HeadObjectOutput",
        "a header that GetObject and HeadObject share, metadata among them, that differs between the two for one "
        "object with no write in between",
    ),
    Rule(
        "LINT-030",
        "Request ids",
        "LocalStack, versitygw, AWS documentation",
        "an answer without x-amz-request-id; one id for two requests; RequestId in an error that is not the header's",
        "an answer without x-amz-id-2",
    ),
    Rule(
        "LINT-031",
        "Listed values",
        "botocore enum",
        "a value that is not in the model's list, for storage classes, server-side encryption, checksum algorithms and "
        "types, object lock, versioning, encoding types, RequestCharged",
        "the same for all other lists but those of regions and filter names",
    ),
    Rule(
        "LINT-032",
        "Statuses of HEAD",
        "botocore waiters",
        "HeadBucket or HeadObject answered with a status that says neither that it exists nor that it does not (204, "
        "401, 410, 422 …)",
    ),
    Rule(
        "LINT-033",
        "Version headers",
        "botocore VersionId, DeleteMarker; LocalStack tests (recorded on AWS)",
        "x-amz-version-id from a bucket whose versioning was never set; x-amz-delete-marker other than true",
    ),
    Rule(
        "LINT-034",
        "Input limits",
        "botocore min, max",
        "an entry with an empty Key; max-buckets outside 1 to 10000 accepted",
        elsewhere="both sides of each limit are probed by the LIM scenarios",
    ),
    Rule("REQ-001", "Request target", "RFC 9112 §3.2", "a target with bytes that no target may have, or a lone %"),
    Rule("REQ-002", "Host", "RFC 9112 §3.2", "none, or more than one"),
    Rule(
        "REQ-003",
        "Length of the request",
        "RFC 9112 §6",
        "an accepted request whose body has another size than Content-Length, no number for it, or none of "
        "Content-Length and Transfer-Encoding, or both",
    ),
    Rule(
        "REQ-004",
        "Document of the request",
        "botocore input shapes",
        "",
        "an accepted request whose document is not well-formed or not as the model has it; single values, "
        "which a caller may want to see refused, do not count",
    ),
    Rule(
        "REQ-005",
        "Required members of the request",
        "botocore required",
        "",
        "an accepted request without an element, or without the document, that the model requires",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}
"""All rules by id."""

"""LST2: continuation tokens and start-after of ListObjectsV2, beyond what every page needs."""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import Matcher, absent, keys, ok, output, output_where, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import listing, ordered, plant, walk

ODD = ("a+b", "a/b", "b=c", "b c", "c%2Fd", "d&e", "é", "中")
"""Names that a token made from them carries over into the URL."""


@scenario(
    "LST2-005",
    SHOULD,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_token_safe_chars (recorded on AWS); versitygw REST test "
    "ListObjectsV2, continuation token",
    clients=LIBRARIES,
)
def token_is_opaque(s3: Scene) -> None:
    """A continuation token is not the plain key, and comes through a URL unharmed.

    S3 promises: the token is a text that means something to the store alone. It is not the key at which the page
    ended, and it leads on whatever characters the keys have.

    Breaks: programs written against a store whose token is a key invent tokens of their own, and fail on every
    other. A token with a raw plus or percent sign is changed on its way by clients that encode it once too few.

    Fix: encode what the token holds, in letters, digits and a few safe signs, and check it when it comes back.
    """
    planted = ordered(plant(s3, ODD))
    shown: list[str] = []
    for token, page in walk(s3, len(planted), Prefix=s3.prefix, MaxKeys=1):
        shown += page.keys
        plain = [key for key in planted if token and key in token]
        s3.check(not plain, "a token that does not contain a key", f"it was {token!r}", page)
    s3.check(shown == planted, f"by their tokens the pages {planted}", f"they led to {shown}")


@scenario(
    "LST2-007",
    SHOULD,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_start_after (recorded on AWS)",
    clients=LIBRARIES,
)
def token_beats_start_after(s3: Scene) -> None:
    """With a continuation token and start-after together the token wins, and StartAfter is not echoed.

    S3 promises: start-after says where the first page begins. On the pages after it the token alone counts, whether
    start-after lies before or behind it, and StartAfter is shown on the first page only.

    Breaks: SDK paginators send start-after with every page. A store that lets it win shows the first page over and
    over again; one that takes the greater of the two loses keys when a program changes it.

    Fix: read start-after only where there is no token.
    """
    planted = plant(s3, ("a", "b", "c", "d", "e"))
    start = s3.key("a")
    first = s3.call("ListObjectsV2", Prefix=s3.prefix, StartAfter=start, MaxKeys=2)
    s3.expect(first, ok(), keys(planted[1:3]), output("StartAfter", start), _token())
    token = first.output["NextContinuationToken"]
    for other in (start, s3.key("d")):
        page = s3.call("ListObjectsV2", Prefix=s3.prefix, StartAfter=other, ContinuationToken=token)
        s3.expect(page, ok(), keys(planted[3:]), absent("StartAfter"))


@scenario(
    "LST2-008",
    SHOULD,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_start_after (recorded on AWS)",
    clients=LIBRARIES,
)
def empty_token(s3: Scene) -> None:
    """An empty continuation-token is refused with 400 InvalidArgument, which names continuation-token.

    S3 promises: unlike an empty marker of version 1, `continuation-token=` is an error; ArgumentName is
    continuation-token.

    Breaks: a loop that lost its token (an empty variable, a field that was not stored) starts again from the first
    key and never ends, where the error would have stopped it.

    Fix: tell an empty token from none; only the latter begins a listing.
    """
    planted = plant(s3, ("a",))
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "continuation-token"})
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix, ContinuationToken=""), refusal)
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix), ok(), keys(planted))


@scenario(
    "LST2-009",
    SHOULD,
    "ListObjectsV2",
    source="versitygw REST test list objects v2, invalid continuation token",
    clients=LIBRARIES,
)
def damaged_token(s3: Scene) -> None:
    """A continuation token that is damaged or made up is refused with 400 InvalidArgument.

    S3 promises: a token is accepted only as it was given. One that was cut short, and one that was never given, is
    an error, not a position.

    Breaks: tokens pass through files, logs and queues of limited width. A store that takes the rest of one for a
    key goes on from there, and whole ranges of keys are skipped, or come twice, without a word.

    Fix: put a check sum or a signature into the token, and answer InvalidArgument when it does not fit.
    """
    planted = plant(s3, ("a-long-name", "b-long-name", "c-long-name"))
    first = s3.call("ListObjectsV2", Prefix=s3.prefix, MaxKeys=1)
    s3.expect(first, ok(), keys(planted[:1]), _token())
    token = first.output["NextContinuationToken"]
    for damaged in (token[: len(token) // 2], "made-up-by-s3conform"):
        page = s3.call("ListObjectsV2", Prefix=s3.prefix, ContinuationToken=damaged)
        s3.expect(page, refused(400, "InvalidArgument"))
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix, ContinuationToken=token), ok(), keys(planted[1:]))


@scenario(
    "LST2-022",
    SHOULD,
    "ListObjectsV2",
    source="no record found; follows from the order of keys and AWS documentation, data consistency model",
    clients=LIBRARIES,
    confidence="unverified",
)
def changes_between_pages(s3: Scene) -> None:
    """Where keys are written or deleted between two pages, the listing goes on behind the token and repeats nothing.

    S3 promises: a token is a position in the order of keys. Keys written before it stay unseen, keys written behind
    it are shown, and that the key at the position is deleted meanwhile changes nothing.

    Breaks: clean-up jobs delete each page before they ask for the next: where tokens count entries, every second
    page is skipped and half of the objects stay. Where they name a key that must exist, the job stops.

    Fix: store the last key shown in the token and seek behind it; never a number of entries, never a row id.
    """
    a, b, c, d, e = plant(s3, ("a", "b", "c", "d", "e"))
    first = s3.call("ListObjectsV2", Prefix=s3.prefix, MaxKeys=2)
    s3.expect(first, ok(), keys([a, b]), _token())
    before, behind = s3.key("a-new"), s3.key("d-new")
    for key in (a, b, c):
        s3.setup("DeleteObject", Key=key)
    for key in (before, behind):
        s3.put(key)
    token = first.output["NextContinuationToken"]
    page = s3.call("ListObjectsV2", Prefix=s3.prefix, ContinuationToken=token)
    s3.expect(page, ok(), keys([d, behind, e]), output("IsTruncated", False))
    whole = listing([before, d, behind, e], s3.prefix)
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix), ok(), *whole.shown())


def _token() -> Matcher:
    return output_where("NextContinuationToken", "a token", bool)

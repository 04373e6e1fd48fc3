"""`aws s3api` listings: walked in slices by the AWS CLI's own pagination, and page by page without it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clients.base import Observed
from harness.expect import keys, output, output_where
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, done

NAMES = ["a b+c%20", "d&e", "d/e/f", "d/e=g", "é"]
"""In the order of their bytes; each needs encoding somewhere on its way into a token and back."""
SLICE = 2


def stored(s3: Scene) -> list[str]:
    """Objects of these names; their keys, in the order of a listing."""
    for name in NAMES:
        s3.put(s3.key(name))
    return [s3.key(name) for name in NAMES]


def _slices(s3: Scene, command: str) -> Iterator[Observed]:
    """The listing in slices of two keys, made of pages of one, until no token follows or too many came."""
    token: list[str] = []
    for _ in range(len(NAMES)):
        pages = ["--page-size", "1", "--max-items", str(SLICE)]
        run = s3.expect(api(s3, command, *at(s3.bucket), "--prefix", s3.prefix, *pages, *token), done())
        yield run
        if "NextToken" not in run.output:
            return
        token = ["--starting-token", str(run.output["NextToken"])]


def _walk(s3: Scene, command: str) -> None:
    """All slices together are the whole listing."""
    wanted, found = stored(s3), list[str]()
    for number, run in enumerate(_slices(s3, command)):
        expected = wanted[number * SLICE : (number + 1) * SLICE]
        found += s3.expect(run, keys(expected)).keys
    s3.check(found == wanted, f"slices with the {len(wanted)} keys, each once, and an end", f"they had {found}")


@scenario(
    "S3API-007",
    MUST,
    "ListObjectsV2",
    source=SOURCE.format("list-objects-v2, and AWS CLI user guide, Using the pagination options"),
    clients=("awscli",),
)
def walk_version_2(s3: Scene) -> None:
    """`aws s3api list-objects-v2 --page-size 1 --max-items 2`, resumed with `--starting-token`, is the whole listing.

    S3 promises: a continuation token leads to the page after its own, in any request that repeats the parameters.

    Breaks: jobs that list in slices from one run to the next: keys that come twice or never, or a walk without end.

    Fix: make tokens that hold the last key of their page, encoded; give one with every truncated page and no other.
    """
    _walk(s3, "list-objects-v2")


@scenario(
    "S3API-008",
    MUST,
    "ListObjects",
    source=SOURCE.format("list-objects, and AWS CLI user guide, Using the pagination options"),
    clients=("awscli",),
)
def walk_version_1(s3: Scene) -> None:
    """`aws s3api list-objects --page-size 1 --max-items 2`, resumed with `--starting-token`, is the whole listing.

    S3 promises: a listing begins behind its marker, which may be any key; without a delimiter that of the last key.

    Breaks: older scripts and tools, which know version 1 only; a key that is listed twice is processed twice.

    Fix: begin with the first key greater than the marker, compared byte by byte.
    """
    _walk(s3, "list-objects")


@scenario("S3API-009", SHOULD, "ListObjectsV2", source=SOURCE.format("list-objects-v2"), clients=("awscli",))
def pages_by_hand(s3: Scene) -> None:
    """`aws s3api list-objects-v2 --no-paginate --max-keys 3` shows one page; `--continuation-token` leads to the next.

    S3 promises: at most max-keys entries, with IsTruncated and NextContinuationToken where more follow, only there.

    Breaks: scripts that page by themselves: with max-keys ignored their memory, without a token their results.

    Fix: count keys and common prefixes up to max-keys; say IsTruncated only when something follows.
    """
    wanted, page = stored(s3), ["--prefix", s3.prefix, "--no-paginate", "--max-keys", "3"]
    token = output_where("NextContinuationToken", "a token", bool)
    first = s3.expect(api(s3, "list-objects-v2", *at(s3.bucket), *page), done(), keys(wanted[:3]))
    s3.expect(first, output("IsTruncated", True), output("KeyCount", 3), token)
    follow = ["--continuation-token", str(first.output["NextContinuationToken"])]
    second = s3.expect(api(s3, "list-objects-v2", *at(s3.bucket), *page, *follow), done(), keys(wanted[3:]))
    s3.expect(second, output("IsTruncated", False), output("KeyCount", 2))
    more = "NextContinuationToken" in second.output
    s3.check(not more, "no token on the last page", f"there is {second.output.get('NextContinuationToken')!r}", second)

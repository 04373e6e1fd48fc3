"""Versions against a small model: any order of operations, many threads at once, a killed server, large buckets."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server import objects
from reference_server.listing import BEFORE, BEHIND
from reference_server.objects import Objects, StoredObject
from reference_server.store import Store
from tests.reference_server.catalogue.histories import entries, history, mark, put
from tests.reference_server.catalogue.steps import MIN_PART, Upload, completion, refusal, tree, version
from tests.reference_server.test_durability import serving
from tests.reference_server.versions_model import ID, KEYS, Kept, Session, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Raw, Running

    Serve = Callable[..., Iterator[Running]]

_numbers = itertools.count()


@pytest.fixture
def enabled(raw: Raw, bucket: str) -> str:
    """A bucket that keeps versions."""
    version(raw, bucket)
    return bucket


# Any order of operations

_OPERATIONS = (
    *("enable", "suspend", "put", "create", "replace", "copy", "join"),
    *("delete", "remove", "batch"),
)
_STEPS = st.lists(
    st.tuples(st.sampled_from(_OPERATIONS), st.sampled_from(KEYS), st.integers(0, 11)), min_size=12, max_size=40
)


def blobs(running: Running) -> int:
    """How many bodies the server keeps."""
    return int((running.store.row("SELECT count(*) FROM blob") or (0,))[0])


@settings(max_examples=25)
@given(steps=_STEPS, seed=st.integers(0, 1000))
def test_versions_are_what_the_model_says(
    running: Running, raw: Raw, steps: list[tuple[str, str, int]], seed: int
) -> None:
    """After each of any operations; and once all versions are deleted, in any order, nothing is left of them."""
    before, bucket = blobs(running), f"versions-{next(_numbers)}"
    raw("PUT", f"/{bucket}")
    with closing(Session(raw)) as send:
        real = Steps(send, bucket)
        for name, key, number in steps:
            getattr(real, name)(key, number)
            real.agree(key)
        real.agree_in_full()
        real.empty(random.Random(seed))  # noqa: S311 - not for secrets
    assert blobs(running) == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_versions_can_be_deleted_in_every_order(raw: Raw, order: tuple[int, ...]) -> None:
    """With the null version and a delete marker among them, the newest one left is promoted each time."""
    bucket = f"versions-{next(_numbers)}"
    raw("PUT", f"/{bucket}")
    with closing(Session(raw)) as send:
        real = Steps(send, bucket)
        for name in ("enable", "put", "suspend", "put", "enable", "delete", "put"):
            getattr(real, name)("a", 0)
        kept = list(real.model.keys["a"])
        assert len(kept) == len(order)
        for at in order:
            real.remove("a", real.model.keys["a"].index(kept[at]))
            real.agree("a")
        assert send("DELETE", f"/{bucket}").status == 204


def test_deleting_the_null_version_of_a_bucket_without_versions_counts_as_a_change(raw: Raw, bucket: str) -> None:
    """An upload that was to create the key is told of it, as by a plain delete (catalogue CWR-010)."""
    path = f"/{bucket}/k"
    put(raw, path)
    upload = raw("POST", f"{path}?uploads").element("UploadId")
    etag = raw("PUT", f"{path}?partNumber=1&uploadId={upload}", b"part").headers["etag"]
    assert raw("DELETE", f"{path}?versionId=null").status == 204
    done = raw("POST", f"{path}?uploadId={upload}", completion([(1, etag, "")]), {"If-None-Match": "*"})
    assert refusal(done) == (409, "ConditionalRequestConflict")


def test_a_version_keeps_its_parts(raw: Raw, enabled: str) -> None:
    """Also when it is covered by newer versions, uncovered again, and the only one left."""
    path, first, last = f"/{enabled}/k", b"a" * MIN_PART, b"b"
    upload = Upload(raw, path, {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"})
    joined = upload.finish(first, last).headers[ID]
    newer = [put(raw, path), mark(raw, path)]
    for doomed in (*newer, None):
        target = f"{path}?versionId={joined}&partNumber="
        parts = [raw("GET", f"{target}{number}") for number in (1, 2)]
        assert [part.body for part in parts] == [first, last]
        assert {part.headers["x-amz-mp-parts-count"] for part in parts} == {"2"}
        assert raw("HEAD", f"{target}3").status == 416
        if doomed is not None:
            raw("DELETE", f"{path}?versionId={doomed}")
    assert raw("GET", path).body == first + last


def test_the_order_of_versions_is_that_of_the_requests_even_if_the_clock_goes_back(serve: Serve) -> None:
    """Or stands still: what was written last is the newest, and positions in the listing hold."""
    hours = iter([0.0, -100.0, -100.0, 50.0, -50.0, -50.0])
    ahead = [0.0]
    begin = time.time()
    for running in serve(clock=lambda: begin + ahead[0]):
        raw, ids = running.raw(), list[str]()
        raw("PUT", "/back")
        version(raw, "back")
        for ahead[0] in hours:
            ids.insert(0, put(raw, "/back/k"))
        assert [entry.id for entry in history(raw, "back")] == ids
        for at, each in enumerate(ids):
            found = history(raw, "back", f"&key-marker=k&version-id-marker={each}")
            assert [entry.id for entry in found] == ids[at + 1 :]


# Many threads


def together(*jobs: object) -> list[list[str]]:
    """Run functions at the same time; what each returns."""
    barrier = threading.Barrier(len(jobs))

    def start(job: object) -> list[str]:
        barrier.wait(10)
        assert callable(job)
        found: list[str] = job()
        return found

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(start, jobs))


def test_writers_of_one_key_lose_and_repeat_no_version(raw: Raw, enabled: str) -> None:
    """Each answer is a version in the list, which has no other; what one thread wrote is in its order."""
    path = f"/{enabled}/k"

    def write(seed: int) -> list[str]:
        choose = random.Random(seed)  # noqa: S311 - not for secrets
        with closing(Session(raw)) as send:
            replies = [
                send("DELETE", path) if choose.random() < 0.4 else send("PUT", path, b"%d" % number)
                for number in range(25)
            ]
        assert {reply.status for reply in replies} <= {200, 204}
        return [reply.headers[ID] for reply in replies]

    written = together(*(lambda seed=seed: write(seed) for seed in range(4)))
    found = history(raw, enabled)
    ids = [entry.id for entry in found]
    assert sorted(ids) == sorted(itertools.chain(*written))
    assert [entry.latest for entry in found] == [True] + [False] * (len(found) - 1)
    for one in written:
        assert [each for each in ids if each in one] == one[::-1]


def test_versions_are_deleted_under_readers_and_writers(raw: Raw, enabled: str) -> None:
    """Every version can be read or is gone; afterwards exactly those are there that nobody deleted."""
    path = f"/{enabled}/k"
    old = [put(raw, path, b"old %d" % number) for number in range(30)]

    def remove(which: slice) -> list[str]:
        with closing(Session(raw)) as send:
            return [send("DELETE", f"{path}?versionId={each}").headers[ID] for each in old[which]]

    def write() -> list[str]:
        with closing(Session(raw)) as send:
            return [send("PUT", path, b"new %d" % number).headers[ID] for number in range(15)]

    def read() -> list[str]:
        with closing(Session(raw)) as send:
            for each, body in list(zip(old, (b"old %d" % number for number in range(30)), strict=True))[::-1]:
                reply = send("GET", f"{path}?versionId={each}")
                assert (reply.status, reply.body) == (200, body) or reply.code == "NoSuchVersion"
                assert send("GET", path).status in (200, 404)
                listed = entries(tree(send("GET", f"/{enabled}?versions")))
                assert sum(entry.latest for entry in listed) == 1
        return []

    removed = together(lambda: remove(slice(0, 30, 2)), lambda: remove(slice(29, 0, -3)), write, read)
    gone = {*removed[0], *removed[1]}
    kept = {*old, *removed[2]} - gone
    assert {entry.id for entry in history(raw, enabled)} == kept
    assert raw("GET", path).headers[ID] == history(raw, enabled)[0].id


def test_a_suspended_bucket_has_one_null_version_however_many_write(running: Running, raw: Raw, bucket: str) -> None:
    """Bodies of the overwritten ones are gone too."""
    path, before = f"/{bucket}/k", blobs(running)
    version(raw, bucket, "Suspended")

    def write(seed: int) -> list[str]:
        with closing(Session(raw)) as send:
            for number in range(20):
                if (number + seed) % 3:
                    send("PUT", path, b"x")
                else:
                    send("DELETE", path)
        return []

    together(*(lambda seed=seed: write(seed) for seed in range(3)))
    found = history(raw, bucket)
    assert [(entry.id, entry.latest) for entry in found] == [("null", True)]
    assert blobs(running) - before == (1 if found[0].kind == "Version" else 0)


# A killed server


def test_versions_survive_a_kill(tmp_path: Path) -> None:
    """Every version and marker that was answered is there, in its order, and the newest is the one that is read."""
    data, written = tmp_path / "data", [list[Kept]() for _ in range(3)]

    def write(raw: Raw, at: int) -> None:
        choose = random.Random(at)  # noqa: S311 - not for secrets
        try:
            with closing(Session(raw)) as send:
                while True:
                    body = choose.randbytes(choose.choice((10, 100_000))) if choose.random() < 0.7 else None
                    path = f"/bucket/{at}"
                    reply = send("DELETE", path) if body is None else send("PUT", path, body)
                    written[at].insert(0, Kept(reply.headers[ID], body))
        except (OSError, HTTPException):
            return

    with serving(data) as (process, raw):
        raw("PUT", "/bucket")
        version(raw, "bucket")
        threads = [threading.Thread(target=write, args=(raw, at)) for at in range(3)]
        for thread in threads:
            thread.start()
        while min(map(len, written)) < 10 and any(thread.is_alive() for thread in threads):
            threads[0].join(0.05)
        process.kill()
        process.wait(10)
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    with serving(data) as (_, raw):
        found = history(raw, "bucket")
        for at, kept in enumerate(written):
            shown = [entry.id for entry in found if entry.key == str(at)]
            assert shown[-len(kept) :] == [one.id for one in kept]
            assert len(shown) <= len(kept) + 1  # one may have been on its way
            for one in (one for one in kept if one.body is not None):
                assert raw("GET", f"/bucket/{at}?versionId={one.id}").body == one.body
            newest = next(entry for entry in found if entry.key == str(at))
            assert raw("GET", f"/bucket/{at}").status == (200 if newest.kind == "Version" else 404)


# Large buckets


def filled(keys: int) -> Store:
    """A store with a bucket that has two versions of two keys in three, and a delete marker of the third."""
    store = Store()
    bucket, _ = store.create_bucket("large", "owner", {"versioning": {"Status": "Enabled"}})
    rows = [
        objects._columns(bucket, StoredObject(f"key-{number:07}", 1, "etag", 0, version="v" * 32, rank=-(10**18)))
        for number in range(keys)
    ]
    with store.transaction():
        older = [(*row, number % 3 == 0) for number, row in enumerate(rows)]
        store._db.executemany(objects._INSERT_OLDER, older)
        newer = [(*row[:2], row[2] - 1, *row[3:]) for number, row in enumerate(rows) if number % 3]
        store._db.executemany(objects._INSERT, newer)
    return store


def test_the_plan_of_the_listing_has_no_scan_and_no_sort() -> None:
    """Two searches by key, merged as they come: the size of the bucket does not matter."""
    with closing(Store()) as store:
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {objects._LIST_VERSIONS}", 1, b"k", 0)]
    assert [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step] == []
    assert len([step for step in plan if "SEARCH" in step and "PRIMARY KEY" in step]) == 2


@pytest.mark.parametrize("position", [(b"", BEFORE), (b"key-0001000", BEHIND), (b"key-0001000", -(10**18) - 1)])
def test_a_page_costs_the_same_in_a_bucket_of_any_size(position: tuple[bytes, int]) -> None:
    """Counted in steps of the database, at the beginning, between keys, and between versions of one key."""
    costs = []
    for keys in (2_000, 20_000):
        with closing(filled(keys)) as store:
            bucket = store.bucket("large")
            assert bucket is not None
            steps = itertools.count()
            store._db.set_progress_handler(lambda steps=steps: bool(next(steps) < 0), 100)
            page = list(itertools.islice(Objects(store).version_rows(bucket, *position), 1000))
            costs.append(next(steps))
        assert len(page) == 1000
        assert [row[:2] for row in page] == sorted(row[:2] for row in page)
    assert costs[0] == pytest.approx(costs[1], rel=0.05)
    assert costs[1] < 2000

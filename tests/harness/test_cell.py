"""One cell: its time, its second try, its fault, and an endpoint that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from harness import profile
from harness.cell import MAX_EXCHANGES, CellRunner
from harness.config import Endpoint, RunConfig
from harness.expect import ok
from harness.record import Cell, ClientInfo
from harness.sandbox import JournalHead, append, cleanup
from harness.scenario import Scenario
from harness.scene import Scene
from harness.signals import Inexpressible, Mismatch
from harness.wire.sigv4 import Credentials
from tests.support import Relay, Server

CLIENTS = [ClientInfo("raw", "1", "inprocess"), ClientInfo("rclone", "", "local", missing="gone")]


@contextmanager
def runner(
    server: Server, folder: Path, url: str = "", timeout: float = 2.0, addressing: Any = "path"
) -> Iterator[CellRunner]:
    """A runner of cells by raw HTTP, whose buckets are removed at the end."""
    credentials = Credentials(server.access_key, server.secret_key)
    endpoint = Endpoint(url or server.endpoint, credentials, addressing=addressing, timeout=timeout)
    config = RunConfig("260101000000-abcdef", endpoint, "aws", CLIENTS, [], str(folder))
    append(config.journal, JournalHead(config.run_id, endpoint.url, "us-east-1", "path"))
    runs = CellRunner(config, profile.load("aws"), "w0")
    try:
        yield runs
        if not url:
            assert cleanup(config.journal, runs._witness, 10) == []
    finally:
        runs.close()


def scenario(function: Callable[[Scene], None]) -> Scenario:
    """A scenario that is in no registry."""
    return Scenario("TEST-001", "MUST", ("PutObject",), "here", ("raw", "rclone"), "recorded", function, __name__)


def run(server: Server, folder: Path, function: Callable[[Scene], None], client: str = "raw") -> Cell:
    """The cell of a scenario."""
    with runner(server, folder) as runs:
        return runs.run(scenario(function), client)


def test_scenario_that_does_not_end_is_given_up(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time a cell is an error, whatever it waits for; a client cannot swallow that."""
    monkeypatch.setattr(Endpoint, "cell_limit", property(lambda _: 1.5))

    def waits(s3: Scene) -> None:
        try:
            s3.put(s3.key())
            time.sleep(30)
        except Exception:
            time.sleep(30)

    begun = time.monotonic()
    cell = run(server, tmp_path, waits)
    assert (cell.verdict, cell.message) == ("error", "no verdict within 1.5 s")
    assert cell.requests == 1
    assert time.monotonic() - begun < 10


def test_fault_of_the_harness_is_an_error_that_names_it(tmp_path: Path, server: Server) -> None:
    """A mistake in a scenario is never charged to the endpoint."""
    cell = run(server, tmp_path, lambda s3: s3.prefix[10**6] and None)
    assert cell.verdict == "error"
    assert cell.message.startswith("harness fault: IndexError")


def test_cell_that_fails_once_is_marked_flaky_and_stays_red(tmp_path: Path, server: Server) -> None:
    """A second try that passes does not make the first one green."""
    tries: list[str] = []

    def sometimes(s3: Scene) -> None:
        tries.append(s3.prefix)
        s3.check(len(tries) > 1, "it to hold", "it did not")

    cell = run(server, tmp_path, sometimes)
    assert (cell.verdict, cell.flaky) == ("violates", True)
    assert len(set(tries)) == 2, "each try has keys of its own"


def test_cell_that_fails_twice_alike_is_not_flaky(tmp_path: Path, server: Server) -> None:
    """It is simply a violation."""

    def never(_: Scene) -> None:
        raise Mismatch("it to hold", "it did not")

    cell = run(server, tmp_path, never)
    assert (cell.verdict, cell.flaky) == ("violates", False)


def with_advice(server: Server, folder: Path, function: Callable[[Scene], None]) -> Cell:
    """The cell of a scenario through boto3, where the endpoint was found to need a setting."""
    with runner(server, folder) as runs:
        infos = [ClientInfo("boto3", "1", "inprocess")]
        advised = {"boto3": {"request_checksum_calculation": "when_required"}}
        runs._columns = {info.label: info for info in infos}
        runs._config = msgspec.structs.replace(runs._config, clients=infos, advised=advised)
        return runs.run(scenario(function), "boto3")


def advised_now(s3: Scene) -> bool:
    client: Any = s3.client
    return bool(client._client.meta.config.request_checksum_calculation == "when_required")


def test_cell_that_passes_only_with_a_setting_is_shown_as_that(tmp_path: Path, server: Server) -> None:
    """It keeps its verdict, and says which setting makes it pass."""

    def needs_it(s3: Scene) -> None:
        s3.check(advised_now(s3), "it to hold", "it did not")

    cell = with_advice(server, tmp_path, needs_it)
    assert (cell.verdict, cell.flaky) == ("violates", False)
    assert cell.passes_with == "request_checksum_calculation = when_required"
    assert cell.message == "it did not (passes with boto3 request_checksum_calculation = when_required)"


def test_a_setting_that_only_keeps_a_cell_from_being_judged_is_no_help(tmp_path: Path, server: Server) -> None:
    """Neither is one with which it fails as before."""

    def cannot_say(s3: Scene) -> None:
        if advised_now(s3):
            raise Inexpressible("not with this")
        raise Mismatch("it to hold", "it did not")

    def never(_: Scene) -> None:
        raise Mismatch("it to hold", "it did not")

    for function in (cannot_say, never):
        cell = with_advice(server, tmp_path, function)
        assert (cell.verdict, cell.passes_with, cell.message) == ("violates", "", "it did not")


def test_missing_client_is_inapplicable_and_says_why(tmp_path: Path, server: Server) -> None:
    """The cell is there, so that nobody takes its absence for a pass."""
    cell = run(server, tmp_path, lambda _: None, "rclone")
    assert (cell.verdict, cell.message) == ("inapplicable", "gone")


def test_evidence_of_a_cell_is_capped_and_all_requests_are_counted(tmp_path: Path, server: Server) -> None:
    """A scenario with many requests keeps the first of them."""

    def many(s3: Scene) -> None:
        for number in range(MAX_EXCHANGES + 6):
            s3.look("HeadObject", Key=s3.key(str(number)))

    cell = run(server, tmp_path, many)
    assert (cell.requests, len(cell.exchanges)) == (MAX_EXCHANGES + 6, MAX_EXCHANGES)


def test_buckets_of_a_cell_are_removed_when_it_ends(tmp_path: Path, server: Server) -> None:
    """Buckets do not pile up during a run; the shared one stays for the next cell."""
    seen: list[str] = []

    def makes(s3: Scene) -> None:
        seen[:] = [s3.bucket, s3.new_bucket()]
        s3.setup("PutObject", Bucket=seen[1], Key="k", Body=b"x")
        s3.check(True, "two buckets", "")

    with runner(server, tmp_path) as runs:
        assert runs.run(scenario(makes), "raw").verdict == "conforms"
        assert set(seen) & set(server.buckets()) == {seen[0]}
    assert not set(seen) & set(server.buckets())


def test_endpoint_that_came_back_is_used_again(tmp_path: Path, server: Server) -> None:
    """A server that is restarted costs the cells of its absence, not the rest of the run."""

    def asks(s3: Scene) -> None:
        s3.setup("ListBuckets")
        s3.check(True, "an answer", "")

    with Relay(server.address, hold_after=0) as relay, runner(server, tmp_path, relay.endpoint, 0.2) as runs:
        first = runs.run(scenario(asks), "raw")
        assert (first.verdict, first.requests) == ("error", 1)
        assert first.message.startswith("the endpoint stopped answering during this scenario")
        begun = time.monotonic()
        second = runs.run(scenario(asks), "raw")
        assert second.message == "not run: the endpoint does not answer any more"
        assert time.monotonic() - begun < 0.15, "not asked again so soon"
        relay.release()
        time.sleep(0.5)
        assert runs.run(scenario(asks), "raw").verdict == "conforms"


def test_scenario_that_checks_nothing_is_an_error(server: Server, tmp_path: Path) -> None:
    """A scenario that ends without an expectation proves nothing, whatever the endpoint answered."""

    def looks(s3: Scene) -> None:
        s3.call("ListBuckets")

    with runner(server, tmp_path) as runs:
        cell = runs.run(scenario(looks), "raw")
    assert (cell.verdict, cell.message) == ("error", "harness fault: the scenario checked nothing")


def test_rules_run_on_every_exchange_and_are_told_once(tmp_path: Path, server: Server) -> None:
    """Findings are lines of their own, whatever the verdict; the second cell with the same finding adds none."""

    def breaks_nothing(s3: Scene) -> None:
        s3.expect(s3.call("PutObject", Key=s3.key(), Body=b"1"), ok())

    def sends_a_caret(s3: Scene) -> None:
        """A fault of the harness's own: a character that no target may have, and not on purpose."""
        s3.keep("setup", s3.witness.send("ListObjects", "GET", f"/{s3.bucket}?prefix=a^b", deliberate=False))
        s3.expect(s3.call("PutObject", Key=s3.key(), Body=b"1"), ok())

    with runner(server, tmp_path) as runs:
        assert runs.run(scenario(breaks_nothing), "raw").verdict == "conforms"
        assert runs.lints() == []
        assert runs.run(scenario(sends_a_caret), "raw").verdict == "conforms"
        found = runs.lints()
        assert {line.party for line in found} == {"harness"}
        assert {line.operation for line in found} == {"ListObjects"}
        assert runs.run(scenario(sends_a_caret), "raw").verdict == "conforms"
        assert runs.lints() == []


def test_notes_and_waiting_are_kept(tmp_path: Path, server: Server) -> None:
    """Which of several right answers was seen, and how much of the time was the endpoint's."""

    def notes(s3: Scene) -> None:
        s3.expect(s3.call("PutObject", Key=s3.key(), Body=b"1"), ok())
        s3.note("answered so")
        time.sleep(0.05)

    cell = run(server, tmp_path, notes)
    assert cell.notes == ["answered so"]
    assert 0 < cell.waited < cell.seconds - 0.05


def test_endpoint_that_comes_back_is_charged_with_having_gone(tmp_path: Path, server: Server) -> None:
    """A server that falls over and is started again: the scenario that it lost violates, and the run goes on."""
    address = (str(urlsplit(server.endpoint).hostname), int(urlsplit(server.endpoint).port or 80))
    again: list[Relay] = []
    with Relay(address) as relay, runner(server, tmp_path, relay.endpoint) as runs:
        port = int(urlsplit(relay.endpoint).port or 80)
        start = threading.Timer(0.5, lambda: again.append(Relay(address, port=port)))

        def falls(s3: Scene) -> None:
            s3.put(s3.key())
            relay.die()
            start.start()
            s3.expect(s3.call("PutObject", Key=s3.key(), Body=b"1"), ok())

        assert runs.attempt(scenario(falls), "raw").verdict == "violates"
        start.join(5)
        with again[0]:
            assert (
                runs.attempt(scenario(lambda s3: s3.expect(s3.put(s3.key()), ok()) and None), "raw").verdict
                == "conforms"
            )
            assert cleanup(runs._config.journal, runs._witness, 10) == []


def test_second_look_that_is_lost_is_not_charged_to_what_was_looked_at(tmp_path: Path, server: Server) -> None:
    """The endpoint goes between a call and the look at what it did: nothing is known of what the call did."""
    address = (str(urlsplit(server.endpoint).hostname), int(urlsplit(server.endpoint).port or 80))
    with Relay(address) as relay, runner(server, tmp_path, relay.endpoint, timeout=0.5) as runs:
        runs._revival = 0.5

        def looks_again(s3: Scene) -> None:
            stored = s3.expect(s3.call("PutObject", Key=s3.key(), Body=b"1"), ok())
            relay.die()
            found = s3.look("GetObject", Key=s3.key())
            s3.check(found.ok, "the object stays", "the object is gone", stored)

        cell = runs.attempt(scenario(looks_again), "raw")
    assert cell.verdict == "error"
    assert "stopped answering" in cell.message


@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_what_others_keep_in_their_buckets_is_not_stored(tmp_path: Path, server: Server, addressing: str) -> None:
    """Some programs list every bucket of the account; the names in there are nobody's business."""
    with server.client() as client:
        client.create_bucket(Bucket="payroll")
        client.put_object(Bucket="payroll", Key="of-alice", Body=b"1")

    def lists(s3: Scene) -> None:
        s3.expect(s3.call("ListObjectsV2", Bucket="payroll"), ok())
        s3.put(s3.key("shown"))
        s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix), ok())

    try:
        with runner(server, tmp_path, server.endpoint.replace("127.0.0.1", "localhost"), addressing=addressing) as runs:
            cell = runs.run(scenario(lists), "raw")
            assert cleanup(runs._config.journal, runs._witness, 10) == []
    finally:
        with server.client() as client:
            client.delete_object(Bucket="payroll", Key="of-alice")
            client.delete_bucket(Bucket="payroll")
    stored = msgspec.json.encode(cell).decode()
    assert cell.verdict == "conforms"
    assert "shown" in stored
    assert "payroll" not in stored
    assert "of-alice" not in stored

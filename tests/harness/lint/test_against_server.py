"""The rules find nothing in what an honest server answers, and the right thing in what a wrong one does."""

from __future__ import annotations

import pytest

from tests.harness.lint.driving import driver, everything
from tests.support import Server


@pytest.mark.parametrize(("client", "addressing"), [("raw", "path"), ("raw", "virtual"), ("boto3", "path")])
def test_an_honest_server_breaks_no_rule(server: Server, client: str, addressing: str) -> None:
    """Neither does what the harness or an SDK sends to it; and there is something to look at."""
    with driver(server, client, addressing) as it:
        everything(it, f"lint-{client}-{addressing}")
        operations = {seen.exchange.url.partition("?")[0] for seen in it.seen}
        assert len(it.seen) > 120
        assert len(operations) > 15
        assert all(seen.exchange.status for seen in it.seen)
        assert it.found() == []

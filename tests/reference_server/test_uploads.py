"""Uploads in the store."""

from __future__ import annotations

import re
from contextlib import closing

from reference_server.objects import Objects
from reference_server.store import Store
from reference_server.uploads import Uploads


def test_ids_of_uploads_can_be_given_to_any_program() -> None:
    """They are arguments of command lines and parts of URLs: letters and digits, each another one."""
    with closing(Store()) as store:
        bucket, _ = store.create_bucket("bucket", "owner")
        uploads = Uploads(store, Objects(store))
        ids = {uploads.create(bucket, "key", {}, "STANDARD", (None, None)) for _ in range(300)}
    assert len(ids) == 300
    assert [each for each in ids if not re.fullmatch(r"[0-9A-Za-z]{32,128}", each)] == []

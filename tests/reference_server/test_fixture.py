"""The pytest fixtures as another project uses them: the example of the README, and two tests that share nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MORE = """
import pytest


def test_every_test_begins_empty(s3_client):
    assert s3_client.list_buckets()["Buckets"] == []


def test_the_server_tells_any_client_how_to_connect(s3_server):
    assert s3_server.endpoint_url.startswith("http://127.0.0.1:")
    assert (s3_server.region, bool(s3_server.access_key), bool(s3_server.secret_key)) == ("us-east-1", True, True)


class TestOptions:
    @pytest.fixture
    def s3_server_options(self):
        return {"region": "eu-west-1"}

    def test_options_choose_the_server(self, s3_server, s3_client):
        assert s3_server.region == "eu-west-1"
        s3_client.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert s3_client.get_bucket_location(Bucket="photos")["LocationConstraint"] == "eu-west-1"
"""


def test_the_example_of_the_readme_runs_in_another_project(tmp_path: Path) -> None:
    """`pytest_plugins` in conftest.py is all that a project needs."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(pytest_plugins.*?)\n\n\n(def test_.*?)```", readme, re.DOTALL)
    assert example is not None
    (tmp_path / "conftest.py").write_text(example[1])
    (tmp_path / "test_photos.py").write_text(example[2] + _MORE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AWS_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout

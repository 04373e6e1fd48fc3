"""A matrix as large as reports must carry, 8 gateways with 6 clients and 530 scenarios, made up of real cells.

`data/small.jsonl.gz` is a run of the bundled server with 45 cells. Every cell of the large runs is one of them with
another scenario, client and gateway, and with ids, digests and times of its own, so that it compresses as real runs do.
The same arguments make the same files.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

SMALL = Path(__file__).parent / "data" / "small.jsonl.gz"
CLIENTS = ("raw", "boto3", "awscli", "rclone", "s5cmd", "jssdk")
NAMES = ("Alder", "Birch", "Cedar", "Drift", "Elm", "Fir", "Ginkgo", "Hazel")
FAMILIES = (
    "AUTH",
    "BKT",
    "CKS",
    "COPY",
    "CRD",
    "CWR",
    "DEL",
    "ETAG",
    "GET",
    "LMU",
    "LST1",
    "LST2",
    "META",
    "MPU",
    "VER",
)

_ID = re.compile(r"(?<![.\d\\])(?:[0-9A-F]{16}|[0-9a-f]{32,64}|[A-Za-z0-9+/]{40,}={0,2}|[0-9a-f]{12}-[0-9a-f]{6})")
"""What is another in every exchange: request ids, digests, host ids, names of buckets."""


def write(folder: Path, gateways: int = 8, clients: int = 6, scenarios: int = 530) -> list[Path]:
    """Write a run file for each gateway; their paths."""
    small = [msgspec.json.decode(line) for line in gzip.decompress(SMALL.read_bytes()).splitlines()]
    header = small[0]
    cells = [line for line in small if line["kind"] == "cell"]
    advice = next(line for line in small if line["kind"] == "advice")
    paths = []
    for gateway in range(gateways):
        path = folder / f"{NAMES[gateway].lower()}.jsonl"
        lines = _run(header, cells, advice, gateway, clients, scenarios)
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        paths.append(path)
    return paths


def _run(
    header: dict[str, Any],
    cells: list[dict[str, Any]],
    advice: dict[str, Any],
    gateway: int,
    clients: int,
    scenarios: int,
) -> Iterator[bytes]:
    ids = list(_scenarios(scenarios))
    texts = list(header["scenarios"].values())
    changed = {
        "run_id": f"big-{gateway}",
        "gateway": {"name": NAMES[gateway], "version": f"{gateway + 1}.0"},
        "clients": [{"name": name, "version": "1.2.3", "runner": "local"} for name in CLIENTS[:clients]],
        "planned": scenarios * clients,
        "scenarios": {name: texts[number % len(texts)] for number, name in enumerate(ids)},
    }
    yield msgspec.json.encode(header | changed)
    templates = [_Template(cell) for cell in cells]
    good = [one for one in templates if one.verdict == "conforms"]
    for number, name in enumerate(ids):
        for client in CLIENTS[:clients]:
            seed = hashlib.sha256(f"{gateway} {number} {client}".encode()).digest()
            # The first gateways are better than the last, as in life.
            known = good if seed[0] > 24 + 16 * gateway else templates
            yield known[(number + seed[1] % 3) % len(known)].cell(name, number, client, seed)
    yield msgspec.json.encode(advice)
    yield msgspec.json.encode({"kind": "footer", "finished": header["started"], "counts": {}, "leftovers": []})


def _scenarios(number: int) -> Iterator[str]:
    """Ids, the families in the order of the alphabet."""
    each = -(-number // len(FAMILIES))
    for place in range(number):
        yield f"{FAMILIES[place // each]}-{place % each + 1:03}"


class _Template:
    """A cell whose ids can be replaced quickly: its JSON in the parts between them."""

    def __init__(self, cell: dict[str, Any]) -> None:
        self.verdict = cell["verdict"]
        names = {"scenario": "@scenario", "family": "@family", "client": "@client", "column": ""}
        text = msgspec.json.encode(cell | names).decode()
        self._parts = _ID.split(text)
        self._lengths = [len(found) for found in _ID.findall(text)]

    def cell(self, scenario: str, number: int, client: str, seed: bytes) -> bytes:
        """The cell of this scenario and client, with ids that come from the seed."""
        pool = hashlib.shake_256(seed).hexdigest(32 * (len(self._lengths) + 2)).upper()
        pieces = []
        for place, (part, length) in enumerate(zip(self._parts, [*self._lengths, 0], strict=True)):
            pieces += [part, pool[64 * place : 64 * place + length]]
        text = "".join(pieces)
        level = ("MUST", "SHOULD", "EXTENDED")[number % 3]
        text = re.sub(r'"level":"\w+"', f'"level":"{level}"', text, count=1)
        for name, value in (("scenario", scenario), ("family", scenario.partition("-")[0]), ("client", client)):
            text = text.replace(f"@{name}", value, 1)
        return text.encode()

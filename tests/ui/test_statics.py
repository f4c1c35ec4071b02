"""The vendored files are exactly those that VENDOR.json tells of."""

import hashlib
import json
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent.parent
FOLDERS = (HOUSE / "app/ui/static/vendor", HOUSE / "tests/ui/vendor")


@pytest.mark.parametrize("folder", FOLDERS, ids=["app", "tests"])
def test_every_vendored_file_is_the_one_that_is_told(folder):
    told = json.loads((folder / "VENDOR.json").read_text())
    digests = {name: digest for row in told for name, digest in row["files"].items()}
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "VENDOR.json"
    }
    assert found == digests
    assert all(row["name"] and row["version"] and row["licence"] for row in told)

"""Compares the `reference` column of patterns.jsonl with the validator of stix2-patterns (2.1.2, from PyPI)."""

import json
import pathlib
import sys

from stix2patterns.validator import run_validator


def accepts(pattern):
    try:
        return not run_validator(pattern, "2.1")
    except Exception:  # it raises on some of what it does not accept
        return False


path = pathlib.Path(__file__).with_name("patterns.jsonl")
rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
wrong = [row["pattern"] for row in rows if accepts(row["pattern"]) != row["reference"]]
for pattern in wrong:
    print(f"the reference has changed its mind: {pattern!r}")
print(f"{len(rows) - len(wrong)} as recorded, {len(wrong)} not")
sys.exit(bool(wrong))

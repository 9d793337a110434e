"""Hyperscan's literal API: LIST, one literal a line, sought in LOG, which is in memory. Says how long the scan alone took."""

import json
import sys
import time

import hyperscan

with open(sys.argv[1], "rb") as file:
    literals = file.read().splitlines()
start = time.monotonic()
database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
database.compile(
    expressions=literals,
    ids=list(range(len(literals))),
    elements=len(literals),
    flags=hyperscan.HS_FLAG_CASELESS,
    literal=True,
)
compiled = time.monotonic()
found = []
with open(sys.argv[2], "rb") as file:
    text = file.read()
before = time.monotonic()
database.scan(text, match_event_handler=lambda number, start, end, flags, context: found.append(end))
scanned = time.monotonic()
sys.stdout.write("".join(f"{end}\n" for end in found))
print(json.dumps({"compile": compiled - start, "scan": scanned - before}), file=sys.stderr)

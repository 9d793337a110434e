"""Holds the bundles of `stockade match --format sighting` against stix2-validator and the library stix2.

Every object has to be valid, every reference has to lead to an object of the bundle, and the id of every cyber observable
object has to be the one that the library makes for it.

    sightings.py path/to/stockade
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import stix2
from stix2validator import ValidationOptions, validate_string

HERE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "match"
# Ids are functions of the content, so of version 5 where the standard recommends 4; descriptions are not kept.
RECOMMENDED = ["103", "303"]

# Kinds that the logs of the repository do not show.
VALUES = [
    ("[mutex:name = 'Global\\\\mtx_4711_\u00e9']", "opened Global\\mtx_4711_\u00e9 now"),
    ("[windows-registry-key:key = 'HKLM\\\\Software\\\\Evil4711']", r"set HKLM\Software\Evil4711 to 1"),
    ("[windows-registry-key:values[*].data = 'evil_4711_data']", "data evil_4711_data"),
    ("[process:command_line = 'evil.exe --now 4711']", "ran evil.exe --now 4711"),
    ("[email-message:subject = 'You have won 4711']", "subject: You have won 4711"),
    ("[user-account:account_login = 'intruder_4711']", "login of intruder_4711"),
    ("[directory:path = '/opt/evil/4711']", "made /opt/evil/4711"),
    ("[mac-addr:value = 'aa:bb:cc:dd:ee:0f']", "from aa:bb:cc:dd:ee:0f"),
    ("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", "md5 d41d8cd98f00b204e9800998ecf8427e"),
    ("[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']", "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("[x509-certificate:hashes.'SHA-1' = 'ba39a3ee5e6b4b0d3255bfef95601890afd80709']", "cert ba39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("[x509-certificate:serial_number = '02:08:87:83:f2:13:58:1f:79:52']", "serial 02:08:87:83:f2:13:58:1f:79:52"),
    ("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'EvilAgent/4.711']", "ua EvilAgent/4.711"),
    ("[url:value = 'evil.example/path']", "see evil.example/path here"),
    ("[domain-name:value LIKE '%.evil4711.example']", "see a.evil4711.example here"),
]


def main():
    stockade = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        indicators = [
            {
                "type": "indicator", "spec_version": "2.1", "id": "indicator--4711" if number == 0 else f"indicator--00000000-0000-4000-8000-{number:012}",
                "created": "2026-01-01T00:00:00.000001Z", "modified": "2026-01-01T00:00:00.000001Z", "valid_from": "2026-01-01T00:00:00Z",
                "pattern": pattern, "pattern_type": "stix",
            }
            for number, (pattern, _) in enumerate(VALUES)
        ]
        (folder / "feed.json").write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": indicators}))
        (folder / "app.log").write_text("".join(line + "\n" for _, line in VALUES))
        logs = [
            (["-i", str(HERE / "indicators.json"), "-i", str(HERE / "list.txt"), str(HERE / "mixed.log")], 9),
            (["-i", str(folder / "feed.json"), str(folder / "app.log")], len(VALUES)),
        ]
        for args, at_least in logs:
            command = [stockade, "match", "--quiet", "--log-format=text", "--format=sighting", "--at=2026-06-01", *args]
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            check(text, at_least)
    print("sightings: valid")


def check(text, at_least):
    options = ValidationOptions(version="2.1", enforce_refs=True, disabled=",".join(RECOMMENDED), strict=False)
    result = validate_string(text, options)
    problems = [str(error) for error in getattr(result, "errors", [])] if not result.is_valid else []
    assert result.is_valid, problems or result.as_dict()
    bundle = stix2.parse(text, allow_custom=False, version="2.1")
    sightings = [o for o in bundle.objects if o.type == "sighting"]
    assert len(sightings) >= at_least, f"{len(sightings)} sightings, expected {at_least}"
    for made in json.loads(text)["objects"]:
        known = stix2.parse({k: v for k, v in made.items() if k != "id"}, version="2.1")
        # Of types whose ids say nothing, the library makes random ones.
        observable = made["type"] not in ("identity", "indicator", "sighting", "observed-data", "process")
        assert not observable or known.id == made["id"], (known.id, made)


main()

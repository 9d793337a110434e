"""Compares the cases of tests/cases with stix2-matcher (3.0.0, from PyPI).

Every difference has to be in eval_differences.tsv: case, who is right, section, why. With --list it prints the
differences instead, in that form but for the reasons.
"""

import json
import pathlib
import signal
import sys

from stix2matcher.matcher import match

HERE = pathlib.Path(__file__).parent
SECONDS = 5


def bundle(observed, number):
    """The same observation in the shape of STIX 2.1, which the reference wants; ids of its own for each after the first."""
    if observed["type"] == "bundle":
        return observed
    name = (lambda key: f"{number}-{key}") if number else (lambda key: key)
    observed = dict(observed, id=f"observed-data--{number}")
    objects = observed.pop("objects", {})
    observed["object_refs"] = [name(key) for key in objects]

    def renamed(key, value):
        if key.endswith("_ref") and value in objects:
            return name(value)
        if key.endswith("_refs") and isinstance(value, list):
            return [name(element) for element in value]
        return value

    scos = [
        dict({name_: renamed(name_, value) for name_, value in properties.items()}, id=name(key))
        for key, properties in objects.items()
    ]
    return {"type": "bundle", "id": f"bundle--{number}", "objects": [observed, *scos]}


class TooSlow(Exception):
    pass


def too_slow(*_):
    raise TooSlow


def reference(case):
    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SECONDS)
    try:
        data = [bundle(observed, number) for number, observed in enumerate(case["observed_data"])]
        return "match" if match(case["pattern"], data, stix_version="2.1") else "nomatch"
    except TooSlow:
        return f"no answer in {SECONDS} s"
    except Exception as error:
        return f"error: {type(error).__name__}"
    finally:
        signal.alarm(0)


def main():
    known = {}
    for line in (HERE / "eval_differences.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, *rest = line.split("\t")
            known[name] = rest
    differences, total, unexplained = {}, 0, 0
    for path in sorted(HERE.parent.joinpath("cases").glob("*.jsonl")):
        cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        cases = [case for case in cases if case["expect"] in ("match", "nomatch")]
        for case in cases:
            total += 1
            got = reference(case)
            if got != case["expect"]:
                differences[f"{path.stem}: {case['name']}"] = (case, got)
    for name, (case, got) in differences.items():
        if "--list" in sys.argv:
            print(f"{name}\t{case['section']}\t{case['expect']}\t{got}\t{case['pattern'][:120]!r}")
        elif name not in known:
            unexplained += 1
            print(f"unexplained: {name}: expected {case['expect']}, the reference says {got}: {case['pattern']!r}")
    gone = [name for name in known if name not in differences]
    for name in gone:
        print(f"no difference any more: {name}")
    print(f"{total} cases, {len(differences)} differences, {unexplained} unexplained")
    sys.exit(bool(unexplained or gone))


if __name__ == "__main__":
    main()

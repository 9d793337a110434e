"""Compares `stockade test` with stix2-matcher (3.0.0, from PyPI) on random patterns over random observations.

Usage: random_matcher.py STOCKADE [SEED]. The patterns keep to what the reference does right: the classes of known
differences are in eval_differences.tsv (null, NOT on types that do not compare, EXISTS, IPv6, line feeds under LIKE and
MATCHES, ISSUPERSET of a host, longer observations, WITHIN at its very edge). So here nothing may differ.
"""

import json
import random
import subprocess
import sys

from matcher import reference

CASES = 600


def test(rng):
    negation = rng.choice(["", "", "NOT "])
    kind = rng.randrange(9)
    if kind < 3:
        path = rng.choice(["n", "n", "m", "d.k", "l[*]", "l[0]", "o_ref.n", "o_refs[*].n"])
        return f"x-t:{path} {negation}{rng.choice(['=', '!=', '<', '<=', '>', '>='])} {rng.choice(['0', '1', '2', '1.5', '-1'])}"
    if kind < 5:
        operator = rng.choice(["=", "!=", "<", ">="])
        return f"x-t:{rng.choice(['s', 's', 'z'])} {negation}{operator} {rng.choice(['a', 'ab', 'b', ''])!r}"
    if kind == 5:
        return f"x-t:s {negation}IN ({', '.join(rng.sample([repr(s) for s in ('a', 'b', 'ab', 'c')], 2))})"
    if kind == 6:
        return f"x-t:s {negation}LIKE {rng.choice(['a%', '%b', '_', 'a_', '%'])!r}"
    if kind == 7:
        return f"x-t:s {negation}MATCHES {rng.choice(['a', '^a$', 'b$', '[ab]{2}', '^$', '(?=a)ab'])!r}"
    name, operator = rng.choice([("ip", "ISSUBSET"), ("net", "ISSUPERSET")])
    return f"x-t:{name} {negation}{operator} {rng.choice(['10.0.0.0/8', '10.1.0.0/16'])!r}"


def comparison(rng, depth=2):
    if depth == 0 or rng.random() < 0.5:
        return test(rng)
    parts = [comparison(rng, depth - 1) for _ in range(rng.randint(2, 3))]
    return "(" + rng.choice([" AND ", " OR "]).join(parts) + ")"


def pattern(rng, depth=2):
    if depth == 0 or rng.random() < 0.4:
        return rng.choice([f"[x-t:n = {rng.randint(0, 2)}]", "[x-t:n > 0]", f"[{comparison(rng)}]"])
    if rng.random() < 0.35:
        qualifier = rng.choice(
            [
                "REPEATS 2 TIMES",
                "REPEATS 3 TIMES",
                "WITHIN 1.5 SECONDS",
                "WITHIN 2.5 SECONDS",
                "START t'2026-01-01T00:00:01Z' STOP t'2026-01-01T00:00:04Z'",
            ]
        )
        return f"({pattern(rng, depth - 1)}) {qualifier}"
    parts = [pattern(rng, depth - 1) for _ in range(2)]
    return "(" + rng.choice([" AND ", " OR ", " FOLLOWEDBY "]).join(parts) + ")"


def value(rng, numbers=(0, 1, 2, 1.5)):
    return rng.choice(numbers)


def observation(rng):
    def thing():
        made = {"type": "x-t"}
        fields = {
            "n": value(rng),
            "s": rng.choice(["a", "ab", "b", ""]),
            "d": {"k": value(rng)},
            "l": [value(rng) for _ in range(rng.randint(1, 2))],
            "ip": rng.choice(["10.1.2.3", "10.1.0.0/16", "11.0.0.1", "10.0.0.0/8"]),
            "net": rng.choice(["10.1.0.0/16", "10.0.0.0/8", "11.0.0.0/8"]),
            "o_ref": rng.choice("01"),
            "o_refs": rng.sample("01", rng.randint(1, 2)),
        }
        made.update({name: field for name, field in fields.items() if rng.random() < 0.7})
        return made

    time = f"2026-01-01T00:00:0{rng.randint(0, 5)}Z"
    return {
        "type": "observed-data",
        "id": "observed-data--1",
        "first_observed": time,
        "last_observed": time,
        "number_observed": rng.choice([1, 1, 1, 2]),
        "objects": {"0": thing(), "1": thing()},
    }


def main():
    stockade, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    cases = [
        {
            "name": str(number),
            "pattern": pattern(rng) if rng.random() < 0.6 else f"[{comparison(rng)}]",
            "expect": "match",
            "observed_data": [observation(rng) for _ in range(rng.randint(1, 4))],
        }
        for number in range(CASES)
    ]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ran = subprocess.run([stockade, "test", "--json", "-"], input=lines, capture_output=True, text=True, check=False)
    ours = [json.loads(line)["got"] for line in ran.stdout.splitlines()]
    different = matched = 0
    for case, got in zip(cases, ours, strict=True):
        expected = reference(case)
        matched += expected == "match"
        if got != expected:
            different += 1
            print(f"stockade says {got}, the reference {expected}: {json.dumps(case)}")
    print(f"{CASES} random cases of seed {seed}, {matched} of them matches, {different} differences")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()

"""Indicators and logs, made from a seed and kept below target/compare."""

import os
import re
import subprocess
import sys
from pathlib import Path


class Corpora:
    def __init__(self, where, ours, quick):
        self.where, self.ours = where, ours
        self.sizes = [1000, 100_000] if quick else [1000, 100_000, 1_000_000, 10_000_000]
        self.lines = 200_000 if quick else 2_000_000
        # The size at which everything is compared.
        self.joined = 100_000 if quick else 1_000_000
        # A larger bundle would be six gigabytes; it only passes through a pipe.
        self.largest_bundle = 1_000_000
        self.program = Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release/examples/corpus"

    def bundle(self, size):
        return self.made(f"bundle-{size}.json", [self.program, "bundle", size])

    def list(self, size):
        return self.made(f"list-{size}.txt", [self.program, "list", size])

    def log(self, size, hits=1):
        path = self.where / f"log-{size}-{self.lines}-{hits}.log"
        truth = path.with_suffix(".truth")
        if not path.exists():
            with open(truth, "wb") as err:
                self.made(path.name, [self.program, "log", size, self.lines, hits], stderr=err)
        return path

    def index(self, size):
        """A compiled index of the bundle. Made anew each time, for the format may have changed."""
        path = self.where / f"index-{size}.sdx"
        if path not in FRESH:
            make = subprocess.Popen([self.program, "bundle", str(size)], stdout=subprocess.PIPE)
            run([self.ours, "compile", "--quiet", "-i", "-", "-o", path], stdin=make.stdout)
            make.stdout.close()
            if make.wait() != 0:
                sys.exit("the bundle could not be made")
            FRESH.add(path)
        return path

    def compiled(self, listed):
        path = listed.with_suffix(".sdx")
        if path not in FRESH:
            run([self.ours, "compile", "--quiet", "-i", listed, "-o", path])
            FRESH.add(path)
        return path

    def addresses(self, size, only_v4=False):
        """The addresses and prefixes among the values of the list."""
        path = self.where / f"{'ipv4' if only_v4 else 'addresses'}-{size}.txt"
        if not path.exists():
            shape = re.compile(r"[0-9.]+(/\d+)?" if only_v4 else r"[0-9.]+(/\d+)?|[0-9a-f]*:[0-9a-f:]*")
            with open(self.list(size)) as lines, open(path, "w") as out:
                out.writelines(line for line in lines if shape.fullmatch(line.strip()))
        return path

    def empty(self):
        path = self.where / "empty.log"
        path.write_text("nothing\n")
        return path

    def check(self, size, arguments, log):
        """Compares what is found with what was planted. Speed counts for nothing if this fails."""
        found = self.where / "found.jsonl"
        for threads in ["-j1", "-j4"]:
            with open(found, "wb") as out:
                run([self.ours, "match", "--json", threads, *arguments], stdout=out)
            with open(found, "rb") as hits:
                told = subprocess.run(
                    [self.program, "check", str(size), log.with_suffix(".truth")], stdin=hits, capture_output=True, text=True
                )
            print(f"{size} indicators, {threads}: {told.stdout.strip()}", file=sys.stderr, flush=True)
            if told.returncode != 0:
                sys.exit(f"wrong results: {told.stdout}{told.stderr}")

    def made(self, name, command, stderr=None):
        """A file that is the output of a command, unless it is there already."""
        path = self.where / name
        if not path.exists():
            print(f"making {path} ...", file=sys.stderr, flush=True)
            part = path.with_suffix(".part")
            with open(part, "wb") as out:
                run(command, stdout=out, stderr=stderr)
            part.rename(path)
        return path


# What was made by this run.
FRESH = set()


def run(command, **streams):
    subprocess.run([str(part) for part in command], check=True, **streams)

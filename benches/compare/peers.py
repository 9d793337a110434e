"""What is compared: built or installed where that is possible."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
APT = {"rg": "ripgrep", "grepcidr": "grepcidr", "iprange": "iprange"}
PIP = ["hyperscan", "duckdb", "polars"]


def stockade():
    """Builds the command and the maker of corpora."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "stockade", "--example", "corpus"], check=True)
    return TARGET / "release/stockade"


class Peers:
    def __init__(self, where):
        self.skipped = []
        self.there = set()
        self.apt()
        self.python = where / "venv/bin/python"
        self.pip(where / "venv")
        self.parse = HERE.parent / "peers/target/release/parse"
        built = subprocess.run(
            ["cargo", "build", "--release", "--bin", "parse", "--manifest-path", str(HERE.parent / "peers/Cargo.toml")],
            env={**os.environ, "CARGO_TARGET_DIR": str(HERE.parent / "peers/target")},
        )
        self.note("peers", built.returncode == 0, "jiter and serde_json: benches/peers does not build")

    def has(self, name):
        return name in self.there

    def note(self, name, there, why):
        if there:
            self.there.add(name)
        else:
            self.skipped.append(why)
            print(f"!! SKIPPED: {why}", file=sys.stderr, flush=True)

    def apt(self):
        missing = [package for program, package in APT.items() if not shutil.which(program)]
        if missing and shutil.which("apt-get") and os.geteuid() == 0:
            subprocess.run(["apt-get", "install", "-y", "-q", *missing], stdout=subprocess.DEVNULL)
        for program, package in APT.items():
            why = f"{package}: not installed (apt-get install {package}, as root)"
            self.note(program, shutil.which(program), why)

    def pip(self, venv):
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)])
        for module in PIP:
            if not self.imports(module) and self.python.exists():
                subprocess.run([self.python, "-m", "pip", "install", "-q", module])
            self.note(module, self.imports(module), f"{module}: cannot be installed by pip")

    def imports(self, module):
        if not self.python.exists():
            return False
        return subprocess.run([self.python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0

    def versions(self):
        for program in APT:
            if program in self.there:
                flag = "-V" if program == "grepcidr" else "--version"
                told = subprocess.run([program, flag], capture_output=True, text=True)
                yield (told.stdout + told.stderr).strip().splitlines()[0]
        for module in PIP:
            if module in self.there:
                code = f"import importlib.metadata as m; print(m.version('{module}'))"
                yield module + " " + subprocess.run([self.python, "-c", code], capture_output=True, text=True).stdout.strip()

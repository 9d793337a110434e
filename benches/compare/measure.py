"""Whole processes that take turns, and the table of what they took."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Program:
    """One program and how it is run."""

    name: str
    command: list
    # The file whose size makes a rate, and its number of lines if lines are what counts.
    reads: object = None
    lines: int = 0
    # The program says itself how long this part of it took, in a line of JSON on standard error.
    clock: str = ""
    # Exit codes that are no failure.
    accept: set = field(default_factory=lambda: {0})
    # Seconds after which it is ended and left out.
    limit: float = 900
    # Slow ones run less often.
    rounds: int = 0


@dataclass
class Run:
    wall: float
    processor: float
    memory: float
    lines: int


class Group:
    """Programs that do the same work; the first one is what the others are measured by."""

    def __init__(self, title, note, programs, output):
        self.title, self.note, self.programs, self.output = title, note, programs, output
        self.runs = {program.name: [] for program in programs}
        self.failed = {}

    def run(self, rounds):
        print(f"{self.title} ...", file=sys.stderr, flush=True)
        for number in range(rounds + 1):
            for program in self.programs:
                if program.name in self.failed or number > (program.rounds or rounds):
                    continue
                try:
                    run = once(program, self.output)
                except RuntimeError as error:
                    self.failed[program.name] = str(error)
                    print(f"!! LEFT OUT: {program.name}: {error}", file=sys.stderr, flush=True)
                    continue
                # The first round only fills caches.
                if number > 0:
                    self.runs[program.name].append(run)

    def table(self):
        yield "| program | wall, s | processor, s | rate | times | most memory, MB | lines out |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        first = self.runs[self.programs[0].name]
        for program in self.programs:
            runs = self.runs[program.name]
            if not runs:
                yield f"| {program.name} | failed: {self.failed.get(program.name, 'did not run')} | | | | | |"
                continue
            wall = statistics.median(run.wall for run in runs)
            processor = statistics.median(run.processor for run in runs)
            ratios = [run.wall / base.wall for run, base in zip(runs, first)]
            times = f"{statistics.median(ratios):.2f}" if ratios else ""
            memory = max(run.memory for run in runs)
            yield f"| {program.name} | {wall:.3f} | {processor:.3f} | {rate(program, wall)} | {times} | {memory:.0f} | {runs[-1].lines:,} |"


def rate(program, wall):
    if program.lines:
        return f"{program.lines / wall / 1e6:.2f} M lines/s"
    if program.reads:
        return f"{os.path.getsize(program.reads) / wall / 1e6:.0f} MB/s"
    return ""


def once(program, output):
    """Runs a program to its end; its output goes into a file, since some stop early if it goes nowhere."""
    command = [str(part) for part in program.command]
    with open(output, "wb") as out, open(f"{output}.err", "wb") as err:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        previous = signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, program.limit)
        _, status, usage = os.wait4(child.pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    with open(f"{output}.err", errors="replace") as file:
        said = file.read()
    if child.returncode not in program.accept:
        last = said.strip().splitlines()[-1:] or [""]
        why = f"ended after {program.limit:.0f} s" if wall >= program.limit else f"exit {child.returncode} {last[0]}"
        raise RuntimeError(why[:200])
    processor = usage.ru_utime + usage.ru_stime
    if program.clock:
        stated = json.loads(said.strip().splitlines()[-1])
        wall = processor = stated[program.clock]
    with open(output, "rb") as file:
        lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
    return Run(wall, processor, usage.ru_maxrss / 1000, lines)

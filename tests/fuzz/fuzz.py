#!/usr/bin/env python3
"""fuzz.py [--seconds N] [NAME…]: builds the fuzzers with clang's libFuzzer and runs them (or those named; wildcards work).

Without --seconds each plays a fixed number of inputs that follow from its corpus and a fixed seed, as in `./x test unit`. With it each
runs for so long, and keeps what it finds for the next time in build/fuzz/NAME: new inputs in `found`, and, where it fails, the input.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import fnmatch
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
BUILD = REPO / "build" / "fuzz"

# So many that all together take less than a minute of one CPU.
RUNS = {"efi": 100000, "emulate": 100000, "microcode": 100000, "loader-kernel": 40000, "xlcfg": 5000, "pv": 3000}
OTHER_RUNS = 20000
MORE_INPUTS = {"xlcfg": [REPO / "tests" / "unit" / "xlcfg" / "samples"]}
# The seconds are no pace to keep but the mark of a hang.
LIMITS = ["-rss_limit_mb=2048", "-timeout=120", "-max_len=4096", "-len_control=0"]


@dataclass(frozen=True)
class Fuzzer:
    """FOLDER/PART_fuzz.cpp with its inputs in PART.corpus and, where there is one, its words in PART.dict."""

    source: Path

    @property
    def name(self) -> str:
        part, folder = self.source.stem.removesuffix("_fuzz"), self.source.parent.name
        return part if part == folder else f"{folder}-{part}"

    def _beside(self, ending: str) -> list[Path]:
        path = self.source.with_name(self.source.stem.removesuffix("_fuzz") + ending)
        return [path] if path.exists() else []

    def command(self, seconds: int) -> list[str | Path]:
        work = BUILD / self.name
        if not seconds:
            shutil.rmtree(work, ignore_errors=True)
        (work / "found").mkdir(parents=True, exist_ok=True)
        how = [f"-max_total_time={seconds}"] if seconds else [f"-runs={RUNS.get(self.name, OTHER_RUNS)}", "-seed=1"]
        words = [f"-dict={path}" for path in self._beside(".dict")]
        return [BUILD / "tests" / "fuzz" / self.name, *how, *LIMITS, *words, f"-artifact_prefix={work}/", work / "found",
                *self._beside(".corpus"), *MORE_INPUTS.get(self.name, [])]


def fuzzers(wanted: Sequence[str] = ()) -> list[Fuzzer]:
    every = [Fuzzer(path) for path in sorted(HERE.glob("*/*_fuzz.cpp"))]
    for word in wanted:
        if not any(fnmatch.fnmatch(fuzzer.name, word) for fuzzer in every):
            raise SystemExit(f"no fuzzer is called '{word}': {' '.join(fuzzer.name for fuzzer in every)}")
    return [fuzzer for fuzzer in every if not wanted or any(fnmatch.fnmatch(fuzzer.name, word) for word in wanted)]


def short_run(fuzzer: Fuzzer) -> tuple[str, bool]:
    """Its name, and whether it found nothing; else it is printed what."""
    done = subprocess.run(fuzzer.command(0), text=True, errors="replace", capture_output=True, check=False)
    if done.returncode:
        print(f"fuzz-{fuzzer.name} ended with {done.returncode}:\n" + "\n".join(done.stderr.splitlines()[-40:]), flush=True)
    return fuzzer.name, done.returncode == 0


def short_runs(wanted: Sequence[str] = ()) -> list[tuple[str, bool]]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(short_run, fuzzers(wanted)))


def build() -> None:
    subprocess.run(["cmake", "--preset", "fuzz"], cwd=REPO, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "--quiet"], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=0, help="how long each runs; nothing: a fixed number of inputs")
    parser.add_argument("name", nargs="*")
    arguments = parser.parse_args()
    chosen = fuzzers(arguments.name)
    build()
    if arguments.seconds:
        return max(subprocess.run(fuzzer.command(arguments.seconds), check=False).returncode for fuzzer in chosen)
    outcomes = short_runs(arguments.name)
    for name, good in outcomes:
        print(f"{'ok' if good else 'FAILED':<8}fuzz-{name}")
    return not all(good for _, good in outcomes)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the tests: unit (host), guests and boot (emulated machines), and ends with one line that counts them all.

    run.py [--on ours|reference] [list | unit | guests | boot | all | NAME …]
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

for folder in ("boot", "fuzz"):
    sys.path.insert(0, str(Path(__file__).resolve().parent / folder))
sys.dont_write_bytecode = True

import debian  # noqa: E402
import fuzz  # noqa: E402
import runner  # noqa: E402
from paths import BUILD, REPO  # noqa: E402


def unit_tests() -> runner.Results:
    """ctest on the host build, counted by GoogleTest's own cases; a short run of each fuzzer; the layering rules; and every file's format."""
    results = runner.Results()
    report = BUILD / "host" / "junit.xml"
    subprocess.run(["ctest", "--test-dir", BUILD / "host", "--output-junit", report, "--output-on-failure", "--progress"], check=False)
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        name = f"unit/{case.get('name')}"
        output = case.findtext("system-out") or ""
        passed = re.search(r"\[  PASSED  \] (\d+) test|^(\d+) passed", output, re.M)
        failed = re.search(r"^ ?(\d+) FAILED TEST", output, re.M)
        results.passed += [name] * (int(passed[1] or passed[2]) if passed else case.get("status") == "run")
        if case.get("status") != "run":
            results.failed += [name] * (int(failed[1]) if failed else 1)
    for name, good in fuzz.short_runs():
        (results.passed if good else results.failed).append(f"unit/fuzz-{name}")
    for name, check in (("layers", "check_layers.py"), ("format", "check_format.py")):
        outcome = subprocess.run([sys.executable, REPO / "scripts" / check], check=False)
        (results.failed if outcome.returncode else results.passed).append(f"unit/{name}")
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="./x test", description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=["ours", "reference"], default="ours", help="the hypervisor under test")
    parser.add_argument("what", nargs="*", help="list, unit, guests, boot, all, or names (wildcards allowed); nothing: all but the slow")
    arguments = parser.parse_args()
    wanted = arguments.what
    if wanted == ["list"]:
        for test in runner.load():
            print(f"{test.suite}/{test.name}{' (slow)' if test.slow else ''}")
        return 0

    total = runner.Results()
    if arguments.on == "ours" and (not wanted or {"unit", "all"} & set(wanted)):
        total = unit_tests()
        print(f"unit tests: {total.line()}", flush=True)
    rest = [word for word in wanted if word != "unit"]
    if rest or not wanted:
        debian.ensure()
        by_group = not rest or {"guests", "boot", "all"} & set(rest)
        skip = runner.pending() if arguments.on == "ours" and by_group else {}
        booted = runner.run(runner.select(rest), arguments.on, skip)
        if arguments.on == "ours" and "all" in rest:   # the tiny kernels' expectations, held against their oracle
            reference = runner.run([test for test in runner.select(["guests"]) if test.only_on != "ours"], "reference")
            booted.passed += reference.passed
            booted.failed += reference.failed
            booted.skipped += reference.skipped
        for mine, theirs in ((total.passed, booted.passed), (total.failed, booted.failed), (total.skipped, booted.skipped)):
            mine += theirs
    for name in total.failed:
        print(f"failed: {name}")
    print(total.line())
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The boot tests' own small runner: tests with equal specs share one boot, each says ok or why not."""
# SPDX-License-Identifier: Apache-2.0
import fnmatch
import importlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dom0 import Dom0, Spec
from machine import emulator_crashes


class Skipped(Exception):
    """This test has no meaning here; the reason is its text."""


@dataclass
class Test:
    name: str
    suite: str                         # boot or guests
    body: Callable
    spec: Spec | None                  # None: the body gets `on` and boots what it wants by itself
    only_on: str | None = None         # ours or reference
    slow: bool = False                 # only when asked for by name, or for `all`


@dataclass
class Results:
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def line(self) -> str:
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"{len(self.passed)} passed, {len(self.failed)} failed{skipped}"


REGISTRY: list[Test] = []


def boot_test(spec: Spec, name: str = "", suite: str = "boot", only_on: str | None = None, slow: bool = False):
    """Registers body(dom0), run at the shell of a dom0 that `spec` describes."""
    def register(body: Callable) -> Callable:
        REGISTRY.append(Test(name or body.__name__, suite, body, spec, only_on, slow))
        return body
    return register


def machine_test(name: str = "", suite: str = "boot", only_on: str | None = None, slow: bool = False):
    """Registers body(on), which switches machines on by itself. `on` is ours or reference."""
    def register(body: Callable) -> Callable:
        REGISTRY.append(Test(name or body.__name__, suite, body, None, only_on, slow))
        return body
    return register


def load() -> list[Test]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(path.stem)
    return REGISTRY


def select(wanted: list[str]) -> list[Test]:
    """By suite, by name (with wildcards), or everything but the slow ones."""
    tests = load()
    if not wanted:
        return [test for test in tests if not test.slow]
    chosen = []
    for word in wanted:
        by_suite = [test for test in tests if test.suite == word and not test.slow]
        matching = by_suite or [test for test in tests if word == "all" or fnmatch.fnmatch(test.name, word)]
        if not matching:
            raise SystemExit(f"no test is called '{word}': see `./x test list`")
        chosen += [test for test in matching if test not in chosen]
    return chosen


class _Session:
    """The booted dom0 that the next test may find still fit for use."""

    def __init__(self, on: str) -> None:
        self.on, self.dom0 = on, None
        self._broken: dict[Spec, str] = {}     # specs whose dom0 never came up: trying again would only cost time

    def get(self, spec: Spec, name: str) -> Dom0:
        if self.dom0 and (self.dom0.spec != spec or not self.dom0.machine.alive):
            self.drop()
        if spec in self._broken:
            raise AssertionError(f"its dom0 did not come up before, for {self._broken[spec]}")
        if not self.dom0:
            try:
                self.dom0 = Dom0(spec, self.on, f"{name}-{self.on}")
            except BaseException:
                self._broken[spec] = name
                raise
        return self.dom0

    def run(self, test: Test) -> None:
        """Once more where the emulator itself crashed: QEMU 7.2 does so now and then when one CPU moves a BAR and another accesses a device."""
        emulator_crashes.clear()
        try:
            return self._run(test)
        except Exception:
            if self.dom0 and self.dom0.machine.crashed:
                self.drop()
            if not emulator_crashes:
                raise
            print(f"        {test.suite}/{test.name}: the emulator crashed ({', '.join(emulator_crashes)}); once more", flush=True)
        self._broken.pop(test.spec, None)
        self._run(test)

    def _run(self, test: Test) -> None:
        if test.spec is None:
            self.drop()
            test.body(self.on)
        else:
            test.body(self.get(test.spec, test.name))

    def drop_if_hurt(self) -> None:
        """After a failure: keeps the dom0 only if its shell answers and no domain was left behind."""
        try:
            if self.dom0 and self.dom0.run("xl list | wc -l", timeout=10).strip() == "2":
                return
        except (AssertionError, OSError):
            pass
        self.drop()

    def drop(self) -> None:
        if self.dom0:
            self.dom0.stop()
        self.dom0 = None


def _explain(error: BaseException) -> str:
    if isinstance(error, AssertionError) and str(error):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {error} at {Path(last.filename).name}:{last.lineno} `{last.line}`".strip()


def pending() -> dict[str, str]:
    """Tests that don't pass on ours yet, with the reason: pending.txt. Names may have wildcards."""
    lines = (Path(__file__).parent / "pending.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def run(tests: list[Test], on: str, skip: dict[str, str] | None = None) -> Results:
    """`skip`: names (with wildcards) that are not run, and why."""
    results = Results()
    session = _Session(on)
    # Tests of one spec stand together, in the order in which the specs first appear.
    specs = list(dict.fromkeys(test.spec for test in tests))
    for test in sorted(tests, key=lambda test: specs.index(test.spec)):
        started = time.monotonic()
        label = f"{test.suite}/{test.name}{' on the reference' if on == 'reference' else ''}"

        def say(verdict: str, text: str = "") -> None:
            print(f"{verdict:<8}{label} ({time.monotonic() - started:.1f} s){': ' if text else ''}{text}", flush=True)

        try:
            for pattern, reason in (skip or {}).items():
                if fnmatch.fnmatch(test.name, pattern):
                    raise Skipped(f"pending: {reason}")
            if test.only_on and test.only_on != on:
                raise Skipped(f"for {test.only_on} only")
            session.run(test)
            results.passed.append(label)
            say("ok")
        except Skipped as reason:
            results.skipped.append(label)
            say("skipped", str(reason))
        except (KeyboardInterrupt, SystemExit):   # SystemExit: SIGTERM, see machine.py
            session.drop()
            raise
        except BaseException as error:
            results.failed.append(label)
            say("FAILED", _explain(error))
            tail = session.dom0.console.tail() if session.dom0 else getattr(error, "console_tail", "")
            if tail:
                print("    the console's last lines:\n" + "\n".join(f"    | {line}" for line in tail.splitlines()), flush=True)
            session.drop_if_hurt()
    session.drop()
    return results

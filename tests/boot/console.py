"""A serial console seen as a stream of text: wait for what it says, type into it."""
# SPDX-License-Identifier: Apache-2.0
import os
import re
import select
import time
from pathlib import Path


class ConsoleTimeout(AssertionError):
    """What was waited for did not come."""


class ConsoleEnded(AssertionError):
    """The machine ended while something was waited for."""


class Console:
    """Everything read is kept in `text` and written to `log`; `position` is how far expect() has read."""

    def __init__(self, read_fd: int, write_fd: int, log: Path, alive=lambda: True, echo=None) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._log = log.open("wb")
        self._alive = alive                # says whether the machine runs, where the stream itself never ends
        self._echo = echo                  # called with each piece of bytes, for a person who watches
        self.text = ""
        self.position = 0
        self.ended = False

    def pump(self, seconds: float) -> bool:
        """Takes in what arrives within `seconds`, at most one piece; False when nothing came."""
        if self.ended or not select.select([self._read_fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._read_fd, 65536)
        except OSError:                    # a pseudo-terminal whose other end is gone
            data = b""
        if not data:
            self.ended = True
            return False
        self._log.write(data)
        self._log.flush()
        if self._echo:
            self._echo(data)
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        return True

    def expect(self, pattern: str, timeout: float = 60, fail: str = "") -> re.Match:
        """Waits until `pattern` appears after the last match. `fail`: a pattern whose appearance ends the wait at once.

        A `$` at the pattern's end stands for a line that is complete, not for one still being printed."""
        if pattern.endswith("$"):
            pattern = pattern[:-1] + r"(?=\n)"
        deadline = time.monotonic() + timeout
        while True:
            good = re.compile(pattern, re.M).search(self.text, self.position)
            bad = re.compile(fail, re.M).search(self.text, self.position) if fail else None
            if bad and not (good and good.start() < bad.start()):
                raise AssertionError(f"the console said '{bad[0]}' while waiting for '{pattern}'")
            if good:
                self.position = good.end()
                return good
            if self.ended or not (self._alive() or self.pump(0)):
                raise ConsoleEnded(f"the machine ended while waiting for '{pattern}'")
            if not self.pump(min(1.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                raise ConsoleTimeout(f"no '{pattern}' within {timeout:.0f} s")

    def seen(self, pattern: str) -> list[str]:
        """All matches since the machine was switched on."""
        return re.findall(pattern, self.text, re.M)

    def type(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._write_fd, data):]

    def tail(self, lines: int = 25) -> str:
        return "\n".join([line for line in self.text.splitlines() if line.strip(" +PX-")][-lines:])

    def close(self) -> None:
        self._log.close()
        for fd in {self._read_fd, self._write_fd}:
            os.close(fd)

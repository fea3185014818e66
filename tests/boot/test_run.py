"""./x run --demo, as a person starts it: the tour plays, and everything ends by itself."""
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

from paths import REPO
from runner import machine_test


@machine_test(name="run-demo", only_on="ours")
def demo(on: str) -> None:
    done = subprocess.run([sys.executable, "-B", REPO / "tests" / "boot" / "tour.py", "--demo"], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=600, check=False)
    text = done.stdout
    try:
        assert done.returncode == 0, f"it ended with {done.returncode}: {done.stderr[-600:]}"
        word = re.search(r"This run's word, on its command line, is (\S+)\.$", text, re.M)[1]
        typed = re.search(r"^\(typed\) (.+)$", text, re.M)[1]
        for pattern in (rf"^GUEST-UP word {word} type xen cpus 2$", r"^GUEST-TIME cpu 0 advances$", r"^GUEST-TIME cpu 1 advances$",
                        rf"^GUEST-ANSWER {word} heard: {typed}$", r"^Domain-0 +0 ", r"^visitor +\d+ +256 +2 ", r"^Switching off\.$"):
            assert re.search(pattern, text, re.M), f"it does not show '{pattern}'"
    except BaseException as error:
        error.console_tail = text[-2500:]
        raise

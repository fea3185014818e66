"""What ./x bench wants of each of its rows, and what was missed."""
# SPDX-License-Identifier: Apache-2.0
import fnmatch

# Ours to the reference's, by the row's name; the first that fits counts.
AIMS = (
    ("null-hypercall", 0.35),
    ("dom0's boot", 0.80),
    ("* tiny, number *", 0.50),
    ("* debian, number *", 0.80),
    ("*", 0.50),                       # every other operation, PV's as well
)


def aim_of(row: str) -> float:
    return next(aim for pattern, aim in AIMS if fnmatch.fnmatchcase(row, pattern))


class Comparison:
    """Rows of both sides beside each other; remembers those that miss their aim."""

    def __init__(self, sides: list[str]) -> None:
        self.sides = sides
        self.missed: list[str] = []

    def print_title(self, title: str) -> None:
        print(f"{title:<28}" + "".join(f"{on:>12}" for on in self.sides) + ("       ratio    aim" if len(self.sides) == 2 else ""))

    def print_row(self, name: str, counts: dict[str, int], free: bool = False) -> None:
        """`free`: the operation costs nothing but the guest's own instructions, so nothing can be saved."""
        line = f"{name:<28}" + "".join(f"{counts[on]:>12,}" for on in self.sides)
        if len(self.sides) == 2:
            ratio, aim = counts["ours"] / max(counts["reference"], 1), aim_of(name)
            late = ratio > aim and not free
            line += f"{ratio:>12.2f}" + ("  no exit" if free else f"{aim:>7.2f}{'  missed' if late else ''}")
            if late:
                self.missed.append(f"{name} ({ratio:.3f}, the aim is {aim:.2f})")
        print(line, flush=True)

    def verdict(self) -> int:
        """The exit status: 1 where an aim is missed. One side alone has no aims."""
        if len(self.sides) != 2:
            return 0
        print(f"\n{len(self.missed)} aims missed{': ' if self.missed else ''}" + "".join(f"\n  {row}" for row in self.missed))
        return 1 if self.missed else 0

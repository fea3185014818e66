"""What a machine's screen shows, as text: QEMU's screenshots read by the fonts that painted them.

The framebuffer console's font is that of drivers/font.hpp; VGA text mode's is in the ROM of QEMU's BIOS for that card.
"""
# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

from paths import REPO, WORK

VGA_ROM = Path("/usr/share/seabios/vgabios-stdvga.bin")
VGA_LETTER_A = bytes.fromhex("00001038 6cc6c6fe c6c6c6c6 00000000".replace(" ", ""))
UNKNOWN = "\ufffd"


class Picture:
    """A PPM file: which pixels are lit."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        assert head, f"{path} is no PPM picture"
        self.width, self.height = int(head[1]), int(head[2])
        # Three bytes a pixel; the console's grey lights all of them alike.
        self._lit = [byte > 64 for byte in data[head.end()::3]]

    def lit(self, x: int, y: int) -> bool:
        return self._lit[y * self.width + x]


def take(machine) -> Picture:
    path = WORK / f"{machine.name}.ppm"
    path.unlink(missing_ok=True)
    machine.monitor(f"screendump {path}")
    return Picture(path)


def _own_font() -> dict[tuple[int, ...], str]:
    rows = re.findall(r"^    \{((?:0x\w\w(?:, )?){8})\},  //", (REPO / "drivers" / "font.hpp").read_text(), re.M)
    assert len(rows) == 95, "drivers/font.hpp has another form"
    return {tuple(int(row, 16) for row in glyph.split(", ")): chr(32 + index) for index, glyph in enumerate(rows)}


def _vga_font() -> dict[tuple[int, ...], str]:
    rom = VGA_ROM.read_bytes()
    start = rom.index(VGA_LETTER_A) - ord("A") * 16
    return {tuple(rom[start + code * 16:start + code * 16 + 16]): chr(code) for code in range(32, 127)}


def _read(picture: Picture, font, cell: tuple[int, int], glyph: tuple[int, int], scale: int = 1, above: int = 0) -> list[str]:
    """`cell`, `glyph`: columns and rows of the font's pixels; `above`: rows of the cell above the glyph."""
    lines = []
    for top in range(0, picture.height - cell[1] * scale + 1, cell[1] * scale):
        line = ""
        for left in range(0, picture.width - cell[0] * scale + 1, cell[0] * scale):
            rows = tuple(sum(picture.lit(left + x * scale, top + (y + above) * scale) << (glyph[0] - 1 - x) for x in range(glyph[0]))
                         for y in range(glyph[1]))
            line += font.get(rows, UNKNOWN)
        lines.append(line.rstrip())
    return lines


def framebuffer_text(picture: Picture) -> list[str]:
    """The rows of our own console: drivers/framebuffer.hpp."""
    scale = max(1, min(picture.width // (80 * 6), picture.height // (25 * 10)))
    return _read(picture, _own_font(), (6, 10), (5, 8), scale, above=1)


def vga_text(picture: Picture) -> list[str]:
    """The 25 rows of VGA text mode, whose cells are 9 pixels wide."""
    assert (picture.width, picture.height) == (720, 400), f"the screen has {picture.width}x{picture.height} pixels: not VGA's text mode"
    return _read(picture, _vga_font(), (9, 16), (8, 16))

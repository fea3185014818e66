"""Writes an initramfs (newc cpio, gzip) from a dictionary of paths, with no tool but Python."""
# SPDX-License-Identifier: Apache-2.0
import gzip
import os
import re
import stat
import subprocess
from pathlib import Path


class Initramfs:
    """Files by absolute path; parents come by themselves."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, bytes]] = {}

    def directory(self, *paths: str, mode: int = 0o755) -> None:
        """`mode` is of the last parts; those that are there keep theirs."""
        for path in paths:
            parts = path.strip("/").split("/")
            for depth in range(1, len(parts) + 1):
                self._entries.setdefault("/".join(parts[:depth]), (stat.S_IFDIR | (mode if depth == len(parts) else 0o755), b""))

    def _add(self, path: str, mode: int, data: bytes) -> None:
        path = path.strip("/")
        if "/" in path:
            self.directory(path.rsplit("/", 1)[0])
        self._entries[path] = (mode, data)

    def text(self, path: str, content: str, executable: bool = False) -> None:
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), content.encode())

    def link(self, path: str, target: str) -> None:
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def file(self, path: str, source: Path) -> None:
        source = Path(source)
        self._add(path, stat.S_IFREG | (source.stat().st_mode & 0o777), source.read_bytes())

    def tree(self, source: Path, at: str = "/") -> None:
        """A whole directory, symbolic links kept."""
        for path in sorted(Path(source).rglob("*")):
            name = at.rstrip("/") + "/" + str(path.relative_to(source))
            if path.is_symlink():
                self.link(name, os.readlink(path))
            elif path.is_dir():
                self.directory(name)
            else:
                self.file(name, path)

    def program(self, path: str, source: Path, library_path: str = "") -> None:
        """A program with the shared libraries that it needs, found as the dynamic linker would."""
        self.file(path, source)
        for library in shared_libraries(source, library_path):
            # The dynamic linker itself stands under its own path.
            at = str(library) if library.name.startswith("ld-linux") else f"/usr/lib/x86_64-linux-gnu/{library.name}"
            self.file(at, library.resolve())

    def write(self, path: Path) -> Path:
        archive = bytearray()

        def put(name: str, mode: int, data: bytes, number: int) -> None:
            encoded = name.encode() + b"\0"
            fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
            for part in (b"070701" + b"".join(b"%08x" % field for field in fields) + encoded, data):
                archive.extend(part)
                archive.extend(b"\0" * (-len(archive) % 4))

        for number, (name, (mode, data)) in enumerate(sorted(self._entries.items()), 1):
            put(name, mode, data, number)
        put("TRAILER!!!", 0, b"", 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(bytes(archive), 1))
        return path


def shared_libraries(program: Path, library_path: str = "") -> list[Path]:
    """What the dynamic linker would load for it, and the dynamic linker."""
    found = subprocess.run(["ldd", program], text=True, capture_output=True, env={**os.environ, "LD_LIBRARY_PATH": library_path}).stdout
    paths = [Path(where or name) for name, where in re.findall(r"^\s*(\S+)(?: => (\S+))? \(0x", found, re.M)]
    return [path for path in paths if path.is_absolute()]  # the vdso has no path


def busybox_base(busybox: Path) -> Initramfs:
    """A file system with busybox and a link for each of its applets."""
    image = Initramfs()
    image.directory("/bin", "/sbin", "/dev", "/proc", "/sys", "/run", "/tmp", "/etc", "/root")
    image.file("/bin/busybox", busybox)
    for applet in subprocess.run([busybox, "--list"], text=True, capture_output=True, check=True).stdout.split():
        if applet != "busybox":
            image.link(f"/bin/{applet}", "busybox")
    return image

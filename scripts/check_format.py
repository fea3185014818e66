#!/usr/bin/env python3
"""check_format.py [FILE…]: names each place that differs from .clang-format, in these files or in all that git knows."""
# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
files = sys.argv[1:] or subprocess.check_output(["git", "ls-files", "*.cpp", "*.hpp"], cwd=root, text=True).split()
sys.exit(subprocess.run(["clang-format-14", "--dry-run", "-Werror", *files], cwd=root, check=False).returncode)

#!/usr/bin/env python3
"""The script that checks the tree finds what it is there to find."""
# SPDX-License-Identifier: Apache-2.0
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))
import check_layers  # noqa: E402  (found by the line above)

HEAD = ["// A file.", "//", "// SPDX-License-Identifier: Apache-2.0"]


def faults(path: str, *lines: str) -> list[str]:
    return check_layers.faults_in(path, [*HEAD, *lines])


class Includes(unittest.TestCase):
    def expect(self, path: str, included: str, allowed: bool) -> None:
        self.assertEqual(not faults(path, f'#include "{included}"'), allowed, f"{path} includes {included}")

    def test_dependencies_point_one_way(self) -> None:
        for path, included, allowed in (
            ("hypervisor/domain/domain.cpp", "hypervisor/base/result.hpp", True),
            ("hypervisor/domain/domain.cpp", "arch/vcpu.hpp", True),
            ("hypervisor/domain/domain.cpp", "arch/x86/hvm/vlapic.hpp", False),
            ("hypervisor/domain/domain.cpp", "drivers/ioapic.hpp", False),
            ("hypervisor/domain/domain.cpp", "boot/entry/boot_info.hpp", False),
            ("hypervisor/domain/domain.cpp", "toolstack/xl/main.hpp", False),
            ("hypervisor/base/format.cpp", "hypervisor/domain/domain.hpp", False),
            ("hypervisor/abi/xen.hpp", "hypervisor/base/types.hpp", True),
            ("hypervisor/abi/xen.hpp", "hypervisor/base/result.hpp", False),
            ("drivers/ioapic.hpp", "hypervisor/base/result.hpp", True),
            ("drivers/ioapic.hpp", "hypervisor/mm/frame.hpp", False),
            ("boot/entry/pvh.cpp", "hypervisor/abi/start_info.hpp", True),
            ("boot/entry/pvh.cpp", "arch/x86/mm/early_memory.hpp", False),
            ("arch/x86/hvm/vlapic.cpp", "arch/x86/hvm/vlapic.hpp", True),
            ("arch/x86/hvm/vlapic.cpp", "arch/host/tlb.hpp", False),
            ("arch/x86/hvm/vlapic.cpp", "toolstack/xl/main.hpp", False),
            ("libxlcfg/config.cpp", "hypervisor/mm/frame.hpp", False),
            ("toolstack/xl/main.cpp", "libxlcfg/config.hpp", True),
            ("toolstack/xl/main.cpp", "arch/x86/hvm/registers.hpp", False),
            ("tests/unit/x86/fake_machine.hpp", "arch/x86/hvm/backend.hpp", True),
        ):
            self.expect(path, included, allowed)

    def test_other_spellings_count_as_well(self) -> None:
        self.assertTrue(faults("hypervisor/mm/heap.cpp", '  #  include "drivers/pit.hpp"'))
        self.assertFalse(faults("hypervisor/mm/heap.cpp", "#include <drivers>"))


class Architecture(unittest.TestCase):
    def test_generic_code_does_not_ask_for_it(self) -> None:
        for line in ("#ifdef __x86_64__", "#if defined(__aarch64__)", "  # elif __x86_64__", "#ifndef PX_ARCH_X86"):
            self.assertTrue(faults("hypervisor/mm/heap.cpp", line), line)
            self.assertFalse(faults("arch/x86/mm/setup.cpp", line), line)
        self.assertFalse(faults("hypervisor/abi/arch.hpp", "#ifdef __x86_64__"))
        self.assertFalse(faults("hypervisor/mm/heap.cpp", "#ifdef PX_DEBUG_LOCKS"))


class Vendor(unittest.TestCase):
    def test_only_the_back_ends_know_theirs(self) -> None:
        for line in ("if (vcpu.arch.vmx) return vmx::setup();", "svm::Svm& amd = back_end;", '#include "arch/x86/vmx/vmx.hpp"'):
            for path in ("arch/x86/hvm/exits.cpp", "arch/x86/dom0/create.cpp", "arch/x86/domctl/domctl.cpp"):
                self.assertTrue(faults(path, line), line)
            for path in ("arch/x86/vmx/exits.cpp", "arch/x86/hvm/glue.cpp"):
                self.assertFalse(faults(path, line), line)
        self.assertFalse(faults("arch/x86/hvm/exits.cpp", "return value;  // as svm::handle_exit() does", "efer::svme"))


class Form(unittest.TestCase):
    def test_title_and_licence(self) -> None:
        self.assertEqual(check_layers.form_faults("a.cpp", HEAD), [])
        for lines in ([], HEAD[1:], HEAD[:2], [HEAD[0], HEAD[2]], ["#pragma once", *HEAD], [HEAD[0], "", HEAD[2]]):
            self.assertTrue(check_layers.form_faults("a.cpp", lines), lines)

    def test_size(self) -> None:
        self.assertFalse(faults("hypervisor/mm/heap.cpp", *[""] * 796))
        self.assertTrue(faults("hypervisor/mm/heap.cpp", *[""] * 797))


if __name__ == "__main__":
    unittest.main()

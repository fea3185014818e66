// Every sub-operation of every hypercall, known and unknown: bad pointers, missing privilege, no such operation. The answers are the
// reference's (expected.hpp), as a guest and as dom0; what one of the two answers otherwise stands in divergences.txt.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/hypercall-table/expected.hpp"

#include <span>

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/platform.hpp"
#include "hypervisor/abi/sysctl.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constexpr u64 unmapped = 0x7000'0000'0000;

/// "name op", for the check's text.
class Title {
public:
    Title(std::string_view name, unsigned operation) {
        for (char c : name) put(c);
        put(' ');
        if (operation >= 10) put(static_cast<char>('0' + operation / 10));
        put(static_cast<char>('0' + operation % 10));
    }
    std::string_view text() const { return {text_, length_}; }

private:
    void put(char c) {
        if (length_ < sizeof text_) text_[length_++] = c;
    }
    char text_[32];
    usize length_ = 0;
};

/// `operation` with a pointer to nothing wherever this hypercall takes one.
i64 with_bad_pointer(unsigned call, unsigned operation) {
    switch (call) {
    case number::grant_table_op: return hypercall(call, operation, unmapped, 1);
    case number::console_io: return hypercall(call, operation, 5, unmapped);
    case number::vcpu_op: return hypercall(call, operation, 0, unmapped);
    default: return hypercall(call, operation, unmapped, unmapped, unmapped);
    }
}

i64 with_nonsense(unsigned, unsigned call) { return hypercall(call, 0xffff, unmapped, unmapped, unmapped, unmapped); }

template <class Structure>
i64 with_command(unsigned call, unsigned command, u32 version) {
    static constinit Structure structure{};
    structure = {};
    structure.cmd = command;
    structure.interface_version = version;
    return hypercall(call, reinterpret_cast<u64>(&structure));
}
i64 with_command(unsigned call, unsigned command) {
    switch (call) {
    case number::domctl: return with_command<abi::Domctl>(call, command, abi::domctl_interface_version);
    case number::sysctl: return with_command<abi::Sysctl>(call, command, abi::sysctl_interface_version);
    default: return with_command<abi::PlatformOp>(call, command, abi::platform_interface_version);
    }
}

void sweep(std::span<const Expected> table, i64 (*invoke)(unsigned call, unsigned operation)) {
    for (const Expected& row : table) {
        for (unsigned operation = row.first; operation <= row.last; ++operation) {
            const Errno wanted = is_dom0() ? row.dom0 : row.guest;
            const i64 got = invoke(row.number, operation);
            if (check(wanted == none ? got >= 0 : got == minus(wanted), __FILE_NAME__, __LINE__, Title(row.name, operation).text()))
                continue;
            print("    {} {}: got {} wanted {}\n", row.name, operation, got, minus(wanted));
        }
    }
}

/// Whatever the operation, a vCPU that isn't there is noticed first.
void no_such_vcpu() {
    for (unsigned operation = 0; operation < 14; ++operation)
        PX_CHECK_EQ(hypercall(number::vcpu_op, operation, 5000, unmapped), minus(enoent));
}

/// A wrong version is noticed before what is asked, and before who asks.
void wrong_versions() {
    for (const unsigned version : {0u, 1u, 0xffff'ffffu}) {
        PX_CHECK_EQ(with_command<abi::Domctl>(number::domctl, 5, version), minus(eacces));
        PX_CHECK_EQ(with_command<abi::Sysctl>(number::sysctl, 3, version), minus(eacces));
        PX_CHECK_EQ(with_command<abi::PlatformOp>(number::platform_op, 17, version), minus(eacces));
    }
    for (const unsigned call : {number::domctl, number::sysctl, number::platform_op}) PX_CHECK_EQ(hypercall(call, unmapped), minus(efault));
}

}  // namespace

void guest_main() {
    load_interrupt_table();
    PX_PART(sweep(operations, with_bad_pointer));
    PX_PART(sweep(numbers, with_nonsense));
    if (is_dom0()) PX_PART(sweep(commands_of_dom0, with_command));
    else PX_PART(sweep(commands_of_guest, with_command));
    PX_PART(no_such_vcpu());
    PX_PART(wrong_versions());
}

}  // namespace px::guest

// The hypercall table of HVM-style guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/hypercalls.hpp"

#include <cstring>

#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/exits.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {

namespace {

/// A control domain pins the page tables of the PV domains that it builds.
Result<Reply> hypercall_mmuext_op(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(caller.domain.settings.control && pv_kind() != nullptr, enosys);
    return pv_kind()->hypercalls()[abi::hypercall::mmuext_op].handler(caller, args);
}

}  // namespace

constinit const HypercallTable hypercalls = [] {
    namespace number = abi::hypercall;
    HypercallTable table = generic_hypercalls();
    table[number::hvm_op] = {hypercall_hvm_op};
    table[number::mmuext_op] = {hypercall_mmuext_op};
    table[number::physdev_op] = {hypercall_physdev_op};
    table[number::platform_op] = {hypercall_platform_op};
    return table;
}();

bool handle_hypercall(Vcpu& vcpu, unsigned privilege, bool in_64_bit_code) {
    GuestRegisters& regs = vcpu.arch.registers;
    const auto refuse = [&regs](Errno why) {
        regs.rax = static_cast<u64>(-static_cast<i64>(why));
        return true;
    };
    if (privilege != 0) return refuse(Errno::eperm);
    const u64 number = regs.rax;
    if (number >= hypercalls.size() || hypercalls[number].handler == nullptr) return refuse(Errno::enosys);
    // Only 64-bit callers so far: a 32-bit caller's structures have another layout.
    if (!in_64_bit_code) return refuse(Errno::enosys);
    HypercallArgs args{{regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8}};
    const Result<Reply> result = hypercalls[number].handler(vcpu, args);
    if (result.ok() && result.value().again()) {
        regs.rdi = args[0];
        regs.rsi = args[1];
        regs.rdx = args[2];
        regs.r10 = args[3];
        regs.r8 = args[4];
        return false;
    }
    regs.rax = static_cast<u64>(to_register(result));
    return true;
}

void write_hypercall_page(void* page) {
    u8* const bytes = static_cast<u8*>(page);
    std::memset(bytes, 0xcc, page_size);
    const auto call = backend()->hypercall_instruction();
    for (unsigned number = 0; number < page_size / 32; ++number) {
        // mov $number, %eax; the instruction; ret
        const u8 code[] = {0xb8, static_cast<u8>(number), 0, 0, 0, call[0], call[1], call[2], 0xc3};
        std::memcpy(bytes + number * 32, code, sizeof code);
    }
    // iret (23) is no hypercall of HVM guests: ud2
    const u8 undefined[] = {0x0f, 0x0b};
    std::memcpy(bytes + abi::hypercall::iret * 32, undefined, sizeof undefined);
}

}  // namespace px::hvm

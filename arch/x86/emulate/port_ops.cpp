// IN and OUT, and the permission to use ports.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/port_ops.hpp"

#include <algorithm>
#include <array>

#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {
namespace {

constexpr u32 bitmap_base_offset = 102;  ///< in a 32- and 64-bit TSS [amd/apm2 12.2.4]

Step<u16> read_task(Execution& x, u32 offset) {
    const SegmentRegister& task = x.now.task;
    const bool is_tss = (task.type() & ~2u) == 9;  // available or busy, not the 16-bit kind, which has no bitmap
    if (!task.present() || !is_tss || offset + 1 > task.limit) return x.protection_fault();
    std::array<u8, 2> bytes{};
    TRY(x.access.read(task.base + offset, bytes, Intent::system_read));
    return static_cast<u16>(bytes[0] | bytes[1] << 8);
}

}  // namespace

Step<> check_port(Execution& x, u16 port, unsigned size) {
    const unsigned iopl = x.now.rflags >> rflags::iopl_shift & 3;
    if (!x.now.protected_mode() || (x.now.cpl <= iopl && !x.now.virtual_8086())) return {};
    const u32 base = TRY(read_task(x, bitmap_base_offset));
    const unsigned denied = TRY(read_task(x, base + port / 8)) >> port % 8;  // two bytes, as processors read it
    if (denied & ((1u << size) - 1)) return x.protection_fault();
    return {};
}

Step<> port_operation(Execution& x) {
    const unsigned size = std::min(x.byte_or_size(), 4u);
    const u16 port = static_cast<u16>(x.in.opcode & 8 ? x.now.gpr[rdx] : x.in.immediate & 0xff);
    TRY(check_port(x, port, size));
    if (x.in.opcode & 2) return x.access.port_out(port, size, static_cast<u32>(x.gpr(rax, size)));
    x.set_gpr(rax, size, TRY(x.access.port_in(port, size)));
    return {};
}

}  // namespace px::emulate

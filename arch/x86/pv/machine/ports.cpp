// The I/O ports behind a PV domain's port instructions.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/ports.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/exits.hpp"

namespace px::pv {
namespace {

bool is_machines(const Domain& domain, u16 port, unsigned size) {
    const auto* const handled = domain.arch.io_bitmap;
    if (handled == nullptr || u32{port} + size > 0x10000) return false;
    for (u32 i = port; i < u32{port} + size; ++i) {
        if (((*handled)[i / 8] >> i % 8 & 1) != 0) return false;
    }
    return true;
}

}  // namespace

u32 port_in(Vcpu& vcpu, u16 port, unsigned size) {
    if (!is_machines(vcpu.domain, port, size)) return hvm::port_in(vcpu, port, size);
    return size == 1 ? arch::in8(port) : size == 2 ? arch::in16(port) : arch::in32(port);
}

void port_out(Vcpu& vcpu, u16 port, unsigned size, u32 value) {
    if (!is_machines(vcpu.domain, port, size)) return hvm::port_out(vcpu, port, size, value);
    if (size == 1) arch::out8(port, static_cast<u8>(value));
    else if (size == 2) arch::out16(port, static_cast<u16>(value));
    else arch::out32(port, value);
}

}  // namespace px::pv

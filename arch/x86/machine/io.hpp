// I/O on silicon: the providers that drivers take.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/registers.hpp"

namespace px::arch {

struct Ports {
    u8 in8(u16 port) const { return arch::in8(port); }
    u16 in16(u16 port) const { return arch::in16(port); }
    u32 in32(u16 port) const { return arch::in32(port); }
    void out8(u16 port, u8 value) const { arch::out8(port, value); }
    void out16(u16 port, u16 value) const { arch::out16(port, value); }
    void out32(u16 port, u32 value) const { arch::out32(port, value); }
};

/// Device memory that map_physical() made reachable.
class Mmio {
public:
    explicit Mmio(void* base = nullptr) : base_(static_cast<volatile u8*>(base)) {}
    u8 read8(usize offset) const { return base_[offset]; }
    u16 read16(usize offset) const { return *reinterpret_cast<volatile u16*>(base_ + offset); }
    u32 read32(usize offset) const { return *reinterpret_cast<volatile u32*>(base_ + offset); }
    u64 read64(usize offset) const { return *reinterpret_cast<volatile u64*>(base_ + offset); }
    void write8(usize offset, u8 value) const { base_[offset] = value; }
    void write16(usize offset, u16 value) const { *reinterpret_cast<volatile u16*>(base_ + offset) = value; }
    void write32(usize offset, u32 value) const { *reinterpret_cast<volatile u32*>(base_ + offset) = value; }
    void write64(usize offset, u64 value) const { *reinterpret_cast<volatile u64*>(base_ + offset) = value; }

private:
    volatile u8* base_;
};

}  // namespace px::arch

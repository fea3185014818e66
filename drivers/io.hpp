// How a driver reaches its registers: port I/O and memory-mapped I/O, as concepts.
//
// A driver takes its provider as a template argument and keeps it by value, so a provider is a small handle:
// an empty type on silicon (arch/x86), a pointer to a fake in the tests. Each access is exactly one bus
// access of the width in its name, in program order with the other accesses of the same provider.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include "hypervisor/base/types.hpp"

namespace px {

/// The 64 KiB of x86 I/O ports.
template <class T>
concept PortIo = std::copyable<T> && requires(T io, u16 port) {
    { io.in8(port) } -> std::same_as<u8>;
    { io.in16(port) } -> std::same_as<u16>;
    { io.in32(port) } -> std::same_as<u32>;
    io.out8(port, u8{});
    io.out16(port, u16{});
    io.out32(port, u32{});
};

/// One window of device memory; offsets are bytes from its start and naturally aligned. The driver stays
/// within the window size that its own contract states.
template <class T>
concept MmioIo = std::copyable<T> && requires(T io, usize offset) {
    { io.read8(offset) } -> std::same_as<u8>;
    { io.read16(offset) } -> std::same_as<u16>;
    { io.read32(offset) } -> std::same_as<u32>;
    { io.read64(offset) } -> std::same_as<u64>;
    io.write8(offset, u8{});
    io.write16(offset, u16{});
    io.write32(offset, u32{});
    io.write64(offset, u64{});
};

}  // namespace px

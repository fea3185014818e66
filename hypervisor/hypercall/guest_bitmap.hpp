// Sets of CPUs as a toolstack passes them: bit n is bit n % 8 of byte n / 8. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/cpu_mask.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px {

/// Numbers beyond our own are ignored. Errors: efault.
inline Result<CpuMask> read_cpu_mask(const abi::Bitmap& bitmap) {
    std::array<u8, CpuMask::capacity / 8> bytes{};
    const u32 bits = std::min<u32>(bitmap.nr_bits, CpuMask::capacity);
    TRY(GuestPtr<u8>(bitmap.bitmap).read_many(bytes.data(), (bits + 7) / 8));
    CpuMask mask;
    for (u32 cpu = 0; cpu < bits; ++cpu) {
        if ((bytes[cpu / 8] >> cpu % 8 & 1) != 0) mask.add(CpuId{cpu});
    }
    return mask;
}

/// As many bits as there is room for, zeros behind them. Errors: efault.
inline Result<> write_cpu_mask(const abi::Bitmap& bitmap, const CpuMask& mask) {
    std::array<u8, CpuMask::capacity / 8> bytes{};
    for (const CpuId cpu : mask) {
        if (cpu.raw < bitmap.nr_bits) bytes[cpu.raw / 8] = static_cast<u8>(bytes[cpu.raw / 8] | 1u << cpu.raw % 8);
    }
    const u32 wanted = bitmap.nr_bits / 8 + (bitmap.nr_bits % 8 != 0 ? 1 : 0);
    const u32 count = std::min<u32>(wanted, bytes.size());
    TRY(GuestPtr<u8>(bitmap.bitmap).write_many(bytes.data(), count));
    constexpr std::array<u8, 64> zeros{};
    for (u32 at = count; at < wanted && at < 8192; at += zeros.size()) {
        TRY(GuestPtr<u8>(bitmap.bitmap).at(at).write_many(zeros.data(), std::min<usize>(zeros.size(), wanted - at)));
    }
    return {};
}

}  // namespace px

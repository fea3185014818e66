// Sets of CPUs and of NUMA nodes as a toolstack passes them: bit n is bit n % 8 of byte n / 8. [xen/public xen.h]
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
template <usize N>
Result<Bitmap<N>> read_bitmap(const abi::Bitmap& bitmap) {
    static_assert(N % 8 == 0);
    std::array<u8, N / 8> bytes{};
    const u32 bits = std::min<u32>(bitmap.nr_bits, N);
    TRY(GuestPtr<u8>(bitmap.bitmap).read_many(bytes.data(), (bits + 7) / 8));
    Bitmap<N> members;
    for (u32 bit = 0; bit < bits; ++bit) {
        if ((bytes[bit / 8] >> bit % 8 & 1) != 0) members.set(bit);
    }
    return members;
}

/// As many bits as there is room for, zeros behind them. Errors: efault.
template <usize N>
Result<> write_bitmap(const abi::Bitmap& bitmap, const Bitmap<N>& members) {
    std::array<u8, N / 8> bytes{};
    for (const usize bit : members) {
        if (bit < bitmap.nr_bits) bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] | 1u << bit % 8);
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

inline Result<CpuMask> read_cpu_mask(const abi::Bitmap& bitmap) { return CpuMask{TRY(read_bitmap<CpuMask::capacity>(bitmap))}; }
inline Result<> write_cpu_mask(const abi::Bitmap& bitmap, const CpuMask& mask) { return write_bitmap(bitmap, mask.bits()); }

}  // namespace px

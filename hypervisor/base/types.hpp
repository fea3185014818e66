// Strong types for the numbers that a hypervisor must not mix up.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace px {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using usize = std::size_t;

/// Size of a frame: the unit of every memory interface of the ABI, on every architecture.
inline constexpr unsigned page_shift = 12;
inline constexpr usize page_size = usize{1} << page_shift;
inline constexpr u64 page_mask = ~u64{page_size - 1};

/// A number that only converts explicitly. `Tag` makes two numbers of one representation distinct.
template <class Tag, std::unsigned_integral Rep>
struct Strong {
    using rep = Rep;
    Rep raw{};

    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : raw(value) {}
    friend constexpr auto operator<=>(Strong, Strong) = default;

    /// Distance arithmetic: number ± count is a number of the same kind.
    constexpr Strong operator+(Rep count) const { return Strong{static_cast<Rep>(raw + count)}; }
    constexpr Strong operator-(Rep count) const { return Strong{static_cast<Rep>(raw - count)}; }
    constexpr Rep operator-(Strong other) const { return static_cast<Rep>(raw - other.raw); }
    constexpr Strong& operator+=(Rep count) {
        raw = static_cast<Rep>(raw + count);
        return *this;
    }
    constexpr Strong& operator++() {
        ++raw;
        return *this;
    }
};

using Mfn = Strong<struct MfnTag, u64>;            ///< machine frame number
using Gfn = Strong<struct GfnTag, u64>;            ///< guest frame number
using Paddr = Strong<struct PaddrTag, u64>;        ///< machine physical address, bytes
using Gpaddr = Strong<struct GpaddrTag, u64>;      ///< guest physical address, bytes
using DomId = Strong<struct DomIdTag, u16>;        ///< domain; values ≥ 0x7ff0 are special [xen/public xen.h]
using VcpuId = Strong<struct VcpuIdTag, u32>;      ///< vCPU within its domain
using CpuId = Strong<struct CpuIdTag, u32>;        ///< logical number of a physical CPU, dense from 0
using EvtPort = Strong<struct EvtPortTag, u32>;    ///< event channel port within its domain
using GrantRef = Strong<struct GrantRefTag, u32>;  ///< index into a domain's grant table

inline constexpr Mfn invalid_mfn{~u64{0}};
inline constexpr Gfn invalid_gfn{~u64{0}};

constexpr Paddr to_paddr(Mfn mfn) { return Paddr{mfn.raw << page_shift}; }
constexpr Mfn to_mfn(Paddr address) { return Mfn{address.raw >> page_shift}; }
constexpr Gpaddr to_gpaddr(Gfn gfn) { return Gpaddr{gfn.raw << page_shift}; }
constexpr Gfn to_gfn(Gpaddr address) { return Gfn{address.raw >> page_shift}; }

/// `alignment` must be a power of two.
template <std::unsigned_integral T>
constexpr T align_down(T value, T alignment) {
    return value & ~(alignment - 1);
}
template <std::unsigned_integral T>
constexpr T align_up(T value, T alignment) {
    return align_down<T>(value + alignment - 1, alignment);
}

}  // namespace px

template <class Tag, class Rep>
struct std::hash<px::Strong<Tag, Rep>> {
    std::size_t operator()(px::Strong<Tag, Rep> value) const noexcept { return std::hash<Rep>{}(value.raw); }
};

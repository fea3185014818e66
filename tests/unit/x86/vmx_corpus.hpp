// Capability MSRs of real processors, and of one emulator.
//
// Values are figures that owners published (reports of MSRs 480h…490h); where only the list of a processor's controls is
// public, `composed` says so, and the values are built from it on the fixed bits of its time.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "arch/x86/vmx/capabilities.hpp"

namespace px::vmx {

struct Specimen {
    std::string_view name;
    bool composed;
    CapabilityMsrs msrs;
    std::string_view refused = {};  ///< a part of the sentence that says why; empty: usable
};

constexpr u64 may(u32 bits) { return u64{bits} << 32; }

/// The exit and entry controls, and the rest, of processors since Westmere.
constexpr CapabilityMsrs modern(u32 pin_bits, u32 secondary_bits, u64 ept_vpid, u64 exit = 0x01ffffff'00036dff,
                                u64 entry = 0x0003ffff'000011ff) {
    return {.basic = 0x00da0400'00000004,
            .pin = may(pin_bits) | 0x16,
            .primary = 0xfff9fffe'0401e172,
            .exit = exit,
            .entry = entry,
            .misc = 0x7004c1e7,
            .cr0_fixed0 = 0x80000021,
            .cr0_fixed1 = 0xffffffff,
            .cr4_fixed0 = 0x2000,
            .cr4_fixed1 = 0x3767ff,
            .vmcs_enum = 0x2e,
            .secondary = may(secondary_bits),
            .ept_vpid = ept_vpid,
            .true_pin = may(pin_bits) | 0x16,
            .true_primary = 0xfff9fffe'04006172,
            .true_exit = exit & ~u64{4},
            .true_entry = entry & ~u64{4}};
}

inline constexpr std::array corpus{
    Specimen{"Core 2 Duo (Merom)",
             false,
             {.basic = 0x001a0400'00000007,
              .pin = 0x0000001f'00000016,
              .primary = 0x77b9fffe'0401e172,
              .exit = 0x0003efff'00036dff,
              .entry = 0x00001fff'000011ff,
              .misc = 0x000403c0,
              .cr0_fixed0 = 0x80000021,
              .cr0_fixed1 = 0xffffffff,
              .cr4_fixed0 = 0x2000,
              .cr4_fixed1 = 0x27ff,
              .vmcs_enum = 0x2c,
              .secondary = 0,
              .ept_vpid = 0,
              .true_pin = 0,
              .true_primary = 0,
              .true_exit = 0,
              .true_entry = 0},
             "EPT"},
    Specimen{"Nehalem", true, modern(0x7f, 0x7f, 0xf01'06114141, 0x003fffff'00036dff, 0x0000ffff'000011ff), "unrestricted guest"},
    Specimen{"Core i7-3960X (Sandy Bridge-E)",
             false,
             {.basic = 0x00da0400'00000010,
              .pin = 0x0000007f'00000016,
              .primary = 0xfff9fffe'0401e172,
              .exit = 0x007fffff'00036dff,
              .entry = 0x0000ffff'000011ff,
              .misc = 0x100401e5,
              .cr0_fixed0 = 0x80000021,
              .cr0_fixed1 = 0xffffffff,
              .cr4_fixed0 = 0x2000,
              .cr4_fixed1 = 0x1767ff,
              .vmcs_enum = 0x2a,
              .secondary = 0x000008ff'00000000,
              .ept_vpid = 0xf01'06114141,
              .true_pin = 0x0000007f'00000016,
              .true_primary = 0xfff9fffe'04006172,
              .true_exit = 0x007fffff'00036dfb,
              .true_entry = 0x0000ffff'000011fb}},
    Specimen{"Pentium N3530 (Silvermont)",
             false,
             {.basic = 0x00da0400'00000002,
              .pin = 0x0000007f'00000016,
              .primary = 0xfff9fffe'0401e172,
              .exit = 0x007fffff'00036dff,
              .entry = 0x0000ffff'000011ff,
              .misc = 0x000481e6,
              .cr0_fixed0 = 0x80000021,
              .cr0_fixed1 = 0xffffffff,
              .cr4_fixed0 = 0x2000,
              .cr4_fixed1 = 0x1027ff,
              .vmcs_enum = 0x2e,
              .secondary = 0x000028ef'00000000,
              .ept_vpid = 0xf01'06114141,
              .true_pin = 0x0000007f'00000016,
              .true_primary = 0xfff9fffe'04006172,
              .true_exit = 0x007fffff'00036dfb,
              .true_entry = 0x0000ffff'000011fb}},
    Specimen{"Ivy Bridge-EP", true, modern(0xff, 0x3fff, 0xf01'06134141, 0x007fffff'00036dff, 0x0000ffff'000011ff)},
    Specimen{"Skylake-SP", true, modern(0xff, 0x021bffff, 0xf01'06734141)},
    Specimen{"Ice Lake-SP", true, modern(0xff, 0x071bffff, 0xf01'06f34141)},
    Specimen{"Sapphire Rapids", true, modern(0xff, 0x5f5fffff, 0xf01'06f34141)},
    // A guest hypervisor's view under another one: no INVVPID of a single context, no preemption timer.
    Specimen{"nested, few abilities", true, modern(0x3f, 0x000000a2, 0x06114141)},
    Specimen{"INVEPT is missing", true, modern(0x7f, 0x8ff, 0x00014141), "INVEPT"},
    Specimen{"uncached tables only", true, modern(0x7f, 0x8ff, 0xf01'06110141), "shape"},
    Specimen{"no virtual NMIs", true, modern(0x1f, 0x8ff, 0xf01'06114141), "virtual NMIs"},
    Specimen{"no switch of EFER", true, modern(0x7f, 0x8ff, 0xf01'06114141, 0x000fffff'00036dff), "PAT and EFER"},
};

}  // namespace px::vmx

// Walks of a guest's page tables, in every mode of paging, and copies through them.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/guest_walk.hpp"

#include <random>

#include "arch/guest_memory.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

constexpr u64 present = 1, writable = 2, user = 4, accessed = 32, dirty = 64, large = 128, no_execute = u64{1} << 63;
constexpr u64 all = present | writable | user;

class GuestWalk : public X86World {
protected:
    GuestWalk() : domain_(make_domain(1)), vcpu_(*domain_.vcpu(VcpuId{0})) {
        vcpu_.arch.control.cr0 = arch::cr0::pe | arch::cr0::wp;
        domain_.arch.paging = {48, true};
    }

    /// Guest frames 1 … 4 hold tables, the rest of 0 … 63 is RAM.
    void paging(u64 cr4, u64 efer) {
        vcpu_.arch.control.cr0 |= arch::cr0::pg;
        vcpu_.arch.control.cr4 = cr4;
        vcpu_.arch.control.efer = efer;
        vcpu_.arch.control.cr3 = 0x1000;
    }
    void long_mode() { paging(arch::cr4::pae, arch::efer::lme | arch::efer::lma | arch::efer::nxe); }
    u64& entry(u64 frame, u64 index) { return page<u64>(domain_, Gfn{frame})[index]; }
    u32& entry32(u64 frame, u64 index) { return page<u32>(domain_, Gfn{frame})[index]; }
    /// Four levels in frames 1 … 4 for `linear`; returns the leaf.
    u64& map(u64 linear, u64 target, u64 bits = all) {
        for (u64 level = 3; level > 0; --level) entry(4 - level, linear >> (12 + 9 * level) & 511) = (5 - level) << 12 | all;
        return entry(4, linear >> 12 & 511) = target | bits;
    }
    Result<Gpaddr, TranslationFault> walk(u64 linear, u32 access = 0) { return translate(vcpu_, linear, access); }
    u64 reached(u64 linear, u32 access = 0) {
        const auto address = walk(linear, access);
        return address ? address->raw : ~u64{0};
    }
    static constexpr u32 nothing = ~u32{0};
    u32 fault(u64 linear, u32 access = 0) {
        const auto address = walk(linear, access);
        return address ? nothing : address.error().code;
    }
    Domain& domain_;
    Vcpu& vcpu_;
};

TEST_F(GuestWalk, WithoutPagingAddressesAre32BitsWide) {
    EXPECT_EQ(reached(0x1234'5678), 0x1234'5678u);
    EXPECT_EQ(reached(0x1'0000'1000), 0x1000u);
}

TEST_F(GuestWalk, TwoLevels) {
    paging(arch::cr4::pse, 0);
    entry32(1, 3) = 0x2000 | all;
    entry32(2, 5) = 0x7000 | all;
    EXPECT_EQ(reached(3u << 22 | 5u << 12 | 0x123), 0x7123u);
    EXPECT_EQ(fault(3u << 22 | 6u << 12), 0u);
    EXPECT_EQ(fault(4u << 22), 0u);
    entry32(1, 4) = 0x0140'0000 | all | large;
    EXPECT_EQ(reached(4u << 22 | 0x12'3456), 0x0152'3456u);
    entry32(1, 4) = 0x0140'0000 | 0xab << 13 | all | large;
    EXPECT_EQ(reached(4u << 22 | 0x12'3456), u64{0xab} << 32 | 0x0152'3456u) << "36-bit page size extension";
    EXPECT_EQ(reached(u64{7} << 32 | 3u << 22 | 5u << 12), 0x7000u) << "no linear address above 4 GiB";
}
TEST_F(GuestWalk, TwoLevelsWithoutLargePages) {
    paging(0, 0);
    entry32(1, 3) = 0x2000 | all | large;
    entry32(2, 5) = 0x7000 | all;
    EXPECT_EQ(reached(3u << 22 | 5u << 12), 0x7000u) << "the bit means nothing";
}

TEST_F(GuestWalk, ThreeLevels) {
    paging(arch::cr4::pae, arch::efer::nxe);
    vcpu_.arch.control.cr3 = 0x1fe0;  // four entries, 32-byte aligned
    const u64 root = 0xfe0 / 8;
    entry(1, root + 2) = 0x2000 | present;  // no rights there
    entry(2, 7) = 0x3000 | all;
    entry(3, 9) = 0x7000 | all;
    const u64 linear = u64{2} << 30 | 7u << 21 | 9u << 12;
    EXPECT_EQ(reached(linear | 0x123, fault_code::user | fault_code::write), 0x7123u);
    EXPECT_EQ(reached(u64{1} << 32 | linear), 0x7000u) << "no linear address above 4 GiB";
    EXPECT_EQ(entry(1, root + 2), 0x2000 | present) << "the root has no accessed bit";
    entry(2, 8) = 0xa0'0000 | all | large | no_execute;
    EXPECT_EQ(reached(u64{2} << 30 | 8u << 21 | 0x1'2345), 0xa1'2345u);
    EXPECT_EQ(fault(u64{2} << 30 | 8u << 21, fault_code::fetch), fault_code::present | fault_code::fetch);
    EXPECT_EQ(fault(u64{3} << 30), 0u);
}

TEST_F(GuestWalk, FourLevels) {
    long_mode();
    constexpr u64 linear = 0xffff'8123'4567'8000;
    map(linear, 0x7000);
    EXPECT_EQ(reached(linear | 0xabc), 0x7abcu);
    // 2 MiB and 1 GiB; the PAT bit (12) is no part of the address.
    entry(3, linear >> 21 & 511) = 0x4020'0000 | 1u << 12 | all | large;
    EXPECT_EQ(reached(linear), 0x4020'0000 | (linear & 0x1f'ffff));
    entry(2, linear >> 30 & 511) = 0x8000'0000 | 1u << 12 | all | large;
    EXPECT_EQ(reached(linear), 0x8000'0000 | (linear & 0x3fff'ffff));
}

TEST_F(GuestWalk, NonCanonicalAddressesLeadNowhere) {
    long_mode();
    map(0, 0x7000);
    EXPECT_EQ(reached(0), 0x7000u);
    for (const u64 linear : {u64{1} << 48, u64{1} << 63, 0xffff'0000'0000'0000u, 0x7fff'0000'0000'0000u}) {
        EXPECT_NE(fault(linear), nothing) << std::hex << linear;
    }
}

TEST_F(GuestWalk, RightsAreThoseOfAllLevels) {
    std::mt19937 random(9);
    constexpr u64 linear = 0x7f12'3456'7000;
    for (unsigned round = 0; round < 20000; ++round) {
        const bool protect = random() % 2 == 0, nx_on = random() % 2 == 0;
        vcpu_.arch.control.cr0 = arch::cr0::pe | (protect ? arch::cr0::wp : 0);
        long_mode();
        if (!nx_on) vcpu_.arch.control.efer &= ~arch::efer::nxe;
        const bool huge = random() % 4 == 0;
        map(linear, 0x7000);
        u64* levels[] = {&entry(1, linear >> 39 & 511), &entry(2, linear >> 30 & 511), &entry(3, linear >> 21 & 511),
                         &entry(4, linear >> 12 & 511)};
        bool may_write = true, may_use = true, may_fetch = true, there = true;
        const usize last = huge ? 2 : 3;
        if (huge) *levels[2] = 0x20'0000 | all | large;
        std::array<u64, 4> before{};
        for (usize i = 0; i <= last; ++i) {
            *levels[i] &= ~(accessed | dirty);
            if (random() % 8 == 0) *levels[i] &= ~writable, may_write = false;
            if (random() % 8 == 0) *levels[i] &= ~user, may_use = false;
            if (nx_on && random() % 8 == 0) *levels[i] |= no_execute, may_fetch = false;
            if (random() % 32 == 0) *levels[i] &= ~present, there = false;
            before[i] = *levels[i];
        }
        const u32 access = (random() % 2 == 0 ? fault_code::write : 0) | (random() % 2 == 0 ? fault_code::user : 0) |
                           (random() % 4 == 0 ? fault_code::fetch : 0);
        const bool as_user = (access & fault_code::user) != 0;
        const bool allowed = there && (may_use || !as_user) && (may_fetch || (access & fault_code::fetch) == 0) &&
                             (may_write || (access & fault_code::write) == 0 || (!as_user && !protect));
        const u32 code = fault(linear, access);
        if (allowed) {
            ASSERT_EQ(code, nothing) << "access " << access;
            for (usize i = 0; i <= last; ++i) {
                const bool wrote = i == last && (access & fault_code::write) != 0;
                ASSERT_EQ(*levels[i], before[i] | accessed | (wrote ? dirty : 0)) << "level " << i;
            }
        } else {
            const u32 said = nx_on ? access : access & ~fault_code::fetch;
            ASSERT_EQ(code, said | (there ? fault_code::present : 0)) << "access " << access;
            ASSERT_EQ(*levels[last], before[last]) << "a refused access leaves no trace in the leaf";
        }
    }
}

TEST_F(GuestWalk, SupervisorsStayOutOfUserPages) {
    long_mode();
    constexpr u64 user_page = 0x40'0000, kernel_page = 0x40'1000, ac = 1u << 18;
    map(user_page, 0x7000);
    map(kernel_page, 0x8000, present | writable);
    const auto set = [&](u64 features, u64 rflags) {
        vcpu_.arch.control.cr4 = arch::cr4::pae | features;
        vcpu_.arch.registers.rflags = rflags;
    };
    constexpr u32 denied = fault_code::present;
    set(0, 0);
    EXPECT_EQ(fault(user_page, fault_code::fetch), nothing);
    EXPECT_EQ(fault(user_page, fault_code::implicit), nothing);
    set(arch::cr4::smep, ac);
    EXPECT_EQ(fault(user_page, fault_code::fetch), denied | fault_code::fetch);
    EXPECT_EQ(fault(user_page, fault_code::fetch | fault_code::user), nothing);
    EXPECT_EQ(fault(user_page), nothing) << "data isn't SMEP's";
    EXPECT_EQ(fault(kernel_page, fault_code::fetch), nothing);
    set(arch::cr4::smap, 0);
    EXPECT_EQ(fault(user_page), denied);
    EXPECT_EQ(fault(user_page, fault_code::write), denied | fault_code::write);
    EXPECT_EQ(fault(user_page, fault_code::fetch), nothing) << "a fetch isn't SMAP's";
    EXPECT_EQ(fault(user_page, fault_code::user), nothing);
    EXPECT_EQ(fault(kernel_page, fault_code::write), nothing);
    set(arch::cr4::smap, ac);
    EXPECT_EQ(fault(user_page, fault_code::write), nothing) << "STAC";
    EXPECT_EQ(fault(user_page, fault_code::implicit), denied) << "and yet no descriptor table of a user's";
    EXPECT_EQ(fault(kernel_page, fault_code::implicit), nothing);
    // Hypercalls read and write with the rights of the caller.
    arch::host_become_vcpu(&vcpu_);
    u64 value = 0;
    EXPECT_TRUE(arch::copy_from_guest(&value, user_page, 8).ok());
    set(arch::cr4::smap, 0);
    EXPECT_EQ(arch::copy_from_guest(&value, user_page, 8).error(), Errno::efault);
    EXPECT_EQ(arch::copy_to_guest(user_page, &value, 8).error(), Errno::efault);
    EXPECT_TRUE(arch::copy_to_guest(kernel_page, &value, 8).ok());
    arch::host_become_vcpu(nullptr);
}

TEST_F(GuestWalk, ReservedBitsFault) {
    constexpr u32 reserved = fault_code::present | fault_code::reserved;
    constexpr u64 linear = 0x40'0000;
    domain_.arch.paging = {40, true};
    long_mode();
    u64& leaf = map(linear, 0x7000);
    u64* const levels[] = {&leaf, &entry(3, linear >> 21 & 511), &entry(2, 0), &entry(1, 0)};
    for (unsigned bit = 12; bit < 64; ++bit) {
        const u64 mask = u64{1} << bit;
        for (u64* const at : levels) {
            const u64 before = std::exchange(*at, *at | mask);
            const u32 code = fault(linear);
            EXPECT_EQ(code == reserved, bit >= 40 && bit < 52) << bit;
            EXPECT_TRUE(bit < 52 || code == nothing) << bit << ": ignored, or no-execute";
            *at = before;
        }
    }
    EXPECT_EQ(fault(linear), nothing);
    entry(1, 0) |= large;
    EXPECT_EQ(fault(linear), reserved) << "no pages of 512 GiB";
    entry(1, 0) &= ~large;
    vcpu_.arch.control.efer &= ~arch::efer::nxe;
    leaf |= no_execute;
    EXPECT_EQ(fault(linear, fault_code::write), reserved | fault_code::write);
    leaf &= ~no_execute;
    // Large pages: 2 MiB have bits 13…20 free of meaning, 1 GiB 13…29; bit 12 is the PAT's.
    entry(3, linear >> 21 & 511) = 0x4020'0000 | 1u << 12 | all | large;
    EXPECT_EQ(fault(linear), nothing);
    entry(3, linear >> 21 & 511) |= 1u << 20;
    EXPECT_EQ(fault(linear), reserved);
    entry(2, 0) = 0x8000'0000 | 1u << 12 | all | large;
    EXPECT_EQ(fault(linear), nothing);
    domain_.arch.paging.gigabyte_pages = false;
    EXPECT_EQ(fault(linear), reserved) << "a processor without such pages";
    domain_.arch.paging.gigabyte_pages = true;
    entry(2, 0) |= 1u << 29;
    EXPECT_EQ(fault(linear), reserved);
}

TEST_F(GuestWalk, ReservedBitsOfTheOlderModes) {
    constexpr u32 reserved = fault_code::present | fault_code::reserved;
    paging(arch::cr4::pse, 0);
    entry32(1, 4) = 0x0140'0000 | all | large;
    EXPECT_EQ(fault(4u << 22), nothing);
    entry32(1, 4) |= 1u << 21;
    EXPECT_EQ(fault(4u << 22), reserved);
    paging(arch::cr4::pae, arch::efer::nxe);
    entry(1, 0) = 0x2000 | present;
    entry(2, 0) = 0x3000 | all;
    entry(3, 0) = 0x7000 | all | no_execute;
    EXPECT_EQ(fault(0), nothing);
    for (const u64 bad : {u64{2}, u64{4}, u64{0x20}, u64{0x100}, no_execute, u64{1} << 52}) {
        entry(1, 0) = 0x2000 | present | bad;
        EXPECT_EQ(fault(0), reserved) << std::hex << bad;
    }
    entry(1, 0) = 0x2000 | present;
    for (const unsigned bit : {48u, 52u, 62u}) {
        entry(3, 0) = 0x7000 | all | u64{1} << bit;
        EXPECT_EQ(fault(0), reserved) << "these modes ignore none: " << bit;
    }
}

TEST_F(GuestWalk, TablesOutsideOfRamLeadNowhere) {
    long_mode();
    constexpr u64 linear = 0x40'0000;
    map(linear, 0x7000);
    for (const u64 nowhere : {u64{64} << 12, u64{1} << 40, u64{1} << 48, u64{0x000f'ffff'ffff'f000}}) {
        entry(1, 0) = nowhere | all;
        EXPECT_NE(fault(linear), nothing) << std::hex << nowhere;
        vcpu_.arch.control.cr3 = nowhere;
        EXPECT_NE(fault(linear), nothing);
        vcpu_.arch.control.cr3 = 0x1000;
        entry(1, 0) = 0x2000 | all;
    }
}

TEST_F(GuestWalk, RandomTablesHarmNobody) {
    std::mt19937_64 random(10);
    for (unsigned round = 0; round < 300; ++round) {
        for (u64 frame = 1; frame <= 8; ++frame) {
            for (u64 i = 0; i < 512; ++i) {
                u64 value = random();
                if (random() % 2 == 0) value = (random() % 9) << 12 | (random() & 0xfff) | present;
                entry(frame, i) = value;
            }
        }
        constexpr u64 modes[][2] = {{0, 0},
                                    {arch::cr4::pse, 0},
                                    {arch::cr4::pae, 0},
                                    {arch::cr4::pae, arch::efer::nxe},
                                    {arch::cr4::pae, arch::efer::lme | arch::efer::lma | arch::efer::nxe}};
        const auto& mode = modes[random() % 5];
        paging(mode[0], mode[1]);
        vcpu_.arch.control.cr3 = random() % 4 == 0 ? random() : (random() % 9) << 12 | (random() & 0xfe0);
        for (unsigned i = 0; i < 200; ++i) {
            u64 linear = random() >> random() % 64;
            if (random() % 2 == 0) linear = ~linear;
            u8 bytes[64];
            (void)walk(linear, static_cast<u32>(random()) & 0x1e).ok();
            (void)copy_linear(vcpu_, linear, bytes, random() % 2 == 0 ? CopyDirection::from_guest : CopyDirection::to_guest,
                              static_cast<u32>(random()) & 0x16)
                .ok();
        }
    }
}

class GuestCopy : public GuestWalk {
protected:
    GuestCopy() {
        long_mode();
        // Three linear pages, backed out of order; the fourth is missing.
        const u64 frames[] = {20, 10, 30};
        for (u64 i = 0; i < 3; ++i) map(base + i * page_size, frames[i] << 12);
    }
    static constexpr u64 base = 0xffff'8880'0000'0000;
};

TEST_F(GuestCopy, GoesPageByPage) {
    std::vector<u8> data(2 * page_size);
    for (usize i = 0; i < data.size(); ++i) data[i] = static_cast<u8>(i * 7);
    ASSERT_TRUE(copy_linear(vcpu_, base + 0x800, data, CopyDirection::to_guest, fault_code::write).ok());
    EXPECT_EQ(page(domain_, Gfn{20})[0x800], data[0]);
    EXPECT_EQ(page(domain_, Gfn{10})[0], data[0x800]);
    EXPECT_EQ(page(domain_, Gfn{30})[0x7ff], data[0x17ff]);
    std::vector<u8> back(data.size());
    ASSERT_TRUE(copy_linear(vcpu_, base + 0x800, back, CopyDirection::from_guest, 0).ok());
    EXPECT_EQ(back, data);
}
TEST_F(GuestCopy, SaysWhichPageFailed) {
    u8 bytes[32];
    const auto result = copy_linear(vcpu_, base + 3 * page_size - 16, bytes, CopyDirection::to_guest, fault_code::write);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().linear, base + 3 * page_size);
    EXPECT_EQ(result.error().code, fault_code::write);
    EXPECT_FALSE(result.error().no_memory);
}
TEST_F(GuestCopy, SaysWhereNoRamStands) {
    map(base + page_size, 0xfee0'0000);
    u8 bytes[4];
    const auto result = copy_linear(vcpu_, base + page_size + 0x20, bytes, CopyDirection::from_guest, 0);
    ASSERT_FALSE(result.ok());
    EXPECT_TRUE(result.error().no_memory);
    EXPECT_EQ(result.error().address.raw, 0xfee0'0020u);
}
TEST_F(GuestCopy, ReadOnlyMemoryIsNotWritten) {
    ASSERT_TRUE(domain_.physmap.change_type(Gfn{10}, GfnType::ram_read_only).ok());
    page(domain_, Gfn{10})[0] = 0x77;
    u8 byte = 0;
    EXPECT_TRUE(copy_linear(vcpu_, base + page_size, {&byte, 1}, CopyDirection::from_guest, 0).ok());
    EXPECT_EQ(byte, 0x77);
    EXPECT_FALSE(copy_linear(vcpu_, base + page_size, {&byte, 1}, CopyDirection::to_guest, fault_code::write).ok());
    EXPECT_EQ(copy_physical(vcpu_, Gpaddr{10 << 12}, {&byte, 1}, CopyDirection::to_guest).error(), Errno::efault);
}
TEST_F(GuestCopy, PhysicalCopiesStayInRam) {
    u8 bytes[16];
    EXPECT_TRUE(copy_physical(vcpu_, Gpaddr{(64u << 12) - 16}, bytes, CopyDirection::from_guest).ok());
    EXPECT_EQ(copy_physical(vcpu_, Gpaddr{(64u << 12) - 8}, bytes, CopyDirection::from_guest).error(), Errno::efault);
    for (const u64 address : {u64{1} << 48, u64{1} << 51, ~u64{0} - 7}) {
        EXPECT_EQ(copy_physical(vcpu_, Gpaddr{address}, bytes, CopyDirection::from_guest).error(), Errno::efault) << std::hex << address;
    }
}
TEST_F(GuestCopy, HypercallArgumentsGoThroughTheCurrentVcpu) {
    arch::host_become_vcpu(&vcpu_);
    u64 value = 0x1122'3344'5566'7788;
    EXPECT_TRUE(arch::copy_to_guest(base + page_size - 4, &value, 8).ok());
    u64 back = 0;
    EXPECT_TRUE(arch::copy_from_guest(&back, base + page_size - 4, 8).ok());
    EXPECT_EQ(back, value);
    EXPECT_EQ(arch::copy_from_guest(&back, base + 3 * page_size - 4, 8).error(), Errno::efault);
    EXPECT_EQ(arch::copy_from_guest(&back, u64{1} << 48, 8).error(), Errno::efault);
    EXPECT_EQ(arch::copy_to_guest(~u64{0} - 3, &value, 8).error(), Errno::efault) << "around the end of the address space";
    arch::host_become_vcpu(nullptr);
}

}  // namespace
}  // namespace px::hvm

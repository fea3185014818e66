// Which MSR accesses of a guest exit.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>

#include "arch/x86/svm/features.hpp"
#include "arch/x86/svm/vcpu_svm.hpp"

namespace px::svm {
namespace {

usize set_bits(const MsrBitmap& map) {
    usize count = 0;
    for (const u8 byte : map.bits) count += static_cast<usize>(std::popcount(byte));
    return count;
}

// [amd/apm2 15.11]: byte 0, 800h, 1000h begin the three ranges; read is the lower bit of the pair.
TEST(MsrBitmap, BitsLieWhereTheHardwareLooks) {
    EXPECT_EQ(MsrBitmap::bit_of(0), 0);
    EXPECT_EQ(MsrBitmap::bit_of(0x1fff), 0x800 * 8 - 2);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0000000), 0x800 * 8);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0001fff), 0x1000 * 8 - 2);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0010000), 0x1000 * 8);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0011fff), 0x1800 * 8 - 2);
}
TEST(MsrBitmap, OthersHaveNone) {
    for (const u32 index : {0x2000u, 0x40000000u, 0xbfffffffu, 0xc0002000u, 0xc000ffffu, 0xc0012000u, ~0u}) {
        EXPECT_EQ(MsrBitmap::bit_of(index), -1) << std::hex << index;
        MsrBitmap map;
        map.bits.fill(0xff);
        map.set(index, false, false);
        EXPECT_EQ(set_bits(map), 8192u * 8) << "nothing may change";
    }
}
TEST(MsrBitmap, SetChangesOnlyItsPair) {
    for (const u32 index : {0u, 1u, 3u, 0x1fffu, 0xc0000080u, 0xc0000081u, 0xc0011fffu}) {
        for (const bool read : {false, true}) {
            for (const bool write : {false, true}) {
                MsrBitmap map;
                map.bits.fill(0xff);
                map.set(index, read, write);
                const auto bit = static_cast<usize>(MsrBitmap::bit_of(index));
                EXPECT_EQ(map.bits[bit / 8] >> (bit % 8) & 1, read);
                EXPECT_EQ(map.bits[(bit + 1) / 8] >> ((bit + 1) % 8) & 1, write);
                EXPECT_EQ(set_bits(map), 8192u * 8 - !read - !write);
            }
        }
    }
}

TEST(SvmFeatures, AreDecodedFromTheirBits) {
    EXPECT_FALSE(Features::decode(0, 0, 0).nested_paging);
    const Features rome = Features::decode(0x8000, 0x119b9cff, 0x2fd3fbff);
    EXPECT_TRUE(rome.nested_paging && rome.next_rip && rome.clean_bits && rome.flush_by_asid && rome.decode_assists);
    EXPECT_TRUE(rome.virtual_gif && rome.pause_filter);
    EXPECT_EQ(rome.asids, 0x8000u);
    // Each field follows one bit and no other.
    const std::pair<unsigned, bool Features::*> fields[] = {
        {0, &Features::nested_paging},  {3, &Features::next_rip},      {5, &Features::clean_bits},  {6, &Features::flush_by_asid},
        {7, &Features::decode_assists}, {10, &Features::pause_filter}, {16, &Features::virtual_gif}};
    for (unsigned bit = 0; bit < 32; ++bit) {
        for (const auto& [number, field] : fields) EXPECT_EQ(Features::decode(0, 1u << bit, 0).*field, bit == number) << bit;
    }
}

}  // namespace
}  // namespace px::svm

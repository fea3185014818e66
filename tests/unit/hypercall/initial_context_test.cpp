// VCPUOP_initialise: which states are accepted.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/initial_context.hpp"

#include <gtest/gtest.h>

namespace px::hvm {
namespace {

using abi::x86::VcpuHvmContext;
constexpr u64 efer_valid = 0xd01, cr4_valid = 0x7ff;

VcpuHvmContext flat_32() {
    VcpuHvmContext context{};
    auto& regs = context.cpu_regs.x86_32;
    regs.eip = 0x100000;
    regs.cr0 = 1;
    regs.cs_limit = regs.ds_limit = regs.ss_limit = regs.es_limit = ~u32{0};
    regs.tr_limit = 0x67;
    regs.cs_ar = 0xc9b;
    regs.ds_ar = regs.ss_ar = regs.es_ar = 0xc93;
    regs.tr_ar = 0x8b;
    return context;
}
VcpuHvmContext flat_64() {
    VcpuHvmContext context{};
    context.mode = 1;
    auto& regs = context.cpu_regs.x86_64;
    regs.rip = 0xffffffff80000000;
    regs.cr0 = 0x80000001;
    regs.cr3 = 0x1000;
    regs.cr4 = 0x20;
    regs.efer = 0x100;
    return context;
}
bool accepted(const VcpuHvmContext& context) { return check_initial_context(context, efer_valid, cr4_valid).ok(); }

TEST(InitialContext, Accepted) {
    const auto small = check_initial_context(flat_32(), efer_valid, cr4_valid);
    ASSERT_TRUE(small.ok());
    EXPECT_EQ(small->registers.rip, 0x100000u);
    EXPECT_EQ(small->registers.rflags, 2u);
    EXPECT_EQ(small->cs.attributes, 0xc9b);
    const auto large = check_initial_context(flat_64(), efer_valid, cr4_valid);
    ASSERT_TRUE(large.ok());
    EXPECT_EQ(large->control.efer, 0x500u);  // active as well
    EXPECT_EQ(large->cs.attributes, 0xa9b);
}

TEST(InitialContext, Refused32) {
    const auto refused = [](auto change) {
        VcpuHvmContext context = flat_32();
        change(context.cpu_regs.x86_32);
        return !accepted(context);
    };
    using Regs = abi::x86::VcpuHvmX86_32;
    EXPECT_TRUE(refused([](Regs& r) { r.pad1 = 1; }));
    EXPECT_TRUE(refused([](Regs& r) { r.pad2[2] = 1; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cs_ar = 0; }));
    EXPECT_FALSE(refused([](Regs& r) { r.ds_ar = 0; }));  // a null selector is fine there
    EXPECT_TRUE(refused([](Regs& r) { r.cs_ar = 0xc93; }));
    EXPECT_TRUE(refused([](Regs& r) { r.ss_ar = 0xc9b; }));
    EXPECT_TRUE(refused([](Regs& r) { r.ds_ar = 0xc99; }));  // code that can't be read
    EXPECT_TRUE(refused([](Regs& r) { r.tr_ar = 0xc93; }));
    EXPECT_TRUE(refused([](Regs& r) { r.tr_ar = 0x81; }));   // a 16-bit TSS
    EXPECT_TRUE(refused([](Regs& r) { r.cs_ar = 0xc1b; }));  // not present
    EXPECT_TRUE(refused([](Regs& r) { r.ss_ar = 0xcf3; }));  // another privilege than the code's
    EXPECT_TRUE(refused([](Regs& r) { r.ds_ar = 0xcf3; }));
    EXPECT_TRUE(refused([](Regs& r) {
        r.cs_ar = 0x49b;
        r.cs_limit = 0xffff;
    }));  // the first instruction lies outside
    EXPECT_TRUE(refused([](Regs& r) { r.cs_ar = 0x1c9b; }));
    EXPECT_TRUE(refused([](Regs& r) { r.efer = 0x400; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cr4 = 1u << 13; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cr0 = 0x80000000; }));
}

TEST(InitialContext, Refused64) {
    const auto refused = [](auto change) {
        VcpuHvmContext context = flat_64();
        change(context.cpu_regs.x86_64);
        return !accepted(context);
    };
    using Regs = abi::x86::VcpuHvmX86_64;
    EXPECT_TRUE(refused([](Regs& r) { r.rip = 0x0000900000000000; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cr0 = 1; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cr4 = 0; }));
    EXPECT_TRUE(refused([](Regs& r) { r.efer = 0; }));
    EXPECT_TRUE(refused([](Regs& r) { r.efer |= 1u << 12; }));
    EXPECT_TRUE(refused([](Regs& r) { r.cr3 = u64{1} << 55; }));
    VcpuHvmContext context = flat_64();
    context.mode = 2;
    EXPECT_FALSE(accepted(context));
    context = flat_64();
    context.pad = 1;
    EXPECT_FALSE(accepted(context));
}

}  // namespace
}  // namespace px::hvm

// Parameters of HVM-style domains.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/params.hpp"

#include <gtest/gtest.h>

namespace px::hvm {
namespace {

using abi::HvmParam;
constexpr u32 number(HvmParam param) { return static_cast<u32>(param); }
constexpr bool own = true, others = false;

TEST(HvmParams, WhoMayDoWhat) {
    EXPECT_TRUE(may_read_param(number(HvmParam::store_pfn), own).ok());
    EXPECT_EQ(may_write_param(number(HvmParam::store_pfn), own, 0, 1).error(), Errno::eperm);
    EXPECT_TRUE(may_write_param(number(HvmParam::store_pfn), others, 0, 1).ok());
    EXPECT_TRUE(may_write_param(number(HvmParam::callback_irq), own, 1, 2).ok());
    EXPECT_EQ(may_read_param(number(HvmParam::ident_pt), own).error(), Errno::eperm);
    EXPECT_TRUE(may_read_param(number(HvmParam::ident_pt), others).ok());
    EXPECT_EQ(may_read_param(3, others).error(), Errno::einval);  // no such parameter
    EXPECT_EQ(may_read_param(number(HvmParam::memory_event_cr3), others).error(), Errno::einval);
    EXPECT_EQ(may_read_param(abi::hvm_nr_params, others).error(), Errno::einval);
    EXPECT_EQ(may_write_param(~u32{0}, others, 0, 0).error(), Errno::einval);
    EXPECT_EQ(may_write_param(number(HvmParam::ioreq_server_pfn), others, 5, 6).error(), Errno::eexist);
    EXPECT_TRUE(may_write_param(number(HvmParam::ioreq_server_pfn), others, 5, 5).ok());
}

TEST(HvmParams, Values) {
    const auto ok = [](HvmParam param, u64 value) { return check_param_value(number(param), value).ok(); };
    EXPECT_TRUE(ok(HvmParam::timer_mode, 3));
    EXPECT_FALSE(ok(HvmParam::timer_mode, 4));
    EXPECT_FALSE(ok(HvmParam::vm86_tss, u64{1} << 32));
    EXPECT_FALSE(ok(HvmParam::vm86_tss_sized, u64{0x67} << 32 | 0x1000));
    EXPECT_TRUE(ok(HvmParam::vm86_tss_sized, u64{0x68} << 32 | 0x1000));
    EXPECT_FALSE(ok(HvmParam::triple_fault_reason, 6));
    EXPECT_FALSE(ok(HvmParam::nestedhvm, 1));
    EXPECT_TRUE(ok(HvmParam::dm_domain, abi::domid::self));
    EXPECT_FALSE(ok(HvmParam::dm_domain, 3));
    EXPECT_EQ(sized_vm86_tss(0), 0u);
    EXPECT_EQ(sized_vm86_tss(0x1000), u64{128} << 32 | 0x1000);
}

TEST(HvmParams, Callback) {
    const auto vector = decode_callback(u64{2} << 56 | 0xf3);
    EXPECT_EQ(vector.via, Callback::Via::vector);
    EXPECT_EQ(vector.number, 0xf3u);
    EXPECT_EQ(decode_callback(9).via, Callback::Via::gsi);
    EXPECT_EQ(decode_callback(0).via, Callback::Via::none);
    EXPECT_EQ(decode_callback(u64{1} << 56 | 0x100).via, Callback::Via::pci_intx);
    EXPECT_EQ(decode_callback(u64{3} << 56 | 1).via, Callback::Via::none);
}

}  // namespace
}  // namespace px::hvm

// Records of a PVH guest's first state.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/vcpu_state.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace px::builder {
namespace {

using abi::HvmSaveDescriptor;
using abi::x86::HvmSaveCode;

template <class Body>
void append(std::vector<u8>& context, HvmSaveCode code, u16 instance, const Body& body) {
    const HvmSaveDescriptor descriptor{static_cast<u16>(code), instance, sizeof body};
    for (const auto& [data, size] : {std::pair<const void*, usize>{&descriptor, sizeof descriptor}, {&body, sizeof body}}) {
        const auto* bytes = static_cast<const u8*>(data);
        context.insert(context.end(), bytes, bytes + size);
    }
}

/// What a hypervisor gives for two vCPUs.
std::vector<u8> hypervisor_context() {
    std::vector<u8> context;
    abi::x86::HvmSaveHeader header{abi::x86::hvm_file_magic, abi::x86::hvm_file_version, 0, 0x800f12, 0};
    append(context, HvmSaveCode::header, 0, header);
    for (u16 vcpu : {u16{0}, u16{1}}) {
        abi::x86::HvmHwMtrr mtrr{};
        mtrr.msr_pat_cr = 0x7040600070406 + vcpu;
        append(context, HvmSaveCode::mtrr, vcpu, mtrr);
    }
    const HvmSaveDescriptor end{};
    const auto* bytes = reinterpret_cast<const u8*>(&end);
    context.insert(context.end(), bytes, bytes + sizeof end);
    return context;
}

template <class Body>
Body record(std::span<const u8> records, HvmSaveCode code, u16 instance) {
    const auto found = find_record(records, code, instance);
    EXPECT_TRUE(found && found->size() == sizeof(Body));
    Body body{};
    if (found) std::memcpy(&body, found->data(), std::min(found->size(), sizeof body));
    return body;
}

TEST(VcpuState, StartsAsPvhWants) {
    const auto records = start_records(hypervisor_context(), 0x1000200, Gpaddr{0x5000});
    ASSERT_TRUE(records);
    EXPECT_EQ(record<abi::x86::HvmSaveHeader>(*records, HvmSaveCode::header, 0).cpuid, 0x800f12u);
    const auto cpu = record<abi::x86::HvmHwCpu>(*records, HvmSaveCode::cpu, 0);
    EXPECT_EQ(cpu.rip, 0x1000200u);
    EXPECT_EQ(cpu.rbx, 0x5000u);
    EXPECT_EQ(cpu.cr0, 0x11u);  // PE and ET, no paging
    EXPECT_EQ(cpu.cr4, 0u);
    EXPECT_EQ(cpu.rflags & (1u << 9), 0u);  // interrupts off
    EXPECT_EQ(cpu.cs_limit, ~0u);
    EXPECT_EQ(cpu.tr_limit, 0x67u);
    const auto end = find_record(*records, HvmSaveCode::end);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->data() + end->size(), records->data() + records->size());
}

TEST(VcpuState, MtrrsKeepTheRestOfTheirRecord) {
    const auto records = mtrr_records(hypervisor_context(), 1);
    ASSERT_TRUE(records);
    const auto mtrr = record<abi::x86::HvmHwMtrr>(*records, HvmSaveCode::mtrr, 1);
    EXPECT_EQ(mtrr.msr_pat_cr, 0x7040600070407u);
    EXPECT_EQ(mtrr.msr_mtrr_def_type, 0x806u);
    EXPECT_FALSE(mtrr_records(hypervisor_context(), 2));
}

TEST(VcpuState, EachTruncationIsSurvived) {
    const std::vector<u8> whole = hypervisor_context();
    for (usize size = 0; size < whole.size(); ++size) {
        const auto part = std::span(whole).first(size);
        EXPECT_EQ(find_record(part, HvmSaveCode::header).has_value(), size >= sizeof(HvmSaveDescriptor) + sizeof(abi::x86::HvmSaveHeader));
        EXPECT_FALSE(find_record(part, HvmSaveCode::end)) << size;
    }
    EXPECT_FALSE(start_records({}, 0, Gpaddr{}));
}

}  // namespace
}  // namespace px::builder

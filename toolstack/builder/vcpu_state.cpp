// The state in which a PVH guest's vCPUs start.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/vcpu_state.hpp"

#include <cstring>

namespace px::builder {

using abi::HvmSaveDescriptor;
using abi::x86::HvmSaveCode;

namespace {

constexpr u32 cr0_protected = 1u << 0, cr0_extension_type = 1u << 4;
constexpr u32 dr6_reset = 0xffff0ff0, dr7_reset = 0x400;
constexpr u32 rflags_reset = 1u << 1;
/// Attributes as in a VMCS: present, DPL 0; code read/execute or data read/write, accessed; 32 bits, 4 GiB.
constexpr u32 flat_code = 0xc9b, flat_data = 0xc93, busy_tss32 = 0x8b;
constexpr u64 mtrr_enable = 1u << 11, mtrr_write_back = 6;

void append(std::vector<u8>& records, HvmSaveCode code, u16 instance, const void* body, usize size) {
    const HvmSaveDescriptor descriptor{static_cast<u16>(code), instance, static_cast<u32>(size)};
    const auto* head = reinterpret_cast<const u8*>(&descriptor);
    const auto* bytes = static_cast<const u8*>(body);
    records.insert(records.end(), head, head + sizeof descriptor);
    records.insert(records.end(), bytes, bytes + size);
}

/// The header that the hypervisor itself gave, `body`, and the end mark.
std::optional<std::vector<u8>> framed(std::span<const u8> context, HvmSaveCode code, u16 instance, const void* body, usize size) {
    const auto header = find_record(context, HvmSaveCode::header);
    if (!header) return std::nullopt;
    std::vector<u8> records;
    append(records, HvmSaveCode::header, 0, header->data(), header->size());
    append(records, code, instance, body, size);
    append(records, HvmSaveCode::end, 0, nullptr, 0);
    return records;
}

abi::x86::HvmHwCpu start_state(u32 entry, Gpaddr start_info) {
    abi::x86::HvmHwCpu cpu{};
    cpu.cs_limit = cpu.ds_limit = cpu.es_limit = cpu.ss_limit = ~0u;
    cpu.tr_limit = 0x67;
    cpu.cs_arbytes = flat_code;
    cpu.ds_arbytes = cpu.es_arbytes = cpu.ss_arbytes = flat_data;
    cpu.tr_arbytes = busy_tss32;
    cpu.cr0 = cr0_protected | cr0_extension_type;
    cpu.rip = entry;
    cpu.rbx = start_info.raw;
    cpu.rflags = rflags_reset;
    cpu.dr6 = dr6_reset;
    cpu.dr7 = dr7_reset;
    return cpu;
}

}  // namespace

std::optional<std::span<const u8>> find_record(std::span<const u8> context, HvmSaveCode code, u16 instance) {
    while (context.size() >= sizeof(HvmSaveDescriptor)) {
        HvmSaveDescriptor descriptor;
        std::memcpy(&descriptor, context.data(), sizeof descriptor);
        context = context.subspan(sizeof descriptor);
        if (descriptor.length > context.size()) break;
        if (descriptor.typecode == static_cast<u16>(code) && descriptor.instance == instance) return context.first(descriptor.length);
        if (descriptor.typecode == static_cast<u16>(HvmSaveCode::end)) break;
        context = context.subspan(descriptor.length);
    }
    return std::nullopt;
}

std::optional<std::vector<u8>> start_records(std::span<const u8> context, u32 entry, Gpaddr start_info) {
    const auto cpu = start_state(entry, start_info);
    return framed(context, HvmSaveCode::cpu, 0, &cpu, sizeof cpu);
}

std::optional<std::vector<u8>> mtrr_records(std::span<const u8> context, u16 vcpu) {
    const auto record = find_record(context, HvmSaveCode::mtrr, vcpu);
    abi::x86::HvmHwMtrr mtrr;
    if (!record || record->size() != sizeof mtrr) return std::nullopt;
    std::memcpy(&mtrr, record->data(), sizeof mtrr);
    mtrr.msr_mtrr_def_type = mtrr_enable | mtrr_write_back;
    return framed(context, HvmSaveCode::mtrr, vcpu, &mtrr, sizeof mtrr);
}

}  // namespace px::builder

// The CPU record of a saved state.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/cpu_record.hpp"

#include <cstring>

#include "arch/x86/cpu/registers.hpp"

namespace px::hvm {
namespace {

using abi::x86::HvmHwCpu;

/// Members of the record that stand for one segment.
struct SegmentMembers {
    Segment which;
    u32 HvmHwCpu::*selector;
    u32 HvmHwCpu::*limit;
    u64 HvmHwCpu::*base;
    u32 HvmHwCpu::*rights;
};
constexpr SegmentMembers segment_members[] = {
    {Segment::cs, &HvmHwCpu::cs_sel, &HvmHwCpu::cs_limit, &HvmHwCpu::cs_base, &HvmHwCpu::cs_arbytes},
    {Segment::ds, &HvmHwCpu::ds_sel, &HvmHwCpu::ds_limit, &HvmHwCpu::ds_base, &HvmHwCpu::ds_arbytes},
    {Segment::es, &HvmHwCpu::es_sel, &HvmHwCpu::es_limit, &HvmHwCpu::es_base, &HvmHwCpu::es_arbytes},
    {Segment::fs, &HvmHwCpu::fs_sel, &HvmHwCpu::fs_limit, &HvmHwCpu::fs_base, &HvmHwCpu::fs_arbytes},
    {Segment::gs, &HvmHwCpu::gs_sel, &HvmHwCpu::gs_limit, &HvmHwCpu::gs_base, &HvmHwCpu::gs_arbytes},
    {Segment::ss, &HvmHwCpu::ss_sel, &HvmHwCpu::ss_limit, &HvmHwCpu::ss_base, &HvmHwCpu::ss_arbytes},
    {Segment::tr, &HvmHwCpu::tr_sel, &HvmHwCpu::tr_limit, &HvmHwCpu::tr_base, &HvmHwCpu::tr_arbytes},
    {Segment::ldtr, &HvmHwCpu::ldtr_sel, &HvmHwCpu::ldtr_limit, &HvmHwCpu::ldtr_base, &HvmHwCpu::ldtr_arbytes},
};

struct RegisterMembers {
    u64 GuestRegisters::*ours;
    u64 HvmHwCpu::*theirs;
};
constexpr RegisterMembers register_members[] = {
    {&GuestRegisters::rax, &HvmHwCpu::rax}, {&GuestRegisters::rbx, &HvmHwCpu::rbx}, {&GuestRegisters::rcx, &HvmHwCpu::rcx},
    {&GuestRegisters::rdx, &HvmHwCpu::rdx}, {&GuestRegisters::rbp, &HvmHwCpu::rbp}, {&GuestRegisters::rsi, &HvmHwCpu::rsi},
    {&GuestRegisters::rdi, &HvmHwCpu::rdi}, {&GuestRegisters::rsp, &HvmHwCpu::rsp}, {&GuestRegisters::r8, &HvmHwCpu::r8},
    {&GuestRegisters::r9, &HvmHwCpu::r9},   {&GuestRegisters::r10, &HvmHwCpu::r10}, {&GuestRegisters::r11, &HvmHwCpu::r11},
    {&GuestRegisters::r12, &HvmHwCpu::r12}, {&GuestRegisters::r13, &HvmHwCpu::r13}, {&GuestRegisters::r14, &HvmHwCpu::r14},
    {&GuestRegisters::r15, &HvmHwCpu::r15}, {&GuestRegisters::rip, &HvmHwCpu::rip}, {&GuestRegisters::rflags, &HvmHwCpu::rflags},
};

struct MsrMembers {
    u64 CpuImage::*ours;
    u64 HvmHwCpu::*theirs;
};
constexpr MsrMembers msr_members[] = {
    {&CpuImage::dr6, &HvmHwCpu::dr6},
    {&CpuImage::dr7, &HvmHwCpu::dr7},
    {&CpuImage::sysenter_cs, &HvmHwCpu::sysenter_cs},
    {&CpuImage::sysenter_esp, &HvmHwCpu::sysenter_esp},
    {&CpuImage::sysenter_eip, &HvmHwCpu::sysenter_eip},
    {&CpuImage::kernel_gs_base, &HvmHwCpu::shadow_gs},
    {&CpuImage::lstar, &HvmHwCpu::msr_lstar},
    {&CpuImage::star, &HvmHwCpu::msr_star},
    {&CpuImage::cstar, &HvmHwCpu::msr_cstar},
    {&CpuImage::sfmask, &HvmHwCpu::msr_syscall_mask},
    {&CpuImage::tsc_aux, &HvmHwCpu::msr_tsc_aux},
    {&CpuImage::tsc, &HvmHwCpu::tsc},
};

/// Types of a pending event, as in the interruption information of a VMCS or VMCB.
constexpr u32 event_valid = 1u << 31, event_has_code = 1u << 11;
enum EventType : u32 { external = 0, nmi = 2, exception = 3, software = 4 };

void put_event(HvmHwCpu& record, const Event& event) {
    if (event.kind == Event::Kind::none) return;
    const u32 type = event.kind == Event::Kind::external_interrupt ? external
                     : event.kind == Event::Kind::nmi              ? nmi
                     : event.kind == Event::Kind::exception        ? exception
                                                                   : software;
    record.pending_event = event_valid | type << 8 | event.vector | (event.has_error_code ? event_has_code : 0);
    record.error_code = event.error_code;
}

Result<Event> event_of(const HvmHwCpu& record) {
    Event event;
    if ((record.pending_event & event_valid) == 0) return event;
    switch (record.pending_event >> 8 & 7) {
    case external: event.kind = Event::Kind::external_interrupt; break;
    case nmi: event.kind = Event::Kind::nmi; break;
    case exception: event.kind = Event::Kind::exception; break;
    case software: event.kind = Event::Kind::software_interrupt; break;
    default: return Err{Errno::einval};
    }
    event.vector = static_cast<u8>(record.pending_event);
    event.has_error_code = (record.pending_event & event_has_code) != 0;
    event.error_code = record.error_code;
    event.cr2 = record.cr2;
    return event;
}

}  // namespace

HvmHwCpu to_record(const CpuImage& image) {
    HvmHwCpu record{};
    for (const auto& member : register_members) record.*member.theirs = image.registers.*member.ours;
    for (const auto& member : msr_members) record.*member.theirs = image.*member.ours;
    for (const auto& member : segment_members) {
        const SegmentRegister& segment = image[member.which];
        record.*member.selector = segment.selector;
        record.*member.limit = segment.limit;
        record.*member.base = segment.base;
        record.*member.rights = segment.attributes;
    }
    record.cr0 = image.control.cr0;
    record.cr2 = image.control.cr2;
    record.cr3 = image.control.cr3;
    record.cr4 = image.control.cr4;
    record.msr_efer = image.control.efer;
    record.gdtr_base = image.gdtr.base;
    record.gdtr_limit = image.gdtr.limit;
    record.idtr_base = image.idtr.base;
    record.idtr_limit = image.idtr.limit;
    record.dr0 = image.debug_address[0];
    record.dr1 = image.debug_address[1];
    record.dr2 = image.debug_address[2];
    record.dr3 = image.debug_address[3];
    put_event(record, image.pending);
    if (image.fpu_initialised) {
        record.flags = abi::x86::fpu_initialised;
        std::memcpy(record.fpu_regs, image.fpu.data(), sizeof record.fpu_regs);
    }
    return record;
}

Result<CpuImage> from_record(const HvmHwCpu& record, u64 valid_cr4, u64 valid_efer) {
    using namespace arch;
    REQUIRE(record.pad0 == 0 && (record.flags & ~abi::x86::fpu_initialised) == 0, einval);
    REQUIRE(record.cr0 >> 32 == 0 && ((record.cr0 & cr0::pg) == 0 || (record.cr0 & cr0::pe) != 0), einval);
    REQUIRE((record.cr4 & ~valid_cr4) == 0 && (record.msr_efer & ~(valid_efer | efer::lma)) == 0, einval);
    const bool active = (record.cr0 & cr0::pg) != 0 && (record.msr_efer & efer::lme) != 0;
    REQUIRE(!active || (record.cr4 & cr4::pae) != 0, einval);
    REQUIRE(((record.msr_efer & efer::lma) != 0) == active, einval);
    REQUIRE(record.cr3 >> 52 == 0 && record.dr6 >> 32 == 0 && record.dr7 >> 32 == 0, einval);

    CpuImage image;
    for (const auto& member : register_members) image.registers.*member.ours = record.*member.theirs;
    for (const auto& member : msr_members) image.*member.ours = record.*member.theirs;
    for (const auto& member : segment_members) {
        REQUIRE(record.*member.selector <= 0xffff && record.*member.rights <= 0xffff, einval);
        image[member.which] = {.selector = static_cast<u16>(record.*member.selector),
                               .attributes = static_cast<u16>(record.*member.rights & 0xfff),
                               .limit = record.*member.limit,
                               .base = record.*member.base};
    }
    REQUIRE(record.gdtr_limit <= 0xffff && record.idtr_limit <= 0xffff, einval);
    image.gdtr = {record.gdtr_base, static_cast<u16>(record.gdtr_limit)};
    image.idtr = {record.idtr_base, static_cast<u16>(record.idtr_limit)};
    image.control = {.cr0 = record.cr0 | cr0::et, .cr2 = record.cr2, .cr3 = record.cr3, .cr4 = record.cr4, .efer = record.msr_efer};
    image.debug_address = {record.dr0, record.dr1, record.dr2, record.dr3};
    constexpr u64 dr6_fixed = 0xffff0ff0, dr7_fixed = 0x400, rflags_fixed = 2;
    image.dr6 |= dr6_fixed;
    image.dr7 |= dr7_fixed;
    image.registers.rflags |= rflags_fixed;
    image.pending = TRY(event_of(record));
    image.fpu_initialised = (record.flags & abi::x86::fpu_initialised) != 0;
    std::memcpy(image.fpu.data(), record.fpu_regs, sizeof record.fpu_regs);
    return image;
}

}  // namespace px::hvm

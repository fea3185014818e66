// The state of a whole domain as a stream of records.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/hvm_context.hpp"

#include <cstddef>

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/machine/clock.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

using namespace abi::x86;

constexpr Segment all_segments[] = {Segment::es, Segment::cs, Segment::ss,   Segment::ds,
                                    Segment::fs, Segment::gs, Segment::ldtr, Segment::tr};
constexpr usize xsave_prefix = offsetof(HvmHwCpuXsave, save_area), xsave_header = 512;

u8* extended_state(Vcpu& vcpu) { return static_cast<u8*>(vcpu.arch.xsave_area); }

void restore_fpu(Vcpu& vcpu, const CpuImage& image) {
    arch::init_extended_state(vcpu.arch.xsave_area);
    if (!image.fpu_initialised) return;
    std::memcpy(extended_state(vcpu), image.fpu.data(), image.fpu.size());
    constexpr u64 x87_and_sse = 3;
    if (arch::has_xsave()) std::memcpy(extended_state(vcpu) + xsave_header, &x87_and_sse, sizeof x87_and_sse);
}

void restore(Vcpu& vcpu, const CpuImage& image, u64 tsc_now) {
    VcpuState& state = vcpu.arch;
    backend()->synchronise(vcpu);
    state.registers = image.registers;
    state.control = image.control;
    state.pending = image.pending;
    state.debug_address = image.debug_address;
    state.dr6 = image.dr6;
    state.dr7 = image.dr7;
    state.sysenter_cs = image.sysenter_cs;
    state.sysenter_esp = image.sysenter_esp;
    state.sysenter_eip = image.sysenter_eip;
    state.star = image.star;
    state.lstar = image.lstar;
    state.cstar = image.cstar;
    state.sfmask = image.sfmask;
    state.kernel_gs_base = image.kernel_gs_base;
    state.tsc_aux = image.tsc_aux;
    state.tsc_offset = image.tsc - tsc_now;
    for (const Segment which : all_segments) backend()->set_segment(vcpu, which, image[which]);
    backend()->set_gdtr(vcpu, image.gdtr);
    backend()->set_idtr(vcpu, image.idtr);
    restore_fpu(vcpu, image);
    backend()->control_changed(vcpu);
    state.waits_for_startup = false;
    state.last_cpu = ~u32{0};  // nothing cached for its old state may be used
    vcpu.resume(Vcpu::blocked);
    vcpu.resume(Vcpu::down);
}

// ---- One record of each type: save and load.

Result<> save_header(Domain& domain, RecordWriter& writer) {
    return writer.put(HvmSaveCode::header, 0,
                      HvmSaveHeader{hvm_file_magic, hvm_file_version, 0, arch::cpuid(1).eax, static_cast<u32>(domain.arch.tsc_khz)});
}

Result<> save_cpu(Vcpu& vcpu, RecordWriter& writer) { return writer.put(HvmSaveCode::cpu, vcpu.id.raw, to_record(capture(vcpu))); }

Result<> load_cpu(Vcpu& vcpu, const Record& record, u64 tsc_now) {
    const CpuPolicy& policy = vcpu.domain.arch.policy;
    restore(vcpu, TRY(from_record(TRY(record.as<HvmHwCpu>()), valid_cr4(policy), valid_efer(policy))), tsc_now);
    return {};
}

Result<> save_lapic(Vcpu& vcpu, RecordWriter& writer) {
    const auto saved = vcpu.arch.apic.save();
    const bool disabled = (saved.base & VirtualLocalApic::base_enable) == 0;
    return writer.put(HvmSaveCode::lapic, vcpu.id.raw, HvmHwLapic{saved.base, disabled, 0, saved.tsc_deadline});
}
Result<> load_lapic(Vcpu& vcpu, const Record& record, u64) {
    const auto lapic = TRY(record.as<HvmHwLapic>());
    auto saved = vcpu.arch.apic.save();
    saved.base = lapic.apic_base_msr;
    saved.tsc_deadline = lapic.tdt_msr;
    vcpu.arch.apic.restore(saved);
    return {};
}

Result<> save_lapic_registers(Vcpu& vcpu, RecordWriter& writer) {
    const auto saved = vcpu.arch.apic.save();
    HvmHwLapicRegs page{};
    for (usize i = 0; i < saved.registers.size(); ++i) std::memcpy(page.data + i * 16, &saved.registers[i], sizeof(u32));
    return writer.put(HvmSaveCode::lapic_regs, vcpu.id.raw, page);
}
Result<> load_lapic_registers(Vcpu& vcpu, const Record& record, u64) {
    const auto page = TRY(record.as<HvmHwLapicRegs>());
    auto saved = vcpu.arch.apic.save();
    for (usize i = 0; i < saved.registers.size(); ++i) std::memcpy(&saved.registers[i], page.data + i * 16, sizeof(u32));
    vcpu.arch.apic.restore(saved);
    return {};
}

constexpr u64 mtrr_capabilities = 0x508;  // 8 variable ranges, fixed ranges, write combining

Result<> save_mtrr(Vcpu& vcpu, RecordWriter& writer) {
    const MtrrState& mtrr = vcpu.arch.mtrr;
    HvmHwMtrr record{.msr_pat_cr = vcpu.arch.pat,
                     .msr_mtrr_var = {},
                     .msr_mtrr_fixed = {},
                     .msr_mtrr_cap = mtrr_capabilities,
                     .msr_mtrr_def_type = mtrr.default_type};
    std::ranges::copy(mtrr.variable, record.msr_mtrr_var);
    std::ranges::copy(mtrr.fixed, record.msr_mtrr_fixed);
    return writer.put(HvmSaveCode::mtrr, vcpu.id.raw, record);
}
Result<> load_mtrr(Vcpu& vcpu, const Record& record, u64) {
    const auto saved = TRY(record.as<HvmHwMtrr>());
    REQUIRE((saved.msr_mtrr_cap & 0xff) <= mtrr_vcnt, einval);
    MtrrState& mtrr = vcpu.arch.mtrr;
    std::ranges::copy(saved.msr_mtrr_var, mtrr.variable.begin());
    std::ranges::copy(saved.msr_mtrr_fixed, mtrr.fixed.begin());
    mtrr.default_type = saved.msr_mtrr_def_type;
    backend()->synchronise(vcpu);
    vcpu.arch.pat = saved.msr_pat_cr;
    backend()->control_changed(vcpu);
    return {};
}

Result<> save_xsave(Vcpu& vcpu, RecordWriter& writer) {
    if (!arch::has_xsave()) return {};
    const u32 size = arch::extended_state_size();
    auto buffer = TRY(HeapArray<u8>::create(xsave_prefix + size));
    const u64 prefix[] = {arch::host_xcr0(), vcpu.arch.xcr0, arch::host_xcr0()};
    static_assert(sizeof prefix == xsave_prefix);
    std::memcpy(buffer.data(), prefix, xsave_prefix);
    std::memcpy(buffer.data() + xsave_prefix, extended_state(vcpu), size);
    return writer.put(HvmSaveCode::cpu_xsave, vcpu.id.raw, std::span<const u8>(buffer.data(), buffer.size()));
}
Result<> load_xsave(Vcpu& vcpu, const Record& record, u64) {
    REQUIRE(arch::has_xsave() && record.data.size() >= sizeof(HvmHwCpuXsave), einval);
    HvmHwCpuXsave head;
    std::memcpy(&head, record.data.data(), sizeof head);
    const u64 valid = arch::host_xcr0();
    REQUIRE(valid_xcr0(head.xcr0, vcpu.domain.arch.policy) && (head.xcr0 & ~valid) == 0, einval);
    // A header that the processor would refuse must not reach it.
    REQUIRE((head.save_area.xsave_hdr.xstate_bv & ~valid) == 0 && head.save_area.xsave_hdr.xcomp_bv == 0, einval);
    for (const u64 reserved : head.save_area.xsave_hdr.reserved) REQUIRE(reserved == 0, einval);
    constexpr usize mxcsr_at = 24;
    u32 mxcsr;
    std::memcpy(&mxcsr, head.save_area.fpu_sse.x + mxcsr_at, sizeof mxcsr);
    REQUIRE(mxcsr >> 16 == 0, einval);
    arch::init_extended_state(vcpu.arch.xsave_area);
    const usize size = std::min<usize>(record.data.size() - xsave_prefix, arch::extended_state_size());
    std::memcpy(extended_state(vcpu), record.data.data() + xsave_prefix, size);
    vcpu.arch.xcr0 = head.xcr0;
    return {};
}

/// Machine check banks: none.
Result<> save_vmce(Vcpu& vcpu, RecordWriter& writer) { return writer.put(HvmSaveCode::vmce_vcpu, vcpu.id.raw, HvmVmceVcpu{}); }
Result<> load_vmce(Vcpu&, const Record& record, u64) {
    (void)TRY(record.as<HvmVmceVcpu>());
    return {};
}

Result<> save_tsc_adjust(Vcpu& vcpu, RecordWriter& writer) { return writer.put(HvmSaveCode::tsc_adjust, vcpu.id.raw, HvmTscAdjust{}); }
Result<> load_tsc_adjust(Vcpu&, const Record& record, u64) {
    REQUIRE(TRY(record.as<HvmTscAdjust>()).tsc_adjust == 0, einval);  // guests don't have the register
    return {};
}

struct RecordType {
    HvmSaveCode code;
    Result<> (*save)(Vcpu& vcpu, RecordWriter& writer);
    Result<> (*load)(Vcpu& vcpu, const Record& record, u64 tsc_now);
};
/// One record per vCPU, in the order of the stream.
constexpr RecordType types[] = {
    {HvmSaveCode::cpu, save_cpu, load_cpu},
    {HvmSaveCode::lapic, save_lapic, load_lapic},
    {HvmSaveCode::lapic_regs, save_lapic_registers, load_lapic_registers},
    {HvmSaveCode::mtrr, save_mtrr, load_mtrr},
    {HvmSaveCode::cpu_xsave, save_xsave, load_xsave},
    {HvmSaveCode::vmce_vcpu, save_vmce, load_vmce},
    {HvmSaveCode::tsc_adjust, save_tsc_adjust, load_tsc_adjust},
};

Result<const RecordType*> find_type(HvmSaveCode code) {
    for (const RecordType& type : types) {
        if (type.code == code) return &type;
    }
    return Err{Errno::einval};
}

Result<> check_header(const Record& record) {
    REQUIRE(record.code == HvmSaveCode::header, enodata);
    const auto header = TRY(record.as<HvmSaveHeader>());
    REQUIRE(header.magic == hvm_file_magic && header.version == hvm_file_version, einval);
    return {};
}

}  // namespace

CpuImage capture(Vcpu& vcpu) {
    backend()->synchronise(vcpu);
    const VcpuState& state = vcpu.arch;
    CpuImage image{.registers = state.registers,
                   .control = state.control,
                   .gdtr = backend()->gdtr(vcpu),
                   .idtr = backend()->idtr(vcpu),
                   .debug_address = state.debug_address,
                   .dr6 = state.dr6,
                   .dr7 = state.dr7,
                   .sysenter_cs = state.sysenter_cs,
                   .sysenter_esp = state.sysenter_esp,
                   .sysenter_eip = state.sysenter_eip,
                   .star = state.star,
                   .lstar = state.lstar,
                   .cstar = state.cstar,
                   .sfmask = state.sfmask,
                   .kernel_gs_base = state.kernel_gs_base,
                   .tsc_aux = state.tsc_aux,
                   .tsc = arch::read_tsc() + state.tsc_offset,
                   .pending = state.pending,
                   .fpu_initialised = true};
    for (const Segment which : all_segments) image[which] = backend()->segment(vcpu, which);
    std::memcpy(image.fpu.data(), state.xsave_area, image.fpu.size());
    return image;
}

Result<> save_record(Domain& domain, HvmSaveCode code, u32 instance, RecordWriter& writer) {
    if (code == HvmSaveCode::header) return save_header(domain, writer);
    const RecordType& type = *TRY(find_type(code));
    Vcpu* const vcpu = domain.vcpu(VcpuId{instance});
    REQUIRE(vcpu != nullptr, enoent);
    return type.save(*vcpu, writer);
}

Result<> save_context(Domain& domain, RecordWriter& writer) {
    TRY(save_header(domain, writer));
    for (const RecordType& type : types) {
        for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
            if (Vcpu* const vcpu = domain.vcpu(VcpuId{i})) TRY(type.save(*vcpu, writer));
        }
    }
    return writer.end();
}

Result<> load_context(Domain& domain, std::span<const u8> stream) {
    RecordReader reader(stream);
    TRY(check_header(TRY(reader.next())));
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        if (Vcpu* const vcpu = domain.vcpu(VcpuId{i})) vcpu->halt(Vcpu::down);
    }
    const u64 tsc_now = arch::read_tsc();  // one moment for all: their counters stay in step
    for (;;) {
        const Record record = TRY(reader.next());
        if (record.code == HvmSaveCode::end) return {};
        const RecordType& type = *TRY(find_type(record.code));
        Vcpu* const vcpu = domain.vcpu(VcpuId{record.instance});
        REQUIRE(vcpu != nullptr, einval);
        TRY(type.load(*vcpu, record, tsc_now));
    }
}

}  // namespace px::hvm

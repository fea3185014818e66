// x86 on the build host: the edge of the hardware, faked.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/x86/fake_machine.hpp"

#include "arch/frame_access.hpp"
#include "arch/grant_places.hpp"
#include "arch/guest_memory.hpp"
#include "arch/pirqs.hpp"
#include "arch/stale_frames.hpp"
#include "arch/x86/hvm/guest_walk.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"
#include "arch/x86/svm/vcpu_svm.hpp"
#include "arch/x86/vmx/vcpu_vmx.hpp"

namespace px {
namespace hvm {
namespace {

std::map<const Vcpu*, FakeVcpu> fakes;

/// Keeps what it is given; runs nothing.
class FakeBackend final : public Backend {
public:
    std::string_view name() const override { return "fake"; }
    Result<> enable_cpu() override { return {}; }
    Result<> create(Vcpu& vcpu) override {
        fakes[&vcpu] = {};
        return {};
    }
    void destroy(Vcpu& vcpu) override { fakes.erase(&vcpu); }
    void load(Vcpu&) override {}
    void save(Vcpu&) override {}
    void run(Vcpu&) override {}
    SegmentRegister segment(const Vcpu& vcpu, Segment which) const override { return fakes.at(&vcpu).segments.at(which); }
    void set_segment(Vcpu& vcpu, Segment which, const SegmentRegister& value) override { fakes.at(&vcpu).segments[which] = value; }
    TableRegister gdtr(const Vcpu& vcpu) const override { return fakes.at(&vcpu).gdtr; }
    TableRegister idtr(const Vcpu& vcpu) const override { return fakes.at(&vcpu).idtr; }
    void set_gdtr(Vcpu& vcpu, const TableRegister& value) override { fakes.at(&vcpu).gdtr = value; }
    void set_idtr(Vcpu& vcpu, const TableRegister& value) override { fakes.at(&vcpu).idtr = value; }
    void control_changed(Vcpu& vcpu) override { ++fakes.at(&vcpu).control_changes; }
    void read_control(Vcpu& vcpu) override { vcpu.arch.control_is_current = true; }
    void synchronise(Vcpu&) override {}
    unsigned privilege(const Vcpu&) const override { return 0; }
    bool interrupts_open(const Vcpu&) const override { return true; }
    void intercept_msr(Vcpu&, u32, bool, bool) override {}
    void flush_physmap(Domain&) override {}
    std::array<u8, 3> hypercall_instruction() const override { return {0x0f, 0x0b, 0x90}; }
};
FakeBackend fake;

}  // namespace

Backend* backend() { return &fake; }
FakeVcpu& fake_of(const Vcpu& vcpu) { return fakes.at(&vcpu); }

DomainState::DomainState() = default;
DomainState::~DomainState() = default;
VcpuState::VcpuState(Vcpu& vcpu) : apic(vcpu) {}
VcpuState::~VcpuState() = default;

}  // namespace hvm

namespace arch {

Result<> check_settings(const px::DomainSettings&) { return {}; }
Result<> create_domain(Domain&) { return {}; }
void interrupt_cpu_for_posted(CpuId cpu) { hvm::posted_notices.push_back(cpu.raw); }
Progress relinquish_domain(Domain& domain) {
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        if (Vcpu* const vcpu = domain.vcpu(VcpuId{i})) vcpu->arch.apic.stop_timer();
    }
    return Progress::done;
}
void destroy_domain(Domain&) {}
void hardware_domain_shutdown(u8) {}
void flush_physmap(Domain&) {}
u32 freed_stamp(const Domain&) { return 0; }
void flush_stale(u32) {}
unsigned largest_physmap_order() { return 18; }
void host_set_largest_physmap_order(unsigned) {}
Result<> create_vcpu(Vcpu& vcpu) {
    TRY(vcpu.arch.apic.create());
    return hvm::backend()->create(vcpu);
}
void destroy_vcpu(Vcpu& vcpu) { hvm::backend()->destroy(vcpu); }
void kick(Vcpu& vcpu) { hvm::kick(vcpu); }
void set_upcall(Vcpu& vcpu) { hvm::set_upcall(vcpu); }
bool deliverable(Vcpu& vcpu) { return hvm::deliverable(vcpu); }
Result<> copy_from_guest(void* to, u64 address, usize bytes) {
    const auto copied = hvm::copy_linear(current_vcpu(), address, {static_cast<u8*>(to), bytes}, hvm::CopyDirection::from_guest, 0);
    REQUIRE(copied.ok(), efault);
    return {};
}
Result<> copy_to_guest(u64 address, const void* from, usize bytes) {
    const std::span<u8> buffer{static_cast<u8*>(const_cast<void*>(from)), bytes};
    const auto copied = hvm::copy_linear(current_vcpu(), address, buffer, hvm::CopyDirection::to_guest, hvm::fault_code::write);
    REQUIRE(copied.ok(), efault);
    return {};
}
// All domains here have a physmap: nothing is counted, and no grant lies in page tables.
Result<> hold_writable(Frame&) { return {}; }
void drop_writable(Frame&) {}
Result<> place_grant(Vcpu&, u64, Mfn, u32) { return Err{Errno::einval}; }
Result<> remove_grant(Vcpu&, u64, Mfn, u32, u64) { return Err{Errno::einval}; }
void flush_grants(Domain&) {}
void pirq_closed(Domain&, u32) {}
void switch_in(Vcpu&) {}
void switch_out(Vcpu&) {}
void run(Vcpu&) {}
void host_guest_memory(void*, usize, bool) {}
void host_guest_memory_clear() {}

u64 tsc_khz() { return hvm::fake_tsc_khz; }
TickScale tsc_scale() { return make_scale(hvm::fake_tsc_khz); }
bool tsc_is_stable() { return true; }

}  // namespace arch
}  // namespace px

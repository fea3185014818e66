// The architecture's contract for domains and vCPUs: each call goes to the domain's kind.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/guest_memory.hpp"
#include "arch/guest_time.hpp"
#include "arch/hypercalls.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/machine/crash.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/console/log.hpp"

namespace px {

const HypercallTable& hypercall_table(const Vcpu& caller) { return kind_of(caller.domain).hypercalls(); }

namespace arch {

Result<> check_settings(const px::DomainSettings& settings) {
    if (settings.hvm) return hvm_kind().check_settings(settings);
    REQUIRE(pv_kind() != nullptr, eopnotsupp);
    return pv_kind()->check_settings(settings);
}

Result<> create_domain(Domain& domain) {
    domain.arch.tsc_khz = tsc_khz();
    return kind_of(domain).create_domain(domain);
}
Progress relinquish_domain(Domain& domain) { return kind_of(domain).relinquish_domain(domain); }
void destroy_domain(Domain& domain) { kind_of(domain).destroy_domain(domain); }
void flush_physmap(Domain& domain) { kind_of(domain).flush_physmap(domain); }

Result<> create_vcpu(Vcpu& vcpu) { return kind_of(vcpu.domain).create_vcpu(vcpu); }
void destroy_vcpu(Vcpu& vcpu) { kind_of(vcpu.domain).destroy_vcpu(vcpu); }
void switch_in(Vcpu& vcpu) { kind_of(vcpu.domain).switch_in(vcpu); }
void switch_out(Vcpu& vcpu) { kind_of(vcpu.domain).switch_out(vcpu); }
/// The way of every entry after a softirq: one indirect call less, which is a retpoline.
void run(Vcpu& vcpu) {
    if (vcpu.domain.settings.hvm) hvm::backend()->run(vcpu);
    else pv_kind()->run(vcpu);
}
void kick(Vcpu& vcpu) { kind_of(vcpu.domain).kick(vcpu); }
void set_upcall(Vcpu& vcpu) { kind_of(vcpu.domain).set_upcall(vcpu); }
bool deliverable(Vcpu& vcpu) { return kind_of(vcpu.domain).deliverable(vcpu); }
Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument) { return kind_of(vcpu.domain).initialise_vcpu(vcpu, argument); }
bool is_initialised(const Vcpu& vcpu) { return !vcpu.arch.waits_for_startup; }

void send_nmi(Vcpu& vcpu) {
    vcpu.arch.nmi_pending = true;
    vcpu.kick();
}

Result<> copy_from_guest(void* to, u64 address, usize bytes) {
    Vcpu& vcpu = current_vcpu();
    return kind_of(vcpu.domain).copy_from_guest(vcpu, to, address, bytes);
}
Result<> copy_to_guest(u64 address, const void* from, usize bytes) {
    Vcpu& vcpu = current_vcpu();
    return kind_of(vcpu.domain).copy_to_guest(vcpu, address, from, bytes);
}

const u64 hypervisor_virtual_start = abi::x86::hypervisor_virt_start;

std::string_view capabilities() {
    const bool hvm = hvm::backend() != nullptr;
    if (pv_kind() == nullptr) return hvm ? "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 " : "";
    return hvm ? "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 " : "xen-3.0-x86_64 ";
}
u32 features(const Domain& domain) { return kind_of(domain).features(domain); }
u64 vm_assists(const Domain& domain) { return kind_of(domain).vm_assists(); }

void hardware_domain_shutdown(u8 reason) {
    switch (abi::ShutdownReason{reason}) {
    case abi::ShutdownReason::poweroff: log_info("dom0 has shut down: powering off"); return power_off_machine();
    case abi::ShutdownReason::reboot: log_info("dom0 has shut down: rebooting"); return reboot_machine();
    default: panic("dom0 has crashed (shutdown code {})", reason);
    }
}

abi::VcpuTimeInfo vcpu_time(const Vcpu& vcpu) {
    abi::VcpuTimeInfo info{};
    const TickScale scale = tsc_scale();
    const u64 tsc = vcpu_time_is_constant(vcpu) ? boot_tsc_value() : read_tsc_ordered();
    info.tsc_timestamp = tsc + vcpu.arch.tsc_offset;
    info.system_time = static_cast<u64>(time_at(tsc).raw);
    info.tsc_to_system_mul = scale.multiplier;
    info.tsc_shift = scale.shift;
    info.flags = tsc_is_stable() ? abi::pvclock::tsc_stable : 0;
    return info;
}

bool vcpu_time_is_constant(const Vcpu&) { return tsc_is_stable(); }

}  // namespace arch
}  // namespace px

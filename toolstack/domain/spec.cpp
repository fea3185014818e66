// From a configuration to what the builder makes.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/spec.hpp"

#include <algorithm>

namespace px::domain {

using call::Error;
using call::Outcome;
using xlcfg::DomainConfig;

namespace {

struct Missing {
    bool wanted;
    const char* what;
};

bool needs_scheduler_other_than_credit2(const xlcfg::Cpu& cpu) { return cpu.period || cpu.slice || cpu.extratime; }

bool passes_hardware(const xlcfg::Passthrough& hardware) {
    return !hardware.pci.empty() || !hardware.ioports.empty() || !hardware.iomem.empty() || !hardware.irqs.empty();
}

bool maps_devices(const xlcfg::Passthrough& hardware) {
    const auto mode = hardware.mode.value_or(xlcfg::PassthroughMode::automatic);
    return mode != xlcfg::PassthroughMode::automatic && mode != xlcfg::PassthroughMode::disabled;
}

bool wants_host_bits(const xlcfg::Field<xlcfg::CpuidPolicy>& policy) {
    return policy &&
           std::ranges::any_of(policy->rules, [](const xlcfg::CpuidRule& rule) { return std::ranges::count(rule.bits, 'k') != 0; });
}

/// All bits that are '0' or '1'; the others stay as the hypervisor has them.
std::vector<builder::CpuidRule> cpuid_rules(const xlcfg::Field<xlcfg::CpuidPolicy>& policy) {
    std::vector<builder::CpuidRule> rules;
    if (!policy) return rules;
    for (const xlcfg::CpuidRule& rule : policy->rules) {
        builder::CpuidRule made{.where = rule.where};
        for (unsigned bit = 0; bit < 32; ++bit) {
            if (rule.bit(bit) == '1') made.set |= 1u << bit;
            if (rule.bit(bit) == '0') made.clear |= 1u << bit;
        }
        rules.push_back(made);
    }
    return rules;
}

bool dumps_core(const xlcfg::Field<xlcfg::ShutdownAction>& action) {
    return action && (*action == xlcfg::ShutdownAction::coredump_destroy || *action == xlcfg::ShutdownAction::coredump_restart);
}

bool is_soft_reset(const xlcfg::Field<xlcfg::ShutdownAction>& action) { return action && *action == xlcfg::ShutdownAction::soft_reset; }

}  // namespace

Outcome<> check_supported(const DomainConfig& config) {
    const Missing missing[] = {
        {config.type() == xlcfg::GuestType::hvm, "type: only \"pvh\" and \"pv\" guests can be made"},
        {!config.framebuffers().empty() || !config.vkbs.empty(), "vfb, vkb: guests can't have a screen"},
        {!config.vtpms.empty() || !config.p9s.empty() || !config.pvcalls.empty() || !config.vdispls.empty() || !config.vsnds.empty(),
         "vtpm, p9, pvcalls, vdispl, vsnd: guests can't have these devices"},
        {!config.usb_controllers.empty() || !config.usb_devices.empty(), "usbctrl, usbdev: guests can't have USB devices"},
        {passes_hardware(config.passthrough), "pci, ioports, iomem, irqs: hardware can't be passed through"},
        {!config.memory.vnuma.empty(), "vnuma: guests have one NUMA node"},
        {wants_host_bits(config.cpu.cpuid), "cpuid: bits can't be taken from the host ('k')"},
        {config.boot.bootloader.value.has_value(), "bootloader: guests start from kernel= only"},
        {config.platform.nestedhvm.value_or(false), "nestedhvm: guests can't run a hypervisor"},
        {config.type() != xlcfg::GuestType::pv && !config.platform.hap.value_or(true), "hap: guests need nested paging"},
        {config.cpu.pool.value_or("Pool-0") != "Pool-0" && config.cpu.pool.value_or("0") != "0", "pool: there is only Pool-0"},
        {config.type() == xlcfg::GuestType::pvh && !config.platform.acpi.value_or(true), "acpi: PVH guests always get ACPI tables"},
        {config.platform.msr_relaxed.value_or(false), "msr_relaxed: accesses to unknown MSRs fault"},
        {config.security.driver_domain.value_or(false), "driver_domain: back ends run in dom0 only"},
        {maps_devices(config.passthrough), "passthrough: guests can't have devices of the host"},
        {needs_scheduler_other_than_credit2(config.cpu), "period, slice, extratime: the scheduler is credit2"},
    };
    for (const Missing& entry : missing) {
        if (entry.wanted) return Err{Error{ENOTSUP, std::string(entry.what) + " yet; remove that from the configuration"}};
    }
    if (!config.boot.kernel) return Err{Error{EINVAL, "the configuration has no kernel="}};
    return {};
}

std::vector<std::string> reservations(const DomainConfig& config) {
    std::vector<std::string> all;
    const xlcfg::Actions& on = config.on;
    const auto any = [&](bool (*holds)(const xlcfg::Field<xlcfg::ShutdownAction>&)) {
        return holds(on.poweroff) || holds(on.reboot) || holds(on.crash) || holds(on.watchdog) || holds(on.soft_reset);
    };
    if (any(dumps_core)) all.push_back("core dumps can't be written yet: such actions are done without");
    if (any(is_soft_reset)) all.push_back("soft reset can't be done yet: the guest is destroyed instead");
    if (config.security.nomigrate.value_or(false)) all.push_back("nomigrate: the guest doesn't see the invariant TSC yet");
    if (config.maxmem_kib() > config.memory_kib()) all.push_back("maxmem: a running guest can't grow beyond memory= yet");
    return all;
}

builder::GuestSpec guest_spec(const DomainConfig& config, const control::Handle& uuid) {
    builder::GuestSpec spec;
    spec.handle = config.uuid ? config.uuid->bytes : uuid;
    spec.kernel = config.boot.kernel.value_or("");
    spec.ramdisk = config.boot.ramdisk.value_or("");
    spec.command_line = config.command_line();
    spec.memory_kib = static_cast<u64>(config.memory_kib());
    spec.max_memory_kib = static_cast<u64>(config.maxmem_kib());
    spec.paging_kib = static_cast<u64>(config.memory.shadow_kib.value_or(0));
    spec.max_vcpus = static_cast<u32>(config.maxvcpus());
    spec.max_event_port = static_cast<u32>(config.security.max_event_channels.value_or(1023));
    spec.max_grant_frames = static_cast<i32>(config.security.max_grant_frames.value_or(-1));
    spec.max_maptrack_frames = static_cast<i32>(config.security.max_maptrack_frames.value_or(-1));
    spec.grant_version = static_cast<u32>(config.security.max_grant_version.value_or(2));
    spec.tsc_mode = static_cast<u32>(config.platform.tsc_mode.value_or(xlcfg::TscMode::automatic));
    spec.cpuid = cpuid_rules(config.cpu.cpuid);
    spec.timer_mode = static_cast<u32>(config.platform.timer_mode.value_or(xlcfg::TimerMode::no_delay_for_missed_ticks));
    spec.time_offset_seconds = config.platform.rtc_timeoffset.value_or(0);
    return spec;
}

}  // namespace px::domain

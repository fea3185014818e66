// From a configuration to what the builder makes.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/spec.hpp"

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

}  // namespace

Outcome<> check_supported(const DomainConfig& config) {
    const Missing missing[] = {
        {config.type() != xlcfg::GuestType::pvh, "type: only \"pvh\" guests can be made"},
        {!config.disks.empty(), "disk: guests can't have disks"},
        {!config.vifs.empty(), "vif: guests can't have network cards"},
        {!config.framebuffers().empty() || !config.vkbs.empty(), "vfb, vkb: guests can't have a screen"},
        {!config.channels.empty(), "channel: guests can't have channels"},
        {!config.vtpms.empty() || !config.p9s.empty() || !config.pvcalls.empty() || !config.vdispls.empty() || !config.vsnds.empty(),
         "vtpm, p9, pvcalls, vdispl, vsnd: guests can't have these devices"},
        {!config.usb_controllers.empty() || !config.usb_devices.empty(), "usbctrl, usbdev: guests can't have USB devices"},
        {passes_hardware(config.passthrough), "pci, ioports, iomem, irqs: hardware can't be passed through"},
        {!config.memory.vnuma.empty(), "vnuma: guests have one NUMA node"},
        {config.cpu.cpuid.value.has_value(), "cpuid: the CPU policy can't be changed"},
        {config.boot.bootloader.value.has_value(), "bootloader: guests start from kernel= only"},
        {config.platform.nestedhvm.value_or(false), "nestedhvm: guests can't run a hypervisor"},
        {!config.platform.hap.value_or(true), "hap: guests need nested paging"},
        {config.cpu.pool.value_or("Pool-0") != "Pool-0" && config.cpu.pool.value_or("0") != "0", "pool: there is only Pool-0"},
        {needs_scheduler_other_than_credit2(config.cpu), "period, slice, extratime: the scheduler is credit2"},
    };
    for (const Missing& entry : missing) {
        if (entry.wanted) return Err{Error{ENOTSUP, std::string(entry.what) + " yet; remove that from the configuration"}};
    }
    if (!config.boot.kernel) return Err{Error{EINVAL, "the configuration has no kernel="}};
    return {};
}

builder::PvhSpec pvh_spec(const DomainConfig& config, const control::Handle& uuid) {
    builder::PvhSpec spec;
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
    spec.time_offset_seconds = config.platform.rtc_timeoffset.value_or(0);
    return spec;
}

}  // namespace px::domain

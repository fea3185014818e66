// Keys of every domain: identity, CPUs, memory, booting, events, limits.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"
#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

using C = DomainConfig;

constexpr std::int64_t most_mib = 1ll << 34;  // 16 EiB
constexpr std::int64_t most_u32 = 0xffffffff;
constexpr std::string_view no_xsm = "the hypervisor has no security policy (XSM)";
constexpr std::string_view arm_only = "it is for Arm guests";

void set_type(DomainConfig& config, GuestType type, const Value& value) {
    config.type_field.value = type;
    config.type_field.span = value.span;
}

// The reference takes any beginning of a name ("h"), and there are files that rely on it.
void read_type(DomainConfig& config, const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, "'type'", out)) return;
    for (std::size_t at = 0; at < std::size(guest_type_names); ++at) {
        if (value.text.empty() || !guest_type_names[at].starts_with(value.text)) continue;
        if (value.text != guest_type_names[at])
            out.warning(value.span, "the guest type is abbreviated", "write \"" + std::string(guest_type_names[at]) + '"');
        return set_type(config, static_cast<GuestType>(at), value);
    }
    (void)read_choice(value, row, out);  // reports
}

// builder= is what type= was called; it only sets what type= doesn't.
void read_builder(DomainConfig& config, const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, quote(row.name), out)) return;
    const bool hvm = !value.text.empty() && std::string_view("hvm").starts_with(value.text);
    const bool generic = !value.text.empty() && std::string_view("generic").starts_with(value.text);
    if (!hvm && !generic && value.text != "linux")
        return out.error(value.span, "'builder' can't be " + quote(value.text), "it is hvm or generic; better: type=");
    const GuestType type = hvm ? GuestType::hvm : GuestType::pv;
    if (!config.type_field) return set_type(config, type, value);
    if (*config.type_field != type) out.error(value.span, "'builder' contradicts 'type'", "leave out builder");
}

Json show_type(const DomainConfig& config) {
    return config.type_field ? Json(guest_type_names[static_cast<std::size_t>(*config.type_field)]) : Json();
}

constexpr Access<C> type_access = {Shape::choice, guest_type_names, read_type, show_type};
constexpr std::string_view builder_names[] = {"generic", "hvm"};
constexpr Access<C> builder_access = {Shape::choice, builder_names, read_builder, [](const C&) { return Json(); }};

constexpr KeyRow rows[] = {
    {"name", text<&C::name>, {.doc = "Name of the domain, unique on the host. Mandatory."}},
    {"type", type_access, {.fallback = "pv", .since = "4.10", .doc = "Kind of guest."}},
    {"builder", builder_access, {.fallback = "generic", .replaced_by = "type", .doc = "Kind of guest, as it was once written."}},
    {"uuid", item<&C::uuid>, {.fallback = "random", .form = "UUID", .doc = "Identity of the domain."}},

    // CPUs
    {"pool", text<&C::cpu, &Cpu::pool>, {.fallback = "Pool-0", .doc = "CPU pool that the domain runs in."}},
    {"vcpus",
     number<&C::cpu, &Cpu::vcpus>,
     {.fallback = "1", .min = 1, .max = max_vcpus, .doc = "Number of virtual CPUs that are online at the start."}},
    {"maxvcpus",
     number<&C::cpu, &Cpu::maxvcpus>,
     {.fallback = "vcpus", .min = 1, .max = max_vcpus, .doc = "Number of virtual CPUs that the guest can bring up."}},
    {"cpus",
     item<&C::cpu, &Cpu::hard>,
     {.fallback = "all",
      .form = "CPULIST, or a list of one per vCPU",
      .doc = "Host CPUs that the vCPUs are confined to: 0-3,^1 all nodes:0-1."}},
    {"cpus_soft",
     item<&C::cpu, &Cpu::soft>,
     {.fallback = "all", .since = "4.5", .form = "as cpus", .doc = "Host CPUs that the vCPUs prefer."}},
    {"cpu_weight",
     number<&C::cpu, &Cpu::weight>,
     {.fallback = "256", .min = 1, .max = 65535, .doc = "Share of CPU time when domains compete."}},
    {"cap",
     number<&C::cpu, &Cpu::cap>,
     {.fallback = "0: none", .unit = "percent of a CPU", .max = most_u32, .doc = "Limit of CPU time, also on an idle host."}},
    {"period", number<&C::cpu, &Cpu::period>, {.unit = "microseconds", .max = most_u32, .doc = "RTDS scheduler: period of each vCPU."}},
    {"slice",
     number<&C::cpu, &Cpu::slice>,
     {.unit = "microseconds", .max = most_u32, .doc = "Real-time schedulers: time within each period."}},
    {"latency",
     number<&C::cpu, &Cpu::latency>,
     {.max = most_u32, .refused = "its scheduler, SEDF, no longer exists", .doc = "SEDF scheduler: scaled period of a waking domain."}},
    {"extratime", number<&C::cpu, &Cpu::extratime>, {.max = 1, .doc = "RTDS scheduler: whether the domain may use idle time."}},

    // Memory
    {"memory",
     mebibytes<&C::memory, &Memory::memory_kib>,
     {.fallback = "maxmem", .unit = "MiB", .min = 1, .max = most_mib, .doc = "Memory at the start."}},
    {"maxmem",
     mebibytes<&C::memory, &Memory::maxmem_kib>,
     {.fallback = "memory", .unit = "MiB", .min = 1, .max = most_mib, .doc = "Memory that the guest can ever have."}},
    {"vnuma",
     items<&C::memory, &Memory::vnuma>,
     {.guests = pvh_hvm,
      .since = "4.6",
      .form = "[ \"pnode=N\", \"size=MIB\", \"vcpus=LIST\", \"vdistances=N,N\" ], …",
      .doc = "NUMA nodes that the guest sees."}},

    // What is done when the domain stops
    {"on_poweroff", choice<&C::on, &Actions::poweroff>, {.fallback = "destroy", .doc = "Action when the guest powers off."}},
    {"on_reboot", choice<&C::on, &Actions::reboot>, {.fallback = "restart", .doc = "Action when the guest reboots."}},
    {"on_watchdog", choice<&C::on, &Actions::watchdog>, {.fallback = "destroy", .doc = "Action when the guest's watchdog fires."}},
    {"on_crash", choice<&C::on, &Actions::crash>, {.fallback = "destroy", .doc = "Action when the guest crashes."}},
    {"on_soft_reset",
     choice<&C::on, &Actions::soft_reset>,
     {.fallback = "soft-reset", .since = "4.6", .doc = "Action when the guest resets itself, as for kexec."}},

    // Booting
    {"kernel", text<&C::boot, &Boot::kernel>, {.form = "PATH", .doc = "Kernel image in dom0."}},
    {"ramdisk", text<&C::boot, &Boot::ramdisk>, {.form = "PATH", .doc = "Initial ramdisk (initrd) in dom0."}},
    {"cmdline", text<&C::boot, &Boot::cmdline>, {.doc = "Command line of the kernel; root and extra are then ignored."}},
    {"root", text<&C::boot, &Boot::root>, {.doc = "Puts root=… on the command line of the kernel."}},
    {"extra", text<&C::boot, &Boot::extra>, {.doc = "More for the command line of the kernel."}},
    {"firmware",
     text<&C::boot, &Boot::firmware>,
     {.guests = pv_hvm,
      .fallback = "bios for HVM",
      .form = "pvgrub32|pvgrub64 (PV); bios|uefi|seabios|rombios|ovmf|PATH (HVM)",
      .doc = "Firmware to boot instead of a kernel."}},
    {"bootloader",
     text<&C::boot, &Boot::bootloader>,
     {.guests = pv_pvh, .form = "PROGRAM", .doc = "Program in dom0, like pygrub, that finds the kernel on the guest's disk."}},
    {"bootloader_args",
     texts<&C::boot, &Boot::bootloader_args>,
     {.guests = pv_pvh, .single = true, .split = true, .doc = "Arguments of the bootloader."}},
    {"boot",
     item<&C::boot, &Boot::order>,
     {.guests = hvm_guest, .fallback = "cd", .form = "letters of c (disk), d (CD-ROM), n (network)", .doc = "Order of boot devices."}},
    {"bios",
     choice<&C::boot, &Boot::bios>,
     {.guests = hvm_guest, .fallback = "seabios", .doc = "Virtual firmware; firmware= can say it too."}},
    {"bios_path_override",
     text<&C::boot, &Boot::bios_path>,
     {.guests = hvm_guest, .since = "4.6", .form = "PATH", .doc = "File to load as the BIOS."}},
    {"firmware_override",
     text<&C::boot, &Boot::hvmloader_path>,
     {.guests = hvm_guest, .form = "PATH", .doc = "File to load as hvmloader."}},
    {"acpi_firmware",
     text<&C::boot, &Boot::acpi_tables_path>,
     {.guests = hvm_guest, .since = "4.3", .form = "PATH", .doc = "More ACPI tables, in AML, one after the other."}},
    {"smbios_firmware",
     text<&C::boot, &Boot::smbios_tables_path>,
     {.guests = hvm_guest, .since = "4.3", .form = "PATH", .doc = "SMBIOS structures, each after its size."}},
    {"pvshim",
     boolean<&C::boot, &Boot::pvshim>,
     {.guests = pvh_guest,
      .fallback = "0",
      .since = "4.11",
      .refused = "PV guests run directly, or as PVH",
      .doc = "Run a PV guest within a PVH container."}},
    {"pvshim_path",
     text<&C::boot, &Boot::pvshim_path>,
     {.guests = pvh_guest, .since = "4.11", .form = "PATH", .doc = "Image of the shim; ignored without pvshim."}},
    {"pvshim_cmdline",
     text<&C::boot, &Boot::pvshim_cmdline>,
     {.guests = pvh_guest,
      .fallback = "pv-shim console=xen,pv",
      .since = "4.11",
      .doc = "Command line of the shim; ignored without pvshim."}},
    {"pvshim_extra",
     text<&C::boot, &Boot::pvshim_extra>,
     {.guests = pvh_guest, .since = "4.11", .doc = "More for the shim's command line; ignored without pvshim."}},

    // Limits and rights
    {"seclabel", text<&C::security, &Security::seclabel>, {.refused = no_xsm, .doc = "XSM label of the domain."}},
    {"init_seclabel", text<&C::security, &Security::init_seclabel>, {.refused = no_xsm, .doc = "XSM label while the domain is built."}},
    {"max_grant_frames",
     number<&C::security, &Security::max_grant_frames>,
     {.fallback = "of xl.conf", .since = "4.10", .max = most_u32, .doc = "Pages of the grant table."}},
    {"max_maptrack_frames",
     number<&C::security, &Security::max_maptrack_frames>,
     {.fallback = "of xl.conf", .since = "4.10", .max = most_u32, .doc = "Pages that track the grants mapped from others."}},
    {"max_grant_version",
     number<&C::security, &Security::max_grant_version>,
     {.fallback = "of xl.conf", .since = "4.16", .max = 2, .doc = "Version of the grant table."}},
    {"max_event_channels",
     number<&C::security, &Security::max_event_channels>,
     {.fallback = "1023", .since = "4.4", .max = 131071, .doc = "Number of event channels."}},
    {"nomigrate", boolean<&C::security, &Security::nomigrate>, {.fallback = "0", .doc = "Give up migration, and gain the invariant TSC."}},
    {"driver_domain",
     boolean<&C::security, &Security::driver_domain>,
     {.fallback = "0", .since = "4.4", .doc = "Let the domain serve backends."}},
    {"xend_suspend_evtchn_compat",
     boolean<&C::security, &Security::xend_suspend_evtchn_compat>,
     {.fallback = "0",
      .since = "4.14",
      .refused = "the xenstore layout of xend is not kept",
      .doc = "Xenstore layout for old Windows drivers."}},
    {"vmtrace_buf_kb",
     number<&C::security, &Security::vmtrace_buf_kb>,
     {.fallback = "0",
      .since = "4.15",
      .unit = "KiB",
      .max = 16384,
      .refused = "the hypervisor has no processor trace",
      .doc = "Buffer of processor trace for each vCPU."}},
    {"vpmu",
     boolean<&C::security, &Security::vpmu>,
     {.fallback = "0", .since = "4.16", .refused = arm_only, .doc = "Arm: give the guest the performance counters."}},

    // Arm
    {"device_tree",
     text<&C::arm, &Arm::device_tree>,
     {.since = "4.6", .form = "PATH", .refused = arm_only, .doc = "Arm: partial device tree to copy from."}},
    {"dtdev",
     texts<&C::arm, &Arm::dtdev>,
     {.since = "4.6", .refused = arm_only, .doc = "Arm: paths of device-tree nodes to pass through."}},
    {"gic_version",
     choice<&C::arm, &Arm::gic_version>,
     {.fallback = "default", .since = "4.6", .refused = arm_only, .doc = "Arm: interrupt controller that the guest sees."}},
    {"vuart", choice<&C::arm, &Arm::vuart>, {.since = "4.10", .refused = arm_only, .doc = "Arm: virtual UART."}},
    {"tee",
     choice<&C::arm, &Arm::tee>,
     {.fallback = "none", .since = "4.13", .refused = arm_only, .doc = "Arm: trusted execution environment."}},
};

}  // namespace

bool read(BootOrder& order, const Value& value, Diagnostics& out) {
    if (!check_text(value, "'boot'", out)) return false;
    const std::size_t wrong = value.text.find_first_not_of("cdn");
    if (wrong != std::string::npos)
        out.error(value.part(wrong, 1).span, "there is no boot device " + quote(value.text.substr(wrong, 1)),
                  "it is c (disk), d (CD-ROM) or n (network)");
    order.letters = value.text;
    return wrong == std::string::npos;
}

Json show(const BootOrder& order) { return order.letters; }

std::span<const KeyRow> domain_keys() { return rows; }

}  // namespace px::xlcfg

// Keys of the virtual platform: paging, CPU features, ACPI, time, Hyper-V enlightenments.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"
#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

using C = DomainConfig;

constexpr std::string_view no_shadow = "guests' memory is translated by nested paging only";

// The boolean that altp2m= replaced: 1 is the mixed mode.
void read_altp2mhvm(C& config, const Value& value, const RowView& row, Diagnostics& out) {
    const std::optional<bool> on = read_boolean(value, row, out);
    Field<Altp2m>& mode = config.platform.altp2m;
    if (on && !mode) {
        mode.value = *on ? Altp2m::mixed : Altp2m::disabled;
        mode.span = value.span;
    }
}
constexpr Access<C> altp2mhvm_access = {Shape::boolean, {}, read_altp2mhvm, [](const C&) { return Json(); }};

constexpr std::string_view no_altp2m = "the hypervisor has no alternate views of memory";

constexpr KeyRow rows[] = {
    {"hap",
     boolean<&C::platform, &Platform::hap>,
     {.guests = pvh_hvm, .fallback = "1", .doc = "Translate the guest's memory by nested paging (EPT, NPT)."}},
    {"oos",
     boolean<&C::platform, &Platform::oos>,
     {.guests = pvh_hvm, .fallback = "1", .refused = no_shadow, .doc = "Shadow page tables may be out of step with the guest's."}},
    {"shadow_memory",
     mebibytes<&C::memory, &Memory::shadow_kib>,
     {.guests = pvh_hvm,
      .fallback = "1 per vCPU and 8 KiB per MiB",
      .unit = "MiB",
      .max = 1 << 24,
      .doc = "Memory for the guest's nested page tables."}},
    {"pae",
     boolean<&C::platform, &Platform::pae>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Show the guest PAE, which 64-bit systems need."}},
    {"nx", boolean<&C::platform, &Platform::nx>, {.guests = hvm_guest, .fallback = "1", .doc = "Show the guest the no-execute bit."}},
    {"nestedhvm",
     boolean<&C::platform, &Platform::nestedhvm>,
     {.guests = pvh_hvm, .fallback = "0", .doc = "Show the guest hardware virtualization."}},
    {"cpuid",
     item<&C::cpu, &Cpu::cpuid>,
     {.form = "\"host,FEATURE=BIT,…\", or [ \"LEAF[,SUBLEAF]:REG=32 BITS,…\" ]",
      .doc = "What CPUID answers: 0, 1, x (the default) or k (the host's)."}},
    {"msr_relaxed",
     boolean<&C::platform, &Platform::msr_relaxed>,
     {.fallback = "0", .since = "4.15", .doc = "Unknown MSRs read as 0 instead of faulting."}},
    {"altp2m",
     choice<&C::platform, &Platform::altp2m>,
     {.guests = pvh_hvm,
      .fallback = "disabled",
      .refused = no_altp2m,
      .doc = "Alternate views of the guest's memory, and who manages them."}},
    {"altp2mhvm",
     altp2mhvm_access,
     {.guests = hvm_guest,
      .fallback = "0",
      .replaced_by = "altp2m",
      .refused = no_altp2m,
      .doc = "Alternate views of the guest's memory."}},
    {"mca_caps",
     texts<&C::platform, &Platform::mca_caps>,
     {.guests = hvm_guest, .refused = "the hypervisor has no virtual machine checks", .doc = "Machine-check capabilities: lmce."}},
    {"e820_host",
     boolean<&C::platform, &Platform::e820_host>,
     {.guests = pv_guest, .fallback = "1 if pci is given", .doc = "Lay out the guest's memory map like the host's."}},

    // Firmware tables
    {"acpi", boolean<&C::platform, &Platform::acpi>, {.guests = pvh_hvm, .fallback = "1", .doc = "Give the guest ACPI tables."}},
    {"acpi_s3", boolean<&C::platform, &Platform::acpi_s3>, {.guests = hvm_guest, .fallback = "1", .doc = "Offer suspend to RAM."}},
    {"acpi_s4", boolean<&C::platform, &Platform::acpi_s4>, {.guests = hvm_guest, .fallback = "1", .doc = "Offer suspend to disk."}},
    {"acpi_laptop_slate",
     boolean<&C::platform, &Platform::acpi_laptop_slate>,
     {.guests = hvm_guest, .fallback = "0", .doc = "Offer the switch between laptop and tablet."}},
    {"apic",
     boolean<&C::platform, &Platform::apic>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Describe the APICs in the tables of a guest with one vCPU."}},
    {"hpet", boolean<&C::platform, &Platform::hpet>, {.guests = hvm_guest, .fallback = "1", .doc = "Give the guest an HPET."}},
    {"ms_vm_genid",
     choice<&C::platform, &Platform::generation_id>,
     {.guests = hvm_guest, .fallback = "none", .doc = "Generation ID, by which Windows sees that it was cloned."}},
    {"mmio_hole",
     mebibytes<&C::memory, &Memory::mmio_hole_kib>,
     {.guests = hvm_guest, .unit = "MiB", .min = 256, .max = 3840, .doc = "Size of the hole for devices below 4 GiB."}},
    {"xen_platform_pci",
     boolean<&C::platform, &Platform::xen_platform_pci>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Give the guest the PCI device that PV drivers look for."}},
    {"vendor_device",
     choice<&C::platform, &Platform::vendor_device>,
     {.guests = hvm_guest, .fallback = "none", .doc = "PCI device that XenServer's Windows drivers look for."}},
    {"viridian",
     item<&C::platform, &Platform::viridian>,
     {.guests = hvm_guest,
      .fallback = "0",
      .since = "4.4",
      .form = "0, 1, or [ GROUP, !GROUP, … ]",
      .doc = "Hyper-V enlightenments for Windows, in groups."}},

    // Time
    {"tsc_mode",
     choice<&C::platform, &Platform::tsc_mode>,
     {.fallback = "default", .numeric = true, .doc = "How the time-stamp counter is provided."}},
    {"timer_mode",
     choice<&C::platform, &Platform::timer_mode>,
     {.guests = pvh_hvm,
      .fallback = "no_delay_for_missed_ticks",
      .numeric = true,
      .doc = "What becomes of timer ticks that the guest missed."}},
    {"localtime",
     boolean<&C::platform, &Platform::localtime>,
     {.guests = hvm_guest, .fallback = "0", .doc = "The clock shows local time instead of UTC."}},
    {"rtc_timeoffset",
     number<&C::platform, &Platform::rtc_timeoffset>,
     {.guests = hvm_guest,
      .fallback = "0",
      .unit = "seconds",
      .min = -0x7fffffff,
      .max = 0x7fffffff,
      .doc = "How much the clock is ahead."}},
    {"vpt_align",
     boolean<&C::platform, &Platform::vpt_align>,
     {.guests = hvm_guest, .fallback = "1", .doc = "Let periodic timers expire together."}},
};

// Special members of viridian=.
constexpr std::uint32_t bit(ViridianGroup group) { return 1u << static_cast<unsigned>(group); }
constexpr std::uint32_t default_groups = bit(ViridianGroup::base) | bit(ViridianGroup::freq) | bit(ViridianGroup::time_ref_count) |
                                         bit(ViridianGroup::apic_assist) | bit(ViridianGroup::crash_ctl) | bit(ViridianGroup::stimer) |
                                         bit(ViridianGroup::no_vp_limit) | bit(ViridianGroup::cpu_hotplug);
constexpr std::uint32_t all_groups = (1u << std::size(viridian_group_names)) - 1;

std::optional<std::uint32_t> groups_named(const Value& name, Diagnostics& out) {
    if (name.text == "defaults") return default_groups;
    if (name.text == "all") return all_groups;
    for (std::size_t at = 0; at < std::size(viridian_group_names); ++at)
        if (viridian_group_names[at] == name.text) return 1u << at;
    out.error(name.span, "unknown viridian group " + quote(name.text),
              did_you_mean(name.text, viridian_group_names, "it is defaults, all, " + enumerate(viridian_group_names)));
    return std::nullopt;
}

}  // namespace

bool read(Viridian& viridian, const Value& value, Diagnostics& out) {
    if (!value.is_list()) {
        const std::optional<std::int64_t> number = parse_number(value.text);
        if (!number) out.error(value.span, "'viridian' takes a list of groups or a boolean", "write [ \"defaults\" ]");
        else if (*number != 0) viridian.enabled = default_groups;
        return number.has_value();
    }
    const std::size_t errors = out.errors();
    for (const Value& element : value.items) {
        if (!check_text(element, "a viridian group", out)) continue;
        const Value text = element.trimmed();
        const bool off = text.text.starts_with('!');
        if (const auto groups = groups_named(off ? text.part(1) : text, out)) (off ? viridian.disabled : viridian.enabled) |= *groups;
    }
    if (out.errors() != errors) return false;
    if (viridian.groups() == 0 || (viridian.groups() & bit(ViridianGroup::base)) != 0) return true;
    out.error(value.span, "the other viridian groups need the group 'base'", "add \"base\"");
    return false;
}

Json show(const Viridian& viridian) {
    Json all = Json::array();
    for (std::size_t at = 0; at < std::size(viridian_group_names); ++at)
        if ((viridian.groups() >> at & 1) != 0) all.push_back(viridian_group_names[at]);
    return all;
}

std::span<const KeyRow> platform_keys() { return rows; }

}  // namespace px::xlcfg

// Keys of devices: paravirtual ones, and hardware of the host.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/schema.hpp"

namespace px::xlcfg {

namespace {

using C = DomainConfig;

constexpr std::string_view not_yet = "the toolstack doesn't serve this device yet";

// 0, 1 or the name of a kind of card.
void read_gfx_passthru(C& config, const Value& value, const RowView& row, Diagnostics& out) {
    Field<GfxPassthru>& gfx = config.passthrough.gfx;
    const std::optional<std::int64_t> number = value.is_list() ? std::nullopt : parse_number(value.text);
    if (number) {
        gfx.value = *number != 0 ? GfxPassthru::automatic : GfxPassthru::off;
        gfx.span = value.span;
    } else if (const std::optional<std::size_t> choice = read_choice(value, row, out)) {
        gfx.value = static_cast<GfxPassthru>(*choice);
        gfx.span = value.span;
    }
}
constexpr Access<C> gfx_access = {Shape::choice, gfx_passthru_names, read_gfx_passthru, [](const C& config) {
                                      const Field<GfxPassthru>& gfx = config.passthrough.gfx;
                                      return gfx ? Json(gfx_passthru_names[static_cast<std::size_t>(*gfx)]) : Json();
                                  }};

constexpr KeyRow rows[] = {
    {"disk",
     items<&C::disks>,
     {.form = "TARGET,FORMAT,VDEV,ACCESS or KEY=VALUE,…", .doc = "Disks and CD-ROM drives; xl-disk-configuration(5)."}},
    {"vif", items<&C::vifs>, {.form = "KEY=VALUE,…", .doc = "Network interfaces; xl-network-configuration(5)."}},
    {"vif2",
     nowhere<C, Shape::texts>,
     {.refused = "the second version of network interfaces was never finished; use vif", .doc = "An abandoned kind of network interface."}},
    {"vfb", items<&C::vfbs>, {.guests = pv_pvh, .form = "KEY=VALUE,…", .doc = "Paravirtual framebuffers."}},
    {"channel",
     items<&C::channels>,
     {.since = "4.5", .form = "KEY=VALUE,…", .doc = "Byte streams between guest and dom0; xen-pv-channel(7)."}},
    {"vkb", items<&C::vkbs>, {.form = "KEY=VALUE,…", .refused = not_yet, .doc = "Paravirtual keyboards and pointers."}},
    {"vtpm", items<&C::vtpms>, {.form = "KEY=VALUE,…", .refused = not_yet, .doc = "Virtual TPMs; xen-vtpm(7)."}},
    {"p9", items<&C::p9s>, {.form = "KEY=VALUE,…", .refused = not_yet, .doc = "Directories shared by 9pfs."}},
    {"pvcalls",
     items<&C::pvcalls>,
     {.form = "backend=DOMAIN", .refused = not_yet, .doc = "Sockets of the guest that the backend's domain makes."}},
    {"vdispl", items<&C::vdispls>, {.form = "KEY=VALUE,…", .refused = not_yet, .doc = "Paravirtual displays."}},
    {"vsnd", items<&C::vsnds>, {.form = "[ 'CARD,…', 'PCM,…', 'STREAM,…' ], …", .refused = not_yet, .doc = "Paravirtual sound cards."}},
    {"usbctrl", items<&C::usb_controllers>, {.since = "4.7", .form = "KEY=VALUE,…", .doc = "USB controllers."}},
    {"usbdev", items<&C::usb_devices>, {.since = "4.7", .form = "KEY=VALUE,…", .doc = "USB devices of the host."}},

    // Hardware of the host
    {"passthrough",
     choice<&C::passthrough, &Passthrough::mode>,
     {.fallback = "default", .since = "4.13", .doc = "Whether and how the IOMMU maps the guest's memory."}},
    {"pci",
     items<&C::passthrough, &Passthrough::pci>,
     {.form = "[BDF[@VSLOT],]KEY=VALUE,…", .doc = "PCI devices of the host; xl-pci-configuration(5)."}},
    {"pci_permissive",
     boolean<&C::passthrough, &Passthrough::permissive>,
     {.fallback = "0", .doc = "Default of permissive for all PCI devices."}},
    {"pci_msitranslate",
     boolean<&C::passthrough, &Passthrough::msitranslate>,
     {.fallback = "0", .doc = "Default of msitranslate for all PCI devices."}},
    {"pci_seize",
     boolean<&C::passthrough, &Passthrough::seize>,
     {.fallback = "0", .since = "4.3", .doc = "Default of seize for all PCI devices."}},
    {"pci_power_mgmt",
     boolean<&C::passthrough, &Passthrough::power_mgmt>,
     {.guests = hvm_guest, .fallback = "0", .doc = "Default of power_mgmt for all PCI devices."}},
    {"gfx_passthru",
     gfx_access,
     {.guests = hvm_guest,
      .fallback = "0",
      .form = "0, 1, default or igd",
      .doc = "Make a passed-through graphics card the guest's first one."}},
    {"rdm",
     item<&C::passthrough, &Passthrough::rdm>,
     {.guests = hvm_guest,
      .since = "4.6",
      .form = "strategy=host,policy=strict|relaxed",
      .doc = "What to do about reserved device memory."}},
    {"rdm_mem_boundary",
     mebibytes<&C::memory, &Memory::rdm_boundary_kib>,
     {.guests = hvm_guest,
      .fallback = "2048",
      .since = "4.6",
      .unit = "MiB",
      .max = 4096,
      .doc = "Where reserved memory begins to end the guest's low memory."}},
    {"ioports",
     items<&C::passthrough, &Passthrough::ioports>,
     {.form = "\"FIRST-LAST\", hexadecimal", .doc = "I/O ports of the host that the guest may use."}},
    {"iomem",
     items<&C::passthrough, &Passthrough::iomem>,
     {.form = "\"START,PAGES[@GFN]\", hexadecimal", .doc = "I/O memory of the host that the guest may use."}},
    {"irqs", items<&C::passthrough, &Passthrough::irqs>, {.form = "NUMBER", .doc = "IRQs of the host that the guest may use."}},
};

}  // namespace

std::span<const KeyRow> device_keys() { return rows; }

}  // namespace px::xlcfg

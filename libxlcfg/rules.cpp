// The rules between keys.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "libxlcfg/load.hpp"

namespace px::xlcfg {

namespace {

void check_identity(const DomainConfig& config, Span start, Diagnostics& out) {
    if (!config.name) return out.error(start, "the domain has no name", "add name = \"…\"");
    if (config.name->empty()) out.error(config.name.span, "the name is empty");
    else if (config.name->find_first_not_of("0123456789") == std::string::npos)
        out.warning(config.name.span, "a name of digits looks like the number of a domain");
}

void check_cpus(const DomainConfig& config, Diagnostics& out) {
    const Cpu& cpu = config.cpu;
    if (cpu.vcpus && cpu.maxvcpus && *cpu.vcpus > *cpu.maxvcpus)
        out.error(cpu.vcpus.span, "'vcpus' is larger than 'maxvcpus'", "raise maxvcpus to " + std::to_string(*cpu.vcpus));
    for (const Field<Affinity>* affinity : {&cpu.hard, &cpu.soft})
        if (*affinity && !(*affinity)->shared && static_cast<std::int64_t>((*affinity)->lists.size()) > config.maxvcpus())
            out.warning(affinity->span, "this list has more elements than the guest has vCPUs",
                        "it has " + std::to_string(config.maxvcpus()));
}

void check_memory(const DomainConfig& config, Diagnostics& out) {
    const Memory& memory = config.memory;
    if (memory.memory_kib && config.memory_kib() > config.maxmem_kib())
        out.error(memory.memory_kib.span, "'memory' is larger than 'maxmem'",
                  "raise maxmem to " + std::to_string(config.memory_kib() / 1024));
}

void check_vnuma(const DomainConfig& config, Diagnostics& out) {
    const std::vector<VirtualNode>& nodes = config.memory.vnuma;
    if (nodes.empty()) return;
    std::map<std::uint32_t, unsigned> times;
    std::int64_t sum = 0;
    for (const VirtualNode& node : nodes) {
        sum += node.memory_kib;
        if (node.distances.size() != nodes.size())
            out.error(node.span, "this virtual node has " + std::to_string(node.distances.size()) + " distances",
                      "it needs one to each of the " + std::to_string(nodes.size()) + " nodes");
        for (std::uint32_t vcpu : node.vcpus) {
            if (vcpu >= config.maxvcpus())
                out.error(node.span, "this virtual node has vCPU " + std::to_string(vcpu) + ", the guest doesn't",
                          "the guest has vCPUs 0 to " + std::to_string(config.maxvcpus() - 1));
            else if (++times[vcpu] == 2) out.error(node.span, "vCPU " + std::to_string(vcpu) + " is in two virtual nodes");
        }
    }
    for (std::int64_t vcpu = 0; vcpu < config.maxvcpus(); ++vcpu)
        if (!times.contains(static_cast<std::uint32_t>(vcpu)))
            return out.error(nodes.front().span, "vCPU " + std::to_string(vcpu) + " is in no virtual node");
    if (config.memory.maxmem_kib && sum != *config.memory.maxmem_kib)
        out.error(config.memory.maxmem_kib.span, "'maxmem' is not the sum of the virtual nodes",
                  "that is " + std::to_string(sum / 1024) + "; leave out maxmem");
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

void check_firmware(const DomainConfig& config, Diagnostics& out) {
    const Text& firmware = config.boot.firmware;
    const Field<Bios>& bios = config.boot.bios;
    if (firmware && config.type() == GuestType::pv && !is_one_of(*firmware, {"pvgrub32", "pvgrub64"}))
        out.error(firmware.span, "a PV guest has no firmware " + quote(*firmware), "it is pvgrub32 or pvgrub64");
    if (firmware && config.type() == GuestType::hvm && !firmware->starts_with('/') &&
        !is_one_of(*firmware, {"bios", "uefi", "seabios", "rombios", "ovmf"}))
        out.error(firmware.span, "an HVM guest has no firmware " + quote(*firmware),
                  "it is bios, uefi, seabios, rombios, ovmf or an absolute path");
    const bool rombios = bios && *bios == Bios::rombios;
    if (rombios || (firmware && *firmware == "rombios"))
        out.error(rombios ? bios.span : firmware.span, "ROMBIOS is refused: it needs the traditional QEMU, which is not shipped",
                  "write seabios");
}

void check_boot(const DomainConfig& config, Span start, Diagnostics& out) {
    const Boot& boot = config.boot;
    check_firmware(config, out);
    if (boot.cmdline && (boot.root || boot.extra))
        out.warning(boot.root ? boot.root.span : boot.extra.span, "'root' and 'extra' have no effect beside 'cmdline'",
                    "put it all into cmdline");
    const bool pv_firmware = config.type() == GuestType::pv && boot.firmware;
    if (config.type() != GuestType::hvm && !boot.kernel && !boot.bootloader && !pv_firmware)
        out.error(config.type_field ? config.type_field.span : start, "this guest has nothing to boot",
                  "a PV or PVH guest needs kernel = \"…\" or bootloader = \"pygrub\"");
    if (boot.ramdisk && !boot.kernel && !boot.bootloader) out.warning(boot.ramdisk.span, "'ramdisk' has no effect without 'kernel'");
}

void check_disks(const DomainConfig& config, Diagnostics& out) {
    std::map<std::uint32_t, std::string> numbers;
    for (const Disk& disk : config.disks) {
        const auto [other, fresh] = numbers.emplace(disk.device().number, *disk.vdev);
        if (!fresh) out.error(disk.vdev.span, "another disk is " + quote(other->second) + " already", "each disk needs its own vdev");
        if (disk.device().partition != 0 && config.type() == GuestType::hvm && disk.device().bus != VirtualDisk::Bus::xvd)
            out.error(disk.vdev.span, "an emulated disk can't be a partition", "write xvd… or leave out the number");
    }
}

void check_vifs(const DomainConfig& config, Diagnostics& out) {
    std::set<std::array<std::uint8_t, 6>> macs;
    std::set<std::int64_t> ids;
    for (const Vif& vif : config.vifs) {
        if (vif.mac && !macs.insert(vif.mac->bytes).second) out.error(vif.mac.span, "another vif has this MAC address already");
        if (vif.devid && !ids.insert(*vif.devid).second) out.error(vif.devid.span, "another vif has this devid already");
    }
}

void check_passthrough(const DomainConfig& config, Diagnostics& out) {
    const Passthrough& passthrough = config.passthrough;
    if (passthrough.mode && *passthrough.mode == PassthroughMode::disabled && !passthrough.pci.empty())
        out.error(passthrough.mode.span, "'passthrough' is disabled, and 'pci' passes a device through", "leave out one of them");
    if (passthrough.mode && *passthrough.mode == PassthroughMode::share_pt && config.type() == GuestType::pv)
        out.error(passthrough.mode.span, "a PV guest can't share page tables with the IOMMU", "write sync_pt");
    std::set<std::string> seen;
    for (const PciDevice& device : passthrough.pci)
        if (device.bdf && !seen.insert(show(*device.bdf).get<std::string>()).second)
            out.error(device.bdf.span, "this PCI device is passed through already");
}

void check_display(const DomainConfig& config, Diagnostics& out) {
    const Display& display = config.display;
    if (config.type() != GuestType::hvm || !display.spice.value_or(false)) return;
    if (!display.spice_port && !display.spice_tls_port)
        out.error(display.spice.span, "SPICE needs a port", "add spiceport or spicetls_port");
    if (!display.spice_disable_ticketing.value_or(false) && !display.spice_password)
        out.error(display.spice.span, "SPICE needs a password", "add spicepasswd, or spicedisable_ticketing = 1");
}

void check_device_model(const DomainConfig& config, Diagnostics& out) {
    const DeviceModel& model = config.device_model;
    if (model.version && *model.version == DeviceModelVersion::qemu_xen_traditional)
        out.error(model.version.span, "qemu-xen-traditional is refused: it is not shipped", "leave out device_model_version");
    if (model.usbversion && (model.usb.value_or(false) || model.usbdevice))
        out.error(model.usbversion.span, "'usbversion' doesn't go with 'usb' or 'usbdevice'", "use usbctrl for both");
    const Field<TscMode>& tsc = config.platform.tsc_mode;
    if (tsc && *tsc == TscMode::native_paravirt) out.error(tsc.span, "the TSC mode native_paravirt no longer exists", "write default");
}

}  // namespace

void check_rules(const DomainConfig& config, Span start, Diagnostics& out) {
    check_identity(config, start, out);
    check_cpus(config, out);
    check_memory(config, out);
    check_vnuma(config, out);
    check_boot(config, start, out);
    check_disks(config, out);
    check_vifs(config, out);
    check_passthrough(config, out);
    check_display(config, out);
    check_device_model(config, out);
}

std::string DomainConfig::command_line() const {
    if (boot.cmdline) return *boot.cmdline;
    if (!boot.root) return boot.extra.value_or("");
    return "root=" + *boot.root + (boot.extra ? ' ' + *boot.extra : "");
}

std::int64_t DomainConfig::maxmem_kib() const {
    constexpr std::int64_t least = 32 * 1024;
    if (memory.maxmem_kib) return *memory.maxmem_kib;
    std::int64_t nodes = 0;
    for (const VirtualNode& node : memory.vnuma) nodes += node.memory_kib;
    return nodes != 0 ? nodes : memory.memory_kib.value_or(least);
}

std::int64_t DomainConfig::memory_kib() const { return memory.memory_kib ? *memory.memory_kib : maxmem_kib(); }

std::vector<Vfb> DomainConfig::framebuffers() const {
    if (type() == GuestType::hvm) return {};
    const bool wanted = display.vfb.vnc.value_or(false) || display.vfb.sdl.value_or(false);
    return vfbs.empty() && wanted ? std::vector{display.vfb} : vfbs;
}

}  // namespace px::xlcfg

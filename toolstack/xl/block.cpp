// xl block-attach, block-list, block-detach.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/disk.hpp"
#include "toolstack/xl/devices.hpp"

namespace px::xl {

using device::Device;
using device::Kind;

namespace {

Outcome<int> attach(const Arguments& arguments) {
    const auto disk = read_spec<xlcfg::Disk>(arguments);
    if (!disk) return exit_failure;
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    const auto wanted = TRY(device::new_disk(*disk, DomId{info.domain}));
    TRY(device::refuse_shared(system.store, wanted));
    if (dry_run) return exit_success;
    TRY(device::attach(system.store, wanted));
    TRY(change_config(info, [&](xlcfg::DomainConfig& config) { config.disks.push_back(*disk); }));
    return exit_success;
}

Outcome<int> list(const Arguments& arguments) {
    System system = TRY(System::open());
    Json all = Json::array();
    std::string text = "Vdev  BE  handle state  evt-ch ring-ref BE-path                       \n";
    for (const Device& device : TRY(devices_of_words(system, arguments, Kind::vbd))) {
        const Shown shown = TRY(look_at(system, device));
        const int ring = TRY(front_number(system, device, "ring-ref"));
        text += format("%-5u %-3u %-6u %-5u %-6d %-8d %-30s\n", device.id, device.backend.raw, device.guest.raw, shown.state,
                       shown.event_channel, ring, shown.back.c_str());
        const auto said = [&](const char* node) { return device::value_of(system.store, device.record() + "/" + node); };
        all.push_back({{"domid", device.guest.raw},
                       {"vdev", TRY(said("dev"))},
                       {"devid", device.id},
                       {"backend", device.backend.raw},
                       {"target", TRY(said("params"))},
                       {"mode", TRY(said("mode"))},
                       {"state", shown.state},
                       {"event_channel", shown.event_channel},
                       {"ring_ref", ring},
                       {"backend_path", shown.back}});
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

/// By its name in the guest, or its number.
Outcome<Device> find(System& system, DomId guest, const std::string& text) {
    const auto vdev = xlcfg::parse_virtual_disk(text);
    for (const Device& device : TRY(device::devices_of(system.store, guest, Kind::vbd))) {
        if (vdev && vdev->number == device.id) return device;
    }
    return Err{Error{ENODEV, "the domain has no disk " + text + ": 'xl block-list' shows those it has"}};
}

Outcome<int> detach(const Arguments& arguments) {
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    const Device device = TRY(find(system, DomId{info.domain}, arguments.word(1)));
    TRY(device::detach(system.store, device, arguments.has('f') ? device::Force::after : device::Force::none));
    TRY(change_config(info, [&](xlcfg::DomainConfig& config) {
        std::erase_if(config.disks, [&](const xlcfg::Disk& disk) { return disk.device().number == device.id; });
    }));
    return exit_success;
}

constexpr Option list_options[] = {json_option};
constexpr Option detach_options[] = {{'f', "force", "", "also when the guest doesn't let go of it"}};

}  // namespace

const Command block_attach_command{"block-attach", "DOMAIN DISK…", "Gives a domain a disk; DISK as in disk=", {}, 2, any_number, attach};
const Command block_detach_command{"block-detach", "DOMAIN VDEV", "Takes a disk away", detach_options, 2, 2, detach};
const Command block_list_command{"block-list", "DOMAIN…", "Shows the disks of domains", list_options, 1, any_number, list};

}  // namespace px::xl

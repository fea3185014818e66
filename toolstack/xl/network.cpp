// xl network-attach, network-list, network-detach.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "toolstack/device/vif.hpp"
#include "toolstack/xl/devices.hpp"

namespace px::xl {

using device::Device;
using device::Kind;

namespace {

/// What the card lacks: the lowest number that is free, and a MAC address.
Outcome<> settle(System& system, DomId guest, xlcfg::Vif& vif) {
    if (!vif.mac) vif.mac.value = device::random_mac();
    std::set<std::int64_t> taken;
    for (const Device& each : TRY(device::devices_of(system.store, guest, Kind::vif))) taken.insert(each.id);
    for (std::int64_t number = 0; !vif.devid; ++number) {
        if (!taken.contains(number)) vif.devid.value = number;
    }
    return {};
}

Outcome<int> attach(const Arguments& arguments) {
    auto vif = read_spec<xlcfg::Vif>(arguments);
    if (!vif) return exit_failure;
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    const DomId guest{info.domain};
    TRY(settle(system, guest, *vif));
    const auto wanted = TRY(device::new_vif(*vif, guest, TRY(device::VifDefaults::load())));
    if (dry_run) return exit_success;
    TRY(device::attach(system.store, wanted));
    TRY(change_config(info, [&](xlcfg::DomainConfig& config) { config.vifs.push_back(*vif); }));
    return exit_success;
}

Outcome<int> list(const Arguments& arguments) {
    System system = TRY(System::open());
    Json all = Json::array();
    std::string text = "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path\n";
    for (const Device& device : TRY(devices_of_words(system, arguments, Kind::vif))) {
        const Shown shown = TRY(look_at(system, device));
        const std::string mac = TRY(device::value_of(system.store, device.record() + "/mac"));
        const int tx = TRY(front_number(system, device, "tx-ring-ref")), rx = TRY(front_number(system, device, "rx-ring-ref"));
        text += format("%-3u %-2u %-17s %6u %5u %6d %5d/%-11d %-30s\n", device.id, device.backend.raw, mac.c_str(), device.id, shown.state,
                       shown.event_channel, tx, rx, shown.back.c_str());
        all.push_back({{"domid", device.guest.raw},
                       {"devid", device.id},
                       {"backend", device.backend.raw},
                       {"mac", mac},
                       {"state", shown.state},
                       {"event_channel", shown.event_channel},
                       {"tx_ring_ref", tx},
                       {"rx_ring_ref", rx},
                       {"backend_path", shown.back}});
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

/// By its number or its MAC address.
Outcome<Device> find(System& system, DomId guest, const std::string& text) {
    for (const Device& device : TRY(device::devices_of(system.store, guest, Kind::vif))) {
        const std::string mac = TRY(device::value_of(system.store, device.record() + "/mac"));
        if (std::to_string(device.id) == text || strcasecmp(mac.c_str(), text.c_str()) == 0) return device;
    }
    return Err{Error{ENODEV, "the domain has no network card " + text + ": 'xl network-list' shows those it has"}};
}

Outcome<int> detach(const Arguments& arguments) {
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    const Device device = TRY(find(system, DomId{info.domain}, arguments.word(1)));
    const std::string mac = TRY(device::value_of(system.store, device.record() + "/mac"));
    TRY(device::detach(system.store, device, arguments.has('\2') ? device::Force::after : device::Force::none));
    TRY(change_config(info, [&](xlcfg::DomainConfig& config) {
        std::erase_if(config.vifs, [&](const xlcfg::Vif& vif) { return vif.mac && device::to_string(*vif.mac) == mac; });
    }));
    return exit_success;
}

constexpr Option list_options[] = {json_option};
constexpr Option detach_options[] = {{'\2', "force", "", "also when the guest doesn't let go of it"}};

}  // namespace

const Command network_attach_command{
    "network-attach", "DOMAIN [KEY=VALUE…]", "Gives a domain a network card; KEY=VALUE as in vif=", {}, 1, any_number, attach};
const Command network_detach_command{"network-detach", "DOMAIN DEVID|MAC", "Takes a network card away", detach_options, 2, 2, detach};
const Command network_list_command{"network-list", "DOMAIN…", "Shows the network cards of domains", list_options, 1, any_number, list};

}  // namespace px::xl

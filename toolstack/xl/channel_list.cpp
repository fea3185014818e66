// xl channel-list.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/devices.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    Json all = Json::array();
    std::string text = "Idx BE state evt-ch ring-ref connection params                        \n";
    for (const device::Device& device : TRY(devices_of_words(system, arguments, device::Kind::channel))) {
        const Shown shown = TRY(look_at(system, device));
        const int ring = TRY(front_number(system, device, "ring-ref")), port = TRY(front_number(system, device, "port"));
        const std::string terminal = TRY(device::value_of(system.store, shown.back + "/tty"));
        const std::string name = TRY(device::value_of(system.store, device.record() + "/name"));
        text += format("%-3u %-2u %-5u %-6d %8d %-10s %-30s\n", device.id, device.backend.raw, shown.state, port, ring, "pty",
                       terminal.c_str());
        all.push_back({{"domid", device.guest.raw},
                       {"devid", device.id},
                       {"backend", device.backend.raw},
                       {"name", name},
                       {"state", shown.state},
                       {"event_channel", port},
                       {"ring_ref", ring},
                       {"connection", "pty"},
                       {"terminal", terminal}});
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

constexpr Option options[] = {json_option};

}  // namespace

const Command channel_list_command{"channel-list", "DOMAIN…", "Shows the channels of domains", options, 1, any_number, run};

}  // namespace px::xl

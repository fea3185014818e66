// What the commands for disks and network cards share.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/devices.hpp"

#include <charconv>

namespace px::xl {

Outcome<int> front_number(System& system, const device::Device& device, const char* node) {
    const std::string text = TRY(device::value_of(system.store, device.front() + "/" + node));
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : -1;  // the guest may write anything
}

Outcome<Shown> look_at(System& system, const device::Device& device) {
    Shown shown{device, 0, -1, device.back()};
    shown.state = static_cast<unsigned>(TRY(device::state_of(system.store, device.front())));
    shown.event_channel = TRY(front_number(system, device, "event-channel"));
    return shown;
}

Outcome<std::vector<device::Device>> devices_of_words(System& system, const Arguments& arguments, device::Kind kind) {
    std::vector<device::Device> devices;
    for (const std::string& word : arguments.words()) {
        for (const auto& each : TRY(device::devices_of(system.store, TRY(domain::find_domain(system, word)), kind)))
            devices.push_back(each);
    }
    return devices;
}

}  // namespace px::xl

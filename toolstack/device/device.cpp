// A paravirtual device of a guest: its names, and what the store says of it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/device.hpp"

#include <algorithm>
#include <cstdlib>

namespace px::device {

using call::Outcome;

namespace {

std::string home_of(DomId domain) { return "/local/domain/" + std::to_string(domain.raw); }

}  // namespace

const char* name_of(Kind kind) { return kind == Kind::vbd ? "vbd" : kind == Kind::vif ? "vif" : "console"; }

std::string Device::front() const { return home_of(guest) + "/device/" + name_of(kind) + "/" + std::to_string(id); }
std::string Device::back() const {
    return home_of(backend) + "/backend/" + name_of(kind) + "/" + std::to_string(guest.raw) + "/" + std::to_string(id);
}
std::string Device::record() const { return "/libxl/" + std::to_string(guest.raw) + "/device/" + name_of(kind) + "/" + std::to_string(id); }

Outcome<std::vector<Device>> devices_of(store::Client& store, DomId guest, Kind kind) {
    std::vector<Device> devices;
    const auto names = store.list("/libxl/" + std::to_string(guest.raw) + "/device/" + name_of(kind));
    if (!names.ok()) {
        if (names.error().code == ENOENT) return devices;
        return Err{names.error()};
    }
    for (const std::string& name : *names) {
        Device device{kind, guest, static_cast<u32>(std::strtoul(name.c_str(), nullptr, 10))};
        if (kind == Kind::channel && device.id == 0) continue;
        const std::string back = TRY(value_of(store, device.record() + "/backend"));
        unsigned backend = 0;
        if (std::sscanf(back.c_str(), "/local/domain/%u/", &backend) == 1) device.backend = DomId{static_cast<u16>(backend)};
        devices.push_back(device);
    }
    std::ranges::sort(devices, {}, &Device::id);
    return devices;
}

Outcome<std::string> value_of(store::Client& store, const std::string& path) { return TRY(store.read_optional(path)).value_or(""); }

Outcome<State> state_of(store::Client& store, const std::string& end) {
    const unsigned long value = std::strtoul(TRY(value_of(store, end + "/state")).c_str(), nullptr, 10);
    return value <= static_cast<unsigned long>(State::reconfigured) ? static_cast<State>(value) : State::unknown;
}

}  // namespace px::device

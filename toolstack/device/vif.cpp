// Network cards of guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/vif.hpp"

#include <unistd.h>

#include <random>

#include "libxlcfg/load.hpp"
#include "libxlcfg/parser.hpp"
#include "toolstack/device/hotplug.hpp"

namespace px::device {

using call::Error;
using call::Outcome;
using xlcfg::Vif;

namespace {

Err<Error> refused(const std::string& why) { return Err{Error{ENOTSUP, "vif: " + why}}; }

}  // namespace

Outcome<VifDefaults> VifDefaults::load(const std::string& path) {
    VifDefaults defaults;
    if (access(path.c_str(), F_OK) < 0) return defaults;
    xlcfg::Sources sources;
    xlcfg::Diagnostics diagnostics;
    xlcfg::Document document;
    if (auto text = xlcfg::read_file(path, diagnostics)) xlcfg::parse(sources, sources.add(path, std::move(*text)), document, diagnostics);
    if (diagnostics.errors()) return Err{Error{EINVAL, format_line(diagnostics.all().front(), sources)}};
    const std::pair<const char*, std::string*> keys[] = {
        {"vif.default.bridge", &defaults.bridge},         {"defaultbridge", &defaults.bridge},
        {"vif.default.script", &defaults.script},         {"vifscript", &defaults.script},
        {"vif.default.gatewaydev", &defaults.gatewaydev},
    };
    for (const auto& [key, value] : keys) {
        if (const xlcfg::Setting* setting = document.find(key)) *value = setting->value.text;
    }
    return defaults;
}

xlcfg::Mac random_mac() {
    std::random_device random;
    const u32 value = random();
    return {{0x00, 0x16, 0x3e, static_cast<u8>(value & 0x7f), static_cast<u8>(value >> 8), static_cast<u8>(value >> 16)}};
}

std::string to_string(const xlcfg::Mac& mac) {
    char text[18];
    const auto& b = mac.bytes;
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    return text;
}

Outcome<> check_supported(const Vif& vif) {
    if (vif.type.value_or(xlcfg::VifType::vif) != xlcfg::VifType::vif) return refused("type=ioemu wants a device model: leave it out");
    if (vif.backend && *vif.backend != "0" && *vif.backend != "Domain-0") return refused("backend can only be Domain-0 yet");
    return {};
}

Outcome<NewDevice> new_vif(const Vif& vif, DomId guest, const VifDefaults& defaults) {
    TRY(check_supported(vif));
    const auto id = static_cast<u32>(*vif.devid);
    const std::string handle = std::to_string(id), mac = to_string(*vif.mac);
    NewDevice made{{Kind::vif, guest, id}, {{"handle", handle}, {"mac", mac}}, {}, script_path(vif.script.value_or(defaults.script))};
    if (vif.mtu) made.front.push_back({"mtu", std::to_string(*vif.mtu)});
    if (vif.trusted && !*vif.trusted) made.front.push_back({"trusted", "0"});
    made.back = {{"handle", handle}, {"mac", mac}, {"type", "vif"}, {"hotplug-status", ""}};
    const auto say = [&](const char* node, const std::string& value) {
        if (!value.empty()) made.back.push_back({node, value});
    };
    say("bridge", vif.bridge.value_or(defaults.bridge));
    say("gatewaydev", vif.gatewaydev.value_or(defaults.gatewaydev));
    say("ip", vif.ip.value_or(""));
    say("vifname", vif.vifname.value_or(""));
    if (vif.mtu) say("mtu", std::to_string(*vif.mtu));
    if (vif.rate) say("rate", std::to_string(vif.rate->bytes_per_interval) + "," + std::to_string(vif.rate->interval_us));
    return made;
}

}  // namespace px::device

// What the commands for disks and network cards share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iostream>

#include "libxlcfg/load.hpp"
#include "toolstack/device/device.hpp"
#include "toolstack/domain/kept_config.hpp"
#include "toolstack/domain/uuid.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

/// A specification as in a configuration's list, of all words behind the first, which are joined by commas. Nothing: standard
/// error says what is wrong with it.
template <class Item>
std::optional<Item> read_spec(const Arguments& arguments) {
    std::string text;
    for (usize i = 1; i < arguments.words().size(); ++i) text += (i > 1 ? "," : "") + arguments.word(i);
    xlcfg::Sources sources;
    xlcfg::Diagnostics diagnostics;
    xlcfg::Value value;
    const xlcfg::Position base = sources.add("command line", text);
    value.span = {base, base + static_cast<xlcfg::Position>(text.size())};
    for (usize i = 0; i < text.size(); ++i) value.places.push_back(base + static_cast<xlcfg::Position>(i));
    value.text = std::move(text);
    Item item{};
    const bool good = read(item, value, diagnostics) && diagnostics.errors() == 0;
    std::cerr << report(diagnostics, sources, "FILE");
    return good ? std::optional(std::move(item)) : std::nullopt;
}

/// Changes the kept configuration of a guest, if this toolstack made it.
template <class Change>
Outcome<> change_config(const domain::Info& info, Change&& change) {
    const std::string uuid = domain::to_string(info.handle);
    auto config = TRY(domain::kept_config(DomId{info.domain}, uuid));
    if (!config) return {};
    change(*config);
    return domain::keep_config(*config, DomId{info.domain}, uuid);
}

/// What a list shows of a device; the store is read for it.
struct Shown {
    device::Device device;
    unsigned state = 0;
    int event_channel = -1;  ///< of the guest; negative: none yet
    std::string back;        ///< the back end's directory
};
Outcome<Shown> look_at(System& system, const device::Device& device);
/// A number in the guest's directory of the device, -1 when it isn't there.
Outcome<int> front_number(System& system, const device::Device& device, const char* node);

/// The guests that the words name, each once, with their devices of a kind.
Outcome<std::vector<device::Device>> devices_of_words(System& system, const Arguments& arguments, device::Kind kind);

}  // namespace px::xl

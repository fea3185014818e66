// Channels: consoles beyond the first, whose two ends find each other as those of a device do [xen/public io/console.h, xenbus.h].
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>

#include "toolstack/xenconsoled/service.hpp"

namespace px::console {

using call::Outcome;

namespace {

enum class State : unsigned { unknown, initialising, init_wait, initialised, connected, closing, closed };

Outcome<std::string> text_of(store::Client& store, const std::string& path) { return TRY(store.read_optional(path)).value_or(""); }

Outcome<State> state_of(store::Client& store, const std::string& end) {
    const unsigned long value = std::strtoul(TRY(text_of(store, end + "/state")).c_str(), nullptr, 10);
    return value <= static_cast<unsigned long>(State::closed) ? static_cast<State>(value) : State::unknown;
}

Outcome<> set_state(store::Client& store, const std::string& end, State state) {
    return store.write(end + "/state", std::to_string(static_cast<unsigned>(state)));
}

}  // namespace

/// Something changed at our end of a channel, or within it: "/local/domain/0/backend/console/GUEST/NUMBER/…".
void Service::update_channel(const std::string& changed_path) {
    unsigned guest = 0, number = 0;
    const std::string pattern = std::string(channels_directory) + "/%u/%u";
    if (std::sscanf(changed_path.c_str(), pattern.c_str(), &guest, &number) != 2 || number == 0) return;
    const DomId domain{static_cast<u16>(guest)};
    const auto found = consoles_.find({domain, number});
    const std::string end = std::to_string(guest) + "/" + std::to_string(number);
    Console fresh{.domain = domain, .number = number, .path = {}, .back = std::string(channels_directory) + "/" + end};
    fresh.path = "/local/domain/" + std::to_string(guest) + "/device/console/" + std::to_string(number);
    const auto wanted = is_wanted(fresh);
    if (!wanted.ok()) return log_.line(wanted.error().text);
    if (!*wanted) {
        if (found != consoles_.end()) remove(found->second);
        return;
    }
    if (found != consoles_.end()) return complain(connect_channel(found->second));
    const std::string path = fresh.path, token = fresh.back;
    consoles_.emplace(Key{domain, number}, std::move(fresh));
    complain(store_.watch(path, token));  // its first event connects the channel
}

/// The toolstack has made it, and hasn't removed it.
Outcome<bool> Service::is_wanted(const Console& channel) { return TRY(store_.read_optional(channel.back + "/frontend")).has_value(); }

/// One step of the two ends towards each other, or apart.
Outcome<> Service::connect_channel(Console& channel) {
    const State ours = TRY(state_of(store_, channel.back)), theirs = TRY(state_of(store_, channel.path));
    const bool guest_is_gone = theirs >= State::closing || (channel.page && theirs == State::unknown);
    if (guest_is_gone || TRY(text_of(store_, channel.back + "/online")) == "0")
        return ours == State::closed ? Outcome<>{} : let_go(channel);
    if (ours == State::initialising) TRY(set_state(store_, channel.back, State::init_wait));
    if (channel.page || (theirs != State::initialised && theirs != State::connected)) return {};

    const GrantRef ring{static_cast<u32>(std::strtoul(TRY(text_of(store_, channel.path + "/ring-ref")).c_str(), nullptr, 10))};
    const EvtPort port{static_cast<u32>(std::strtoul(TRY(text_of(store_, channel.path + "/port")).c_str(), nullptr, 10))};
    if (!grants_) return call::failure(ENODEV, "channels want /dev/xen/gntdev: run 'modprobe xen-gntdev'");
    channel.page = TRY(grants_->map(channel.domain, std::span(&ring, 1)));
    channel.port = TRY(events_.bind_interdomain(channel.domain, port));
    if (!channel.pty) TRY(make_terminal(channel));
    TRY(set_state(store_, channel.back, State::connected));
    take_output(channel);
    return {};
}

/// The guest gets its ring back; the terminal stays for the next time.
Outcome<> Service::let_go(Console& channel) {
    if (channel.page) take_output(channel);
    if (channel.port) static_cast<void>(events_.unbind(*channel.port).ok());  // the domain may have closed it first
    channel.port.reset();
    channel.page = {};
    channel.held_back = false;
    if (channel.pty) wait_for(channel);
    return set_state(store_, channel.back, State::closed);
}

}  // namespace px::console

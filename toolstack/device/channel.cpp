// Channels of guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/channel.hpp"

namespace px::device {

using call::Error;
using call::Outcome;
using xlcfg::Channel;

Outcome<> check_supported(const Channel& channel) {
    const std::string name = "channel " + channel.name.value_or("?") + ": ";
    if (*channel.connection != xlcfg::ChannelConnection::pty) return Err{Error{ENOTSUP, name + "connection can only be pty yet"}};
    if (channel.backend && *channel.backend != "0" && *channel.backend != "Domain-0") {
        return Err{Error{ENOTSUP, name + "backend can only be Domain-0 yet"}};
    }
    return {};
}

Outcome<NewDevice> new_channel(const Channel& channel, DomId guest, u32 number) {
    TRY(check_supported(channel));
    return NewDevice{{Kind::channel, guest, number},
                     {{"name", *channel.name}, {"connection", "pty"}, {"type", "xenconsoled"}, {"output", "pty"}, {"protocol", "vt100"}},
                     {{"name", *channel.name}, {"connection", "pty"}, {"protocol", "vt100"}},
                     {}};
}

}  // namespace px::device

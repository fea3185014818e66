// A paravirtual device of a guest: who it is, and where the store has it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "toolstack/store/client.hpp"

namespace px::device {

/// States of both ends of a device [xen/public io/xenbus.h].
enum class State : u8 { unknown, initialising, init_wait, initialised, connected, closing, closed, reconfiguring, reconfigured };

enum class Kind : u8 { vbd, vif, channel };
/// As in the store: "vbd", "vif", "console".
const char* name_of(Kind kind);

struct Device {
    Kind kind;
    DomId guest;
    u32 id = 0;  ///< unique among those of its kind: of a vbd, the number of its vdev
    DomId backend{0};

    std::string front() const;   ///< "/local/domain/5/device/vif/0"
    std::string back() const;    ///< "/local/domain/0/backend/vif/5/0"
    std::string record() const;  ///< "/libxl/5/device/vif/0": the toolstack's own, which no guest can change
};

struct Node {
    std::string name, value;
};

/// What a device is made of.
struct NewDevice {
    Device device;
    std::vector<Node> front, back;  ///< beyond what every device has
    std::string script;             ///< the hot-plug script's path; empty: it needs none
};

/// The devices of a guest by its record in the toolstack's own tree, by number. The first console is none.
call::Outcome<std::vector<Device>> devices_of(store::Client& store, DomId guest, Kind kind);
/// What the back end or front end has in a node; empty when there is none.
call::Outcome<std::string> value_of(store::Client& store, const std::string& path);
call::Outcome<State> state_of(store::Client& store, const std::string& end);

/// Makes the device known to both ends, waits for the back end, and runs its script. After an error nothing of it is left.
call::Outcome<> attach(store::Client& store, const NewDevice& wanted);

/// How hard a device is taken away.
enum class Force : u8 {
    none,    ///< the guest may refuse, or not answer: an error then, and the device stays
    after,   ///< the guest is asked; if it doesn't let go in time, the device goes all the same
    at_once  ///< the guest isn't asked: it is gone, or is being destroyed
};
inline constexpr std::chrono::seconds patience{10};  ///< as 4.17's
/// Takes the device away from both ends, runs its script and forgets it. The other ends have `time` to let go.
call::Outcome<> detach(store::Client& store, const Device& device, Force force, std::chrono::milliseconds time = patience);

}  // namespace px::device

// Plugging devices in, and out.
//
//   toolstack                      store                        back end (dom0)        front end (guest)
//   writes both ends, state 1 ───► backend/…/state = 1 ───────► probes, state 2
//   sees 2, runs the script ─────► hotplug-status ────────────► goes on when both are there ◄── state 3, 4
//   online = 0, state = 5 ───────► …                ──────────► closes, state 6 ◄──────────────── state 6
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/device/hotplug.hpp"

namespace px::device {

using call::Error;
using call::Outcome;
using store::Access;
using store::Permissions;

namespace {

using Clock = std::chrono::steady_clock;

constexpr DomId dom0{0};

std::string shown(const Device& device) {
    return std::string(name_of(device.kind)) + " " + std::to_string(device.id) + " of domain " + std::to_string(device.guest.raw);
}

/// Waits until `done(state)` holds for the end in the directory `end`. False: it didn't in time.
template <class Done>
Outcome<bool> await(store::Client& store, const std::string& end, std::chrono::milliseconds time, Done&& done) {
    const auto deadline = Clock::now() + time;
    const std::string path = end + "/state";
    TRY(store.watch(path, "device"));
    bool reached = false;
    for (;;) {
        reached = done(TRY(state_of(store, end)));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (reached || left <= 0) break;
        TRY(store.next_event(static_cast<int>(left)));
    }
    TRY(store.unwatch(path, "device"));
    return reached;
}

Outcome<> write_directory(store::Client& store, u32 transaction, const std::string& path, const std::vector<Node>& nodes,
                          const Permissions& permissions) {
    TRY(store.make_directory(path, transaction));
    TRY(store.set_permissions(path, permissions, transaction));
    for (const Node& node : nodes) {
        TRY(store.write(path + "/" + node.name, node.value, transaction));
        TRY(store.set_permissions(path + "/" + node.name, permissions, transaction));
    }
    return {};
}

std::vector<Node> with(std::vector<Node> first, const std::vector<Node>& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
}

Outcome<> write_nodes(store::Client& store, const NewDevice& wanted) {
    const Device& device = wanted.device;
    const std::string guest = std::to_string(device.guest.raw), backend = std::to_string(device.backend.raw);
    const auto front = with({{"backend", device.back()}, {"backend-id", backend}, {"state", "1"}}, wanted.front);
    auto back = with({{"frontend", device.front()}, {"frontend-id", guest}, {"online", "1"}, {"state", "1"}}, wanted.back);
    if (!wanted.script.empty()) back.push_back({"script", wanted.script});
    const auto record = with({{"frontend", device.front()}, {"backend", device.back()}}, back);
    return store.transact([&](u32 transaction) -> Outcome<> {
        if (TRY(store.read_optional(device.record() + "/backend", transaction))) {
            return Err{Error{EEXIST, "there is a " + shown(device) + " already"}};
        }
        TRY(write_directory(store, transaction, device.record(), record, {{dom0, Access::none}}));
        TRY(write_directory(store, transaction, device.back(), back, {{device.backend, Access::none}, {device.guest, Access::read}}));
        return write_directory(store, transaction, device.front(), front, {{device.guest, Access::none}, {device.backend, Access::read}});
    });
}

Outcome<> remove(store::Client& store, const std::string& path, u32 transaction = 0) {
    auto removed = store.remove(path, transaction);
    if (removed.ok() || removed.error().code == ENOENT) return {};
    return removed;
}

Outcome<> await_back_end(store::Client& store, const Device& device) {
    if (TRY(await(store, device.back(), patience, [](State state) { return state >= State::init_wait; }))) return {};
    if (device.kind == Kind::channel) {
        return Err{Error{ETIMEDOUT, "xenconsoled doesn't take care of the " + shown(device) + ": is it running?"}};
    }
    const char* module = device.kind == Kind::vbd ? "xen-blkback" : "xen-netback";
    return Err{Error{ETIMEDOUT, "no driver in domain " + std::to_string(device.backend.raw) + " takes care of the " + shown(device) +
                                    ": run 'modprobe " + module + "' there"}};
}

Outcome<> forget(store::Client& store, const Device& device) {
    return store.transact([&](u32 transaction) -> Outcome<> {
        for (const std::string& path : {device.back(), device.front(), device.record()}) TRY(remove(store, path, transaction));
        return {};
    });
}

/// Asks both ends to let go.
Outcome<> ask_to_close(store::Client& store, const Device& device) {
    return store.transact([&](u32 transaction) -> Outcome<> {
        if (!TRY(store.read_optional(device.back() + "/state", transaction))) return {};
        TRY(store.write(device.back() + "/online", "0", transaction));
        return store.write(device.back() + "/state", std::to_string(static_cast<unsigned>(State::closing)), transaction);
    });
}

}  // namespace

Outcome<> attach(store::Client& store, const NewDevice& wanted) {
    TRY(write_nodes(store, wanted));
    const auto connect = [&]() -> Outcome<> {
        TRY(await_back_end(store, wanted.device));
        return wanted.script.empty() ? Outcome<>{} : run_script(store, wanted.device, wanted.script, Plug::in);
    };
    auto done = connect();
    if (!done.ok()) static_cast<void>(detach(store, wanted.device, Force::at_once).ok());  // the first error is the one to report
    return done;
}

Outcome<> detach(store::Client& store, const Device& device, Force force, std::chrono::milliseconds time) {
    const std::string script = TRY(value_of(store, device.record() + "/script"));
    const State state = TRY(state_of(store, device.back()));
    if (state >= State::init_wait && state != State::closed) {  // else no driver has it
        TRY(ask_to_close(store, device));
        // A back end whose front end is gone closes by itself.
        if (force == Force::at_once) TRY(remove(store, device.front()));
        const auto is_closed = [](State state) { return state == State::closed || state == State::unknown; };
        if (!TRY(await(store, device.back(), time, is_closed)) && force == Force::none) {
            return Err{Error{
                EBUSY, "the guest doesn't let go of the " + shown(device) + ": it is in use, or nothing listens (--force takes it away)"}};
        }
    }
    const auto unplugged = script.empty() ? Outcome<>{} : run_script(store, device, script, Plug::out);
    TRY(forget(store, device));
    return unplugged;
}

}  // namespace px::device

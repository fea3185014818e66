// What the store says of a domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/store_tree.hpp"

#include <ctime>

#include "toolstack/domain/lookup.hpp"

namespace px::domain {

using builder::BuiltDomain;
using call::Outcome;
using store::Access;
using store::Client;
using store::Permissions;

namespace {

constexpr DomId dom0{0};
constexpr u64 console_limit = 1024 * 1024;  ///< bytes that xenconsoled keeps for a console that nobody reads

/// Writes nodes, each with who may use it.
class Writer {
public:
    Writer(Client& store, u32 transaction, DomId guest) : store_(store), transaction_(transaction), guest_(guest) {}

    Permissions private_() const { return {{dom0, Access::none}}; }
    Permissions readable() const { return {{dom0, Access::none}, {guest_, Access::read}}; }
    Permissions owned() const { return {{guest_, Access::none}}; }
    /// The guest's own, which the back end in dom0 reads anyway.
    Permissions owned_readable() const { return {{guest_, Access::none}, {dom0, Access::read}}; }

    Outcome<> directory(const std::string& path, const Permissions& permissions) {
        TRY(store_.make_directory(path, transaction_));
        return store_.set_permissions(path, permissions, transaction_);
    }
    Outcome<> value(const std::string& path, const std::string& text, const Permissions& permissions) {
        TRY(store_.write(path, text, transaction_));
        return store_.set_permissions(path, permissions, transaction_);
    }

private:
    Client& store_;
    u32 transaction_;
    DomId guest_;
};

std::string start_time() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    char text[48];
    std::snprintf(text, sizeof text, "%lld.%02ld", static_cast<long long>(now.tv_sec), now.tv_nsec / 10'000'000);
    return text;
}

std::string number(u64 value) { return std::to_string(value); }

Outcome<> write_identity(Writer& to, DomId guest, const TreeSpec& spec) {
    const std::string home = home_of(guest), vm = "/vm/" + spec.uuid, toolstack = "/libxl/" + number(guest.raw);
    TRY(to.directory(home, to.readable()));
    TRY(to.value(home + "/vm", vm, to.readable()));
    TRY(to.value(home + "/name", spec.name, to.readable()));
    TRY(to.value(home + "/domid", number(guest.raw), to.readable()));
    TRY(to.directory(vm, to.readable()));
    TRY(to.value(vm + "/name", spec.name, to.readable()));
    TRY(to.value(vm + "/uuid", spec.uuid, to.readable()));
    TRY(to.value(vm + "/start_time", start_time(), to.readable()));
    TRY(to.directory(toolstack, to.private_()));
    return to.value(toolstack + "/type", spec.type, to.private_());
}

/// What the guest's drivers and agents write, and what they are told by.
Outcome<> write_channels(Writer& to, const std::string& home) {
    for (const char* node : {"/control", "/device", "/memory", "/cpu"}) TRY(to.directory(home + node, to.readable()));
    for (const char* node : {"/control/shutdown", "/control/feature-poweroff", "/control/feature-reboot", "/control/feature-suspend",
                             "/control/sysrq", "/data", "/drivers", "/feature", "/attr", "/error", "/device/suspend/event-channel"}) {
        TRY(to.value(home + node, "", to.owned()));
    }
    TRY(to.value(home + "/control/platform-feature-multiprocessor-suspend", "1", to.readable()));
    return to.value(home + "/control/platform-feature-xs_reset_watches", "1", to.readable());
}

Outcome<> write_resources(Writer& to, const std::string& home, const BuiltDomain& built, const TreeSpec& spec) {
    TRY(to.value(home + "/memory/static-max", number(spec.max_memory_kib), to.readable()));
    TRY(to.value(home + "/memory/target", number(spec.memory_kib), to.readable()));
    for (u32 vcpu = 0; vcpu < spec.max_vcpus; ++vcpu) {
        const std::string cpu = home + "/cpu/" + number(vcpu);
        TRY(to.directory(cpu, to.readable()));
        TRY(to.value(cpu + "/availability", vcpu < spec.vcpus ? "online" : "offline", to.readable()));
    }
    TRY(to.directory(home + "/store", to.readable()));
    TRY(to.value(home + "/store/ring-ref", number(built.store.raw), to.readable()));
    return to.value(home + "/store/port", number(built.store_port.raw), to.readable());
}

Outcome<> write_console(Writer& to, const std::string& home, const BuiltDomain& built) {
    const std::string front = home + "/console", guest = number(built.id.raw);
    const std::string back = home_of(dom0) + "/backend/console/" + guest + "/0", device = "/libxl/" + guest + "/device/console/0";
    TRY(to.directory(front, to.readable()));
    const std::pair<const char*, std::string> told[] = {
        {"/backend", back}, {"/backend-id", "0"}, {"/limit", number(console_limit)},         {"/type", "xenconsoled"},
        {"/output", "pty"}, {"/tty", ""},         {"/port", number(built.console_port.raw)}, {"/ring-ref", number(built.console.raw)},
    };
    for (const auto& [node, text] : told) TRY(to.value(front + node, text, to.readable()));
    TRY(to.directory(back, to.readable()));
    const std::pair<const char*, std::string> of_back_end[] = {
        {"/frontend", front}, {"/frontend-id", guest}, {"/online", "1"}, {"/state", "1"}, {"/protocol", "vt100"},
    };
    for (const auto& [node, text] : of_back_end) TRY(to.value(back + node, text, to.readable()));
    TRY(to.directory(device, to.private_()));
    TRY(to.value(device + "/frontend", front, to.private_()));
    return to.value(device + "/backend", back, to.private_());
}

Outcome<> remove(Client& store, const std::string& path) {
    auto removed = store.remove(path);
    if (removed.ok() || removed.error().code == ENOENT) return {};
    return removed;
}

}  // namespace

Outcome<> write_tree(Client& store, const BuiltDomain& built, const TreeSpec& spec) {
    const std::string home = home_of(built.id);
    return store.transact([&](u32 transaction) -> Outcome<> {
        Writer to(store, transaction, built.id);
        TRY(write_identity(to, built.id, spec));
        TRY(write_channels(to, home));
        TRY(write_resources(to, home, built, spec));
        return write_console(to, home, built);
    });
}

Outcome<> introduce(Client& store, const BuiltDomain& built) {
    std::string payload;
    for (u64 argument : {u64{built.id.raw}, built.store.raw, u64{built.store_port.raw}}) payload += number(argument) + '\0';
    auto done = store.request(store::MessageType::introduce, payload);
    if (!done.ok()) return call::failure(done.error().code, "xenstored can't serve the new domain");
    return {};
}

Outcome<> remove_tree(Client& store, DomId domain) {
    const std::string home = home_of(domain), id = number(domain.raw);
    if (auto vm = TRY(store.read_optional(home + "/vm")); vm && vm->starts_with("/vm/")) TRY(remove(store, *vm));
    auto kinds = store.list(home_of(dom0) + "/backend");
    if (kinds.ok()) {
        for (const std::string& kind : *kinds) TRY(remove(store, home_of(dom0) + "/backend/" + kind + "/" + id));
    }
    TRY(remove(store, home));
    return remove(store, "/libxl/" + id);
}

}  // namespace px::domain

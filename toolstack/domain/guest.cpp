// Making a guest from its configuration, and unmaking it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/guest.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "toolstack/control/machine.hpp"
#include "toolstack/control/vcpus.hpp"
#include "toolstack/device/channel.hpp"
#include "toolstack/device/disk.hpp"
#include "toolstack/device/vif.hpp"
#include "toolstack/domain/creation_guard.hpp"
#include "toolstack/domain/lookup.hpp"
#include "toolstack/domain/store_tree.hpp"
#include "toolstack/domain/uuid.hpp"

namespace px::domain {

using call::Error;
using call::Outcome;
using control::Domain;
using xlcfg::DomainConfig;

namespace {

constexpr unsigned gone_checks = 500, gone_interval_us = 10'000;

Outcome<> refuse_taken_name(System& system, const std::string& name) {
    if (!TRY(find_by_name(system, name))) return {};
    return Err{Error{EEXIST, "there is a domain '" + name + "' already"}};
}

/// `cpus` is one flag per CPU of the machine.
Outcome<control::CpuSet> resolve(const xlcfg::CpuList& list, const std::vector<u32>& nodes, const char* key) {
    control::CpuSet set = list.resolve(static_cast<u32>(nodes.size()), [&](u32 cpu) { return nodes[cpu]; });
    if (std::ranges::find(set, true) != set.end()) return set;
    return Err{Error{EINVAL, std::string(key) + ": this machine has none of these CPUs"}};
}

/// All that can be known of them before there is a domain.
Outcome<> check_devices(const DomainConfig& config) {
    for (const xlcfg::Disk& disk : config.disks) TRY(device::new_disk(disk, DomId{0}));
    for (const xlcfg::Vif& vif : config.vifs) TRY(device::check_supported(vif));
    for (const xlcfg::Channel& channel : config.channels) TRY(device::check_supported(channel));
    TRY(device::VifDefaults::load());
    return {};
}

/// Takes away what back ends in dom0 have of the guest. Goes on after an error; the first one is the one to report.
Outcome<> unplug_devices(System& system, DomId guest) {
    Outcome<> result{};
    for (const device::Kind kind : {device::Kind::vif, device::Kind::vbd, device::Kind::channel}) {
        for (const device::Device& each : TRY(device::devices_of(system.store, guest, kind))) {
            auto done = device::detach(system.store, each, device::Force::at_once);
            if (result.ok() && !done.ok()) result = std::move(done);
        }
    }
    return result;
}

}  // namespace

void settle(DomainConfig& config) {
    if (!config.uuid) config.uuid.value = xlcfg::Uuid{random_uuid()};
    std::set<std::int64_t> numbers;
    for (const xlcfg::Vif& vif : config.vifs) numbers.insert(vif.devid.value_or(-1));
    for (xlcfg::Vif& vif : config.vifs) {
        if (!vif.mac) vif.mac.value = device::random_mac();
        for (std::int64_t number = 0; !vif.devid; ++number) {
            if (numbers.insert(number).second) vif.devid.value = number;
        }
    }
}

Outcome<GuestPlan> GuestPlan::prepare(const DomainConfig& config) {
    TRY(check_supported(config));
    TRY(check_devices(config));
    DomainConfig settled = config;
    settle(settled);
    const control::Handle uuid = settled.uuid->bytes;
    builder::GuestSpec spec = guest_spec(settled, uuid);
    if (config.type() == xlcfg::GuestType::pv) return GuestPlan(settled, uuid, TRY(builder::PvPlan::prepare(std::move(spec))));
    return GuestPlan(settled, uuid, TRY(builder::PvhPlan::prepare(std::move(spec))));
}

Outcome<DomId> GuestPlan::create(System& system) const {
    call::Fd turn = TRY(take_turn());
    TRY(refuse_taken_name(system, config_.name.value_or("")));
    const auto put = [&](Domain domain) { return place(system, domain); };
    const builder::BuiltDomain built = TRY(std::visit([&](const auto& plan) { return plan.build(system.privcmd, put); }, plan_));
    auto done = announce(system, built);
    turn.reset();
    if (done.ok()) done = plug_devices(system, built.id);
    if (done.ok()) return built.id;
    static_cast<void>(remove_guest(system, built.id).ok());  // the first error is the one to report
    return Err{done.error()};
}

/// Its share of the CPUs.
Outcome<> GuestPlan::place(System& system, Domain domain) const {
    const xlcfg::Cpu& cpu = config_.cpu;
    if (cpu.weight || cpu.cap) {
        auto share = TRY(domain.credit2());
        if (cpu.weight) share.weight = static_cast<u16>(*cpu.weight);
        if (cpu.cap) share.cap = static_cast<u16>(*cpu.cap);
        TRY(domain.set_credit2(share));
    }
    if (!cpu.hard && !cpu.soft) return {};
    const std::vector<u32> nodes = TRY(control::nodes_of_cpus(system.privcmd));
    for (u32 vcpu = 0; vcpu < static_cast<u32>(config_.maxvcpus()); ++vcpu) {
        std::optional<control::CpuSet> hard, soft;
        if (const xlcfg::CpuList* list = cpu.hard ? cpu.hard->of(vcpu) : nullptr) hard = TRY(resolve(*list, nodes, "cpus"));
        if (const xlcfg::CpuList* list = cpu.soft ? cpu.soft->of(vcpu) : nullptr) soft = TRY(resolve(*list, nodes, "cpus_soft"));
        if (hard || soft) TRY(control::set_vcpu_affinity(domain, vcpu, hard, soft));
    }
    return {};
}

Outcome<> GuestPlan::announce(System& system, const builder::BuiltDomain& built) const {
    const std::string uuid = to_string(uuid_);
    TRY(write_tree(system.store, built,
                   {
                       .name = config_.name.value_or(""),
                       .uuid = uuid,
                       .memory_kib = static_cast<u64>(config_.memory_kib()),
                       .max_memory_kib = static_cast<u64>(config_.maxmem_kib()),
                       .vcpus = static_cast<u32>(config_.vcpus()),
                       .max_vcpus = static_cast<u32>(config_.maxvcpus()),
                   }));
    TRY(introduce(system.store, built));
    return keep_config(config_, built.id, uuid);
}

Outcome<> GuestPlan::plug_devices(System& system, DomId guest) const {
    for (const xlcfg::Disk& disk : config_.disks) {
        const auto wanted = TRY(device::new_disk(disk, guest));
        TRY(device::refuse_shared(system.store, wanted));
        TRY(device::attach(system.store, wanted));
    }
    const auto defaults = TRY(device::VifDefaults::load());
    for (const xlcfg::Vif& vif : config_.vifs) TRY(device::attach(system.store, TRY(device::new_vif(vif, guest, defaults))));
    for (u32 n = 0; n < config_.channels.size(); ++n) {
        TRY(device::attach(system.store, TRY(device::new_channel(config_.channels[n], guest, n + 1))));
    }
    return {};
}

Outcome<> remove_guest(System& system, DomId domain) {
    if (auto info = TRY(call::domain_info(system.privcmd, domain))) {
        unlink(config_path(domain, to_string(info->handle)).c_str());
        Domain target(system.privcmd, domain);
        static_cast<void>(target.pause().ok());  // only so that it makes no more work meanwhile
        const auto unplugged = unplug_devices(system, domain);
        if (!unplugged.ok()) std::fprintf(stderr, "xl: warning: %s\n", unplugged.error().text.c_str());
        auto destroyed = target.destroy();
        if (!destroyed.ok() && destroyed.error().code != ESRCH) return destroyed;
    }
    TRY(remove_tree(system.store, domain));
    // Services still hold its frames for a moment; after that it is gone from every list.
    for (unsigned check = 0; check < gone_checks && TRY(call::domain_info(system.privcmd, domain)); ++check) usleep(gone_interval_us);
    return {};
}

Outcome<> rename_guest(System& system, DomId domain, const std::string& name) {
    TRY(refuse_taken_name(system, name));
    const std::string home = home_of(domain);
    const std::optional<std::string> vm = TRY(system.store.read_optional(home + "/vm"));
    TRY(system.store.write(home + "/name", name));
    if (vm) TRY(system.store.write(*vm + "/name", name));
    return {};
}

}  // namespace px::domain

// Making a guest from its configuration, and unmaking it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/guest.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "libxlcfg/json.hpp"
#include "toolstack/control/machine.hpp"
#include "toolstack/control/vcpus.hpp"
#include "toolstack/domain/lookup.hpp"
#include "toolstack/domain/store_tree.hpp"
#include "toolstack/domain/uuid.hpp"

namespace px::domain {

using call::Error;
using call::Outcome;
using control::Domain;
using xlcfg::DomainConfig;

namespace {

constexpr const char* state_directory = "/var/lib/xen";
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

void keep_config(const DomainConfig& config, DomId domain, const std::string& uuid) {
    mkdir(state_directory, 0755);
    std::ofstream file(config_path(domain, uuid));
    file << xlcfg::to_json(config).dump(2, ' ', false, xlcfg::Json::error_handler_t::replace) << '\n';
    file.flush();
    if (!file) std::fprintf(stderr, "xl: warning: can't keep the configuration in %s\n", config_path(domain, uuid).c_str());
}

}  // namespace

std::string config_path(DomId domain, const std::string& uuid) {
    return std::string(state_directory) + "/userdata-d." + std::to_string(domain.raw) + "." + uuid + ".xl-json";
}

Outcome<GuestPlan> GuestPlan::prepare(const DomainConfig& config) {
    TRY(check_supported(config));
    const control::Handle uuid = config.uuid ? config.uuid->bytes : random_uuid();
    return GuestPlan(config, uuid, TRY(builder::PvhPlan::prepare(pvh_spec(config, uuid))));
}

Outcome<DomId> GuestPlan::create(System& system) const {
    TRY(refuse_taken_name(system, config_.name.value_or("")));
    const builder::BuiltDomain built = TRY(plan_.build(system.privcmd));
    Domain domain(system.privcmd, built.id);
    auto done = place(system, domain);
    if (done.ok()) done = announce(system, built);
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
    TRY(write_tree(system.store, built, {
        .name = config_.name.value_or(""),
        .uuid = uuid,
        .memory_kib = static_cast<u64>(config_.memory_kib()),
        .max_memory_kib = static_cast<u64>(config_.maxmem_kib()),
        .vcpus = static_cast<u32>(config_.vcpus()),
        .max_vcpus = static_cast<u32>(config_.maxvcpus()),
    }));
    TRY(introduce(system.store, built));
    keep_config(config_, built.id, uuid);
    return {};
}

Outcome<> remove_guest(System& system, DomId domain) {
    if (auto info = TRY(call::domain_info(system.privcmd, domain))) {
        unlink(config_path(domain, to_string(info->handle)).c_str());
        Domain target(system.privcmd, domain);
        static_cast<void>(target.pause().ok());  // only so that it makes no more work meanwhile
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

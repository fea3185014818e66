// xl list and xl vm-list: the domains there are.
//
// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "hypervisor/abi/sched.hpp"
#include "libxlcfg/row.hpp"
#include "toolstack/domain/guest.hpp"
#include "toolstack/domain/uuid.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

using domain::Info;

namespace {

constexpr u64 kib_per_page = page_size / 1024;

/// Running, blocked, paused, shut down, crashed, dying.
std::string state_letters(const Info& info) {
    const auto letter = [&](u32 flag, char shown) { return info.flags & flag ? shown : '-'; };
    const bool crashed = domain::shutdown_reason(info) == abi::ShutdownReason::crash;
    return {letter(abi::dominf::running, 'r'),
            letter(abi::dominf::blocked, 'b'),
            letter(abi::dominf::paused, 'p'),
            letter(abi::dominf::shutdown, 's'),
            crashed ? 'c' : '-',
            letter(abi::dominf::dying, 'd')};
}

u64 memory_kib(const Info& info) { return (info.tot_pages + info.outstanding_pages) * kib_per_page; }

std::string row(System& system, const Info& info, const Arguments& arguments) {
    std::string text = format("%-40s %5u %5llu %5u     %s  %8.1f", domain::name_of(system, DomId{info.domain}).c_str(), info.domain,
                              static_cast<unsigned long long>(memory_kib(info) / 1024), info.nr_online_vcpus, state_letters(info).c_str(),
                              static_cast<double>(info.cpu_time) / 1e9);
    if (arguments.has('v')) {
        const auto reason = domain::shutdown_reason(info);
        text += " " + domain::to_string(info.handle) + (reason ? format(" %8x", static_cast<u32>(*reason)) : format(" %8s", "-"));
        text += format(" %16s", "-");
    }
    if (arguments.has('Z') && !arguments.has('v')) text += format(" %16s", "-");
    if (arguments.has('c')) text += format(" %16s", domain::pool_name(system, info.cpupool).c_str());
    if (arguments.has('n')) text += " all";
    return text + "\n";
}

std::string heading(const Arguments& arguments) {
    std::string text = "Name                                        ID   Mem VCPUs\tState\tTime(s)";
    if (arguments.has('v')) text += "   UUID                            Reason-Code\tSecurity Label";
    if (arguments.has('Z') && !arguments.has('v')) text += "   Security Label";
    if (arguments.has('c')) text += "         Cpupool";
    if (arguments.has('n')) text += " NODE Affinity";
    return text + "\n";
}

/// The configuration that the guest was made of; null for dom0 and for guests of other tools.
Json config_of(const Info& info) {
    std::ifstream file(domain::config_path(DomId{info.domain}, domain::to_string(info.handle)));
    return file ? Json::parse(file, nullptr, false) : Json();
}

Json details(System& system, const Info& info, bool with_config) {
    Json json;
    json["domid"] = info.domain;
    json["name"] = domain::name_of(system, DomId{info.domain});
    json["uuid"] = domain::to_string(info.handle);
    json["state"] = state_letters(info);
    json["memory_kib"] = memory_kib(info);
    json["max_memory_kib"] = info.max_pages * kib_per_page;
    json["vcpus"] = info.nr_online_vcpus;
    json["max_vcpus"] = info.max_vcpu_id == abi::invalid_max_vcpu_id ? 0 : info.max_vcpu_id + 1;
    json["cpupool"] = domain::pool_name(system, info.cpupool);
    json["cpu_time_seconds"] = static_cast<double>(info.cpu_time) / 1e9;
    if (auto reason = domain::shutdown_reason(info)) json["shutdown_reason"] = static_cast<u32>(*reason);
    if (with_config) json["config"] = config_of(info);
    return json;
}

Outcome<std::vector<Info>> chosen(System& system, const Arguments& arguments) {
    if (arguments.words().empty()) return call::list_domains(system.privcmd);
    std::vector<Info> chosen;
    for (const std::string& word : arguments.words()) chosen.push_back(TRY(domain::find_info(system, word)));
    return chosen;
}

Outcome<int> list(const Arguments& arguments) {
    System system = TRY(System::open());
    const std::vector<Info> infos = TRY(chosen(system, arguments));
    if (arguments.has('l') || arguments.has(json_option.letter)) {
        Json all = Json::array();
        for (const Info& info : infos) all.push_back(details(system, info, arguments.has('l')));
        print(all);
        return exit_success;
    }
    std::string text = heading(arguments);
    for (const Info& info : infos) text += row(system, info, arguments);
    std::fputs(text.c_str(), stdout);
    return exit_success;
}

/// The list with a column more: memory that is promised to a domain, and not given to it yet.
Outcome<int> claims(const Arguments& arguments) {
    System system = TRY(System::open());
    Json all = Json::array();
    std::string text = "Name                                        ID   Mem VCPUs\tState\tTime(s)  Claimed\n";
    for (const Info& info : TRY(call::list_domains(system.privcmd))) {
        const u64 claimed = info.outstanding_pages * kib_per_page;
        std::string line = row(system, info, arguments);
        line.pop_back();
        text += line + format(" %5llu\n", static_cast<unsigned long long>(claimed / 1024));
        Json json = details(system, info, false);
        json["claimed_kib"] = claimed;
        all.push_back(std::move(json));
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

Outcome<int> vm_list(const Arguments& arguments) {
    System system = TRY(System::open());
    Json all = Json::array();
    std::string text = "UUID                                  ID    name\n";
    for (const Info& info : TRY(call::list_domains(system.privcmd, DomId{1}))) {
        const std::string name = domain::name_of(system, DomId{info.domain});
        text += domain::to_string(info.handle) + format("  %-5u ", info.domain) + name + "\n";
        all.push_back({{"uuid", domain::to_string(info.handle)}, {"domid", info.domain}, {"name", name}});
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

constexpr Option list_options[] = {
    {'l', "long", "", "all details and the configuration, as JSON"},
    {'v', "verbose", "", "also UUIDs and why domains stopped"},
    {'Z', "context", "", "also the security label: domains have none"},
    {'c', "cpupool", "", "also the CPU pool"},
    {'n', "numa", "", "also the NUMA nodes that it likes"},
    json_option,
};
constexpr Option only_json[] = {json_option};

}  // namespace

const Command claims_command{"claims", "", "Shows the domains with the memory that they have claimed", only_json, 0, 0, claims};
const Command list_command{"list", "[DOMAIN…]", "Shows the domains", list_options, 0, any_number, list};
const Command vm_list_command{"vm-list", "", "Shows the guests with their UUIDs", only_json, 0, 0, vm_list};

}  // namespace px::xl

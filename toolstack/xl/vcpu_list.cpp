// xl vcpu-list.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/machine.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

struct Vcpu {
    u32 number;
    abi::DomctlGetvcpuinfo info;
    control::VcpuAffinity affinity;
};

std::string row(const std::string& name, DomId id, const Vcpu& vcpu) {
    std::string text = format("%-32s %5u %5u", name.c_str(), id.raw, vcpu.number);
    if (vcpu.info.online) text += format(" %5u   %c%c- ", vcpu.info.cpu, vcpu.info.running ? 'r' : '-', vcpu.info.blocked ? 'b' : '-');
    else text += "     -   --p ";
    return text + format("%9.1f  ", static_cast<double>(vcpu.info.cpu_time) / 1e9) + ranges(vcpu.affinity.hard) + " / " +
           ranges(vcpu.affinity.soft) + "\n";
}

Json details(const std::string& name, DomId id, const Vcpu& vcpu) {
    return {{"name", name},
            {"domid", id.raw},
            {"vcpu", vcpu.number},
            {"online", vcpu.info.online != 0},
            {"running", vcpu.info.running != 0},
            {"blocked", vcpu.info.blocked != 0},
            {"cpu", vcpu.info.cpu},
            {"cpu_time_seconds", static_cast<double>(vcpu.info.cpu_time) / 1e9},
            {"hard_affinity", ranges(vcpu.affinity.hard)},
            {"soft_affinity", ranges(vcpu.affinity.soft)}};
}

/// Nothing when there is no vCPU of that number, or its domain ended just now.
std::optional<Vcpu> look_at(control::Domain domain, u32 number, usize cpus) {
    const auto info = control::vcpu_info(domain, number);
    const auto affinity = control::vcpu_affinity(domain, number, cpus);
    if (!info.ok() || !affinity.ok()) return std::nullopt;
    return Vcpu{number, *info, *affinity};
}

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    std::vector<domain::Info> infos;
    for (const std::string& word : arguments.words()) infos.push_back(TRY(domain::find_info(system, word)));
    if (infos.empty()) infos = TRY(call::list_domains(system.privcmd));
    const usize cpus = TRY(control::physical_info(system.privcmd)).max_cpu_id + 1;
    Json all = Json::array();
    std::string text = "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n";
    for (const domain::Info& info : infos) {
        const DomId id{info.domain};
        const std::string name = domain::name_of(system, id);
        for (u32 number = 0; info.max_vcpu_id != abi::invalid_max_vcpu_id && number <= info.max_vcpu_id; ++number) {
            const auto vcpu = look_at(control::Domain(system.privcmd, id), number, cpus);
            if (!vcpu) continue;
            text += row(name, id, *vcpu);
            all.push_back(details(name, id, *vcpu));
        }
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

constexpr Option options[] = {json_option};

}  // namespace

const Command vcpu_list_command{"vcpu-list", "[DOMAIN…]", "Shows the vCPUs, and where they may run", options, 0, any_number, run};

}  // namespace px::xl

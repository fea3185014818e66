// xl init-dom0: tells the store about dom0. The services' start runs it once xenstored is up.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/uuid.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

constexpr const char* name = "Domain-0";

Outcome<int> run(const Arguments&) {
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, "0"));
    const std::string home = domain::home_of(DomId{0}), vm = "/vm/" + domain::to_string(info.handle);
    const std::string kib = std::to_string(info.tot_pages * (page_size / 1024));
    TRY(system.store.transact([&](u32 transaction) -> Outcome<> {
        const std::pair<std::string, std::string> nodes[] = {
            {home + "/domid", "0"},
            {home + "/name", name},
            {home + "/vm", vm},
            {vm + "/name", name},
            {vm + "/uuid", domain::to_string(info.handle)},
            {home + "/memory/target", kib},
            {"/libxl/0/type", "pvh"},
        };
        for (const auto& [path, value] : nodes) TRY(system.store.write(path, value, transaction));
        for (u32 vcpu = 0; info.max_vcpu_id != abi::invalid_max_vcpu_id && vcpu <= info.max_vcpu_id; ++vcpu) {
            TRY(system.store.write(home + "/cpu/" + std::to_string(vcpu) + "/availability", "online", transaction));
        }
        return {};
    }));
    return exit_success;
}

}  // namespace

const Command init_dom0_command{"init-dom0", "", "Tells xenstored about dom0; part of the services' start", {}, 0, 0, run};

}  // namespace px::xl

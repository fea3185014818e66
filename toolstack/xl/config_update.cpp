// xl config-update: another configuration for a running guest, from its next start on.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/kept_config.hpp"
#include "toolstack/domain/uuid.hpp"
#include "toolstack/xl/load_config.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    const auto [path, extra] = config_words(arguments, 1);
    if (path.empty()) return Err{Error{EINVAL, "which configuration file?"}};
    auto config = load_config(path, extra);
    if (!config) return exit_failure;
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    config->uuid.value = xlcfg::Uuid{std::to_array(info.handle)};
    config->name.value = domain::name_of(system, DomId{info.domain});
    TRY(domain::keep_config(*config, DomId{info.domain}, domain::to_string(info.handle)));
    return exit_success;
}

constexpr Option options[] = {
    {'f', "defconfig", "FILE", "the configuration file"},
    {'d', "debug", "", "accepted, as with 4.17"},
};

}  // namespace

const Command config_update_command{
    "config-update", "DOMAIN FILE [KEY=VALUE…]", "Changes what a domain is when it starts again", options, 1, any_number, run};

}  // namespace px::xl

// The configuration of a running guest, kept in a file.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/kept_config.hpp"

#include <sys/stat.h>

#include <fstream>

#include "libxlcfg/json.hpp"
#include "libxlcfg/load.hpp"

namespace px::domain {

using call::Error;
using call::Outcome;
using xlcfg::DomainConfig;
using xlcfg::Json;

namespace {

constexpr const char* state_directory = "/var/lib/xen";

}  // namespace

std::string config_path(DomId domain, const std::string& uuid) {
    return std::string(state_directory) + "/userdata-d." + std::to_string(domain.raw) + "." + uuid + ".xl-json";
}

Outcome<> keep_config(const DomainConfig& config, DomId domain, const std::string& uuid) {
    mkdir(state_directory, 0755);
    const std::string path = config_path(domain, uuid), fresh = path + ".new";
    std::ofstream file(fresh);
    file << xlcfg::to_json(config).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    file.close();
    if (!file || std::rename(fresh.c_str(), path.c_str()) < 0) return call::failure("can't keep the configuration in " + path);
    return {};
}

Outcome<std::optional<DomainConfig>> kept_config(DomId domain, const std::string& uuid) {
    const std::string path = config_path(domain, uuid);
    std::ifstream file(path);
    if (!file) return std::optional<DomainConfig>{};
    xlcfg::Diagnostics diagnostics;
    xlcfg::Sources sources;
    std::optional<DomainConfig> config;
    const Json json = Json::parse(file, nullptr, false);
    if (!json.is_discarded()) {
        if (const auto text = xlcfg::to_xlcfg(json, diagnostics)) config = xlcfg::load(sources, path, *text, diagnostics);
    }
    if (!config || diagnostics.errors()) return Err{Error{EINVAL, "the kept configuration " + path + " is damaged"}};
    return config;
}

}  // namespace px::domain

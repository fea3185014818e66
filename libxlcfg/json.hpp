// The JSON form of a configuration, and its schema. The members of the object are the keys of xl.cfg; a device is an
// object whose members are the keys of its specification string.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "libxlcfg/load.hpp"

namespace px::xlcfg {

/// What the configuration says, without defaults; deprecated forms appear as their successors. Byte strings that are no
/// UTF-8 need Json::error_handler_t::replace when dumped.
Json to_json(const DomainConfig& config);

/// The same configuration as the text of an xl.cfg file, one key a line; nothing when the JSON says what xl.cfg can't (then
/// it is reported). The text isn't checked otherwise: load() it.
std::optional<std::string> to_xlcfg(const Json& json, Diagnostics& diagnostics);

/// to_xlcfg() and load(): messages point into the text, under `name`.
DomainConfig from_json(Sources& sources, const std::string& name, const Json& json, Diagnostics& diagnostics, const Options& options = {});

/// The JSON schema (draft 2020-12) of to_json()'s form, from the rows.
Json json_schema();

}  // namespace px::xlcfg

// Hot-plug scripts: what dom0 does for a device besides its driver (a bridge's port, a loop device).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/device/device.hpp"

namespace px::device {

inline constexpr const char* script_directory = "/etc/xen/scripts";
/// Made absolute: a plain name is one of script_directory.
std::string script_path(const std::string& name);

enum class Plug : u8 { in, out };

/// Runs the script as the reference does: its argument says what happened ("online", "offline" for a vif; "add", "remove" for
/// a vbd), XENBUS_PATH names the back end's directory, whose hotplug-status it sets. Error: it failed, can't be started, or
/// takes longer than `seconds` (it is killed then); the sentence ends with what it said. Scripts run one at a time, by a lock in
/// $XEN_RUN_DIR, else /run.
call::Outcome<> run_script(store::Client& store, const Device& device, const std::string& script, Plug plug, unsigned seconds = 30);

}  // namespace px::device

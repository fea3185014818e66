// Machine checks: errors of the hardware, by exception where they are fatal and by looking for them where they were corrected.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

struct TrapFrame;

/// Turns on reporting on this CPU. Errors that the banks hold from before the boot are logged.
void enable_machine_checks();

/// From now on every CPU that is online looks into its banks now and then and logs errors that the hardware corrected. Once, boot CPU.
void watch_for_corrected_errors();

/// Exception 18: an error that can't be corrected ends the machine with a report; one that is another CPU's alone returns.
void handle_machine_check(const TrapFrame& frame);

}  // namespace px::arch

// Scheduling and shutdown calls [xen/public sched.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

enum class SchedOp : u32 {
    yield = 0,
    block = 1,     ///< sleep until an event; unmasks events first
    shutdown = 2,  ///< SchedShutdown
    poll = 3,      ///< SchedPoll: sleep until one of some masked ports is pending
    remote_shutdown = 4,
    shutdown_code = 5,  ///< set the reason that the tools will see, without shutting down
    watchdog = 6,
    pin_override = 7,
};

enum class ShutdownReason : u32 { poweroff = 0, reboot = 1, suspend = 2, crash = 3, watchdog = 4, soft_reset = 5 };
inline constexpr u32 shutdown_reason_max = 5;

struct SchedShutdown {
    u32 reason;
};

struct SchedPoll {
    GuestHandle<u32> ports;
    u32 nr_ports;
    u64 timeout;  ///< absolute system time in ns, 0: none
};

struct SchedRemoteShutdown {
    u16 domain_id;
    u32 reason;
};

/// id 0 and a timeout: a new watchdog (its id is the result); id and timeout: set; id and timeout 0: cancel.
struct SchedWatchdog {
    u32 id;
    u32 timeout;  ///< seconds
};

/// Hardware domain only.
struct SchedPinOverride {
    i32 pcpu;  ///< negative: unpin
};

}  // namespace px::abi

// Registration of a PV guest's entry points [xen/public callback.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/arch.hpp"

namespace px::abi {

enum class CallbackOp : u32 { register_callback = 0, unregister_callback = 1 };

enum class CallbackType : u16 {
    event = 0,
    failsafe = 1,
    syscall = 2,
    sysenter_deprecated = 3,
    nmi = 4,
    sysenter = 5,
    syscall32 = 7,
};

inline constexpr u16 callback_mask_events = 1u << 0;

struct CallbackRegister {
    u16 type;   ///< CallbackType
    u16 flags;  ///< callback_mask_events
    arch::Callback address;
};

struct CallbackUnregister {
    u16 type;
    u16 unused;
};

}  // namespace px::abi

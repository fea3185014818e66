// Framing of an HVM domain's saved state; the records are the architecture's [xen/public hvm/save.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

/// In front of every record. The last record is type 0 with length 0.
struct HvmSaveDescriptor {
    u16 typecode;
    u16 instance;  ///< vCPU or device number
    u32 length;    ///< of the record, without this
};

}  // namespace px::abi

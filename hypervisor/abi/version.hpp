// What hypervisor is this? [xen/public version.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/features.hpp"
#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class XenVersionOp : u32 {
    version = 0,  ///< result: major << 16 | minor
    extraversion = 1,
    compile_info = 2,
    capabilities = 3,
    changeset = 4,
    platform_parameters = 5,
    get_features = 6,
    pagesize = 7,      ///< result
    guest_handle = 8,  ///< DomainHandle of the caller
    commandline = 9,
    build_id = 10,
};

using Extraversion = char[16];
using CapabilitiesInfo = char[1024];  ///< "xen-3.0-x86_64 hvm-3.0-x86_32 …", each followed by a space
using ChangesetInfo = char[64];
using Commandline = char[1024];

struct CompileInfo {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};

struct PlatformParameters {
    u64 virt_start;
};

struct FeatureInfo {
    u32 submap_idx;
    u32 submap;  ///< OUT: bit n = Feature 32 * submap_idx + n
};

/// Followed by len bytes. A null argument asks for the size.
struct BuildId {
    u32 len;
};

}  // namespace px::abi

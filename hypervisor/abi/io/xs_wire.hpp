// The xenstore's wire protocol and ring page [xen/public io/xs_wire.h, io/xenbus.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class XsMessageType : u32 {
    control = 0,
    directory = 1,
    read = 2,
    get_perms = 3,
    watch = 4,
    unwatch = 5,
    transaction_start = 6,
    transaction_end = 7,
    introduce = 8,
    release = 9,
    get_domain_path = 10,
    write = 11,
    mkdir = 12,
    rm = 13,
    set_perms = 14,
    watch_event = 15,
    error = 16,
    is_domain_introduced = 17,
    resume = 18,
    set_target = 19,
    reset_watches = 21,
    directory_part = 22,
    invalid = 0xffff,
};
inline constexpr u32 xs_type_count = 23;

/// In front of each message; len bytes follow. A reply repeats req_id and tx_id.
struct XsdSockmsg {
    u32 type;  ///< XsMessageType
    u32 req_id;
    u32 tx_id;  ///< transaction, 0: none
    u32 len;
};

/// Strings of a watch event.
enum class XsWatchField : u32 { path = 0, token = 1 };

inline constexpr u32 xenstore_ring_size = 1024;
constexpr u32 mask_xenstore_idx(u32 index) { return index & (xenstore_ring_size - 1); }
inline constexpr u32 xenstore_payload_max = 4096;
inline constexpr u32 xenstore_abs_path_max = 3072;
inline constexpr u32 xenstore_rel_path_max = 2048;

inline constexpr u32 xenstore_server_feature_reconnection = 1, xenstore_server_feature_error = 2;
enum class XenstoreConnection : u32 { connected = 0, reconnect = 1 };
enum class XenstoreError : u32 { none = 0, comm = 1, ringidx = 2, proto = 3 };

/// Indices run freely. `req` is from the guest.
struct XenstoreDomainInterface {
    char req[xenstore_ring_size];
    char rsp[xenstore_ring_size];
    u32 req_cons, req_prod;
    u32 rsp_cons, rsp_prod;
    u32 server_features;
    u32 connection;  ///< XenstoreConnection
    u32 error;       ///< XenstoreError
};

/// State of one end of a split driver, as a decimal string in the store.
enum class XenbusState : u32 {
    unknown = 0,
    initialising = 1,
    init_wait = 2,
    initialised = 3,
    connected = 4,
    closing = 5,
    closed = 6,
    reconfiguring = 7,
    reconfigured = 8,
};

}  // namespace px::abi

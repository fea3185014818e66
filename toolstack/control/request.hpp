// One hypercall with one structure as its argument.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/call/privcmd.hpp"

namespace px::control {

/// Runs `operation` of hypercall `number` on `argument`, whose OUT fields are in it afterwards. The value is what the
/// hypervisor returned.
template <class Operation, class Argument>
call::Outcome<u64> request(call::Privcmd& privcmd, unsigned number, Operation operation, Argument& argument, std::string_view what) {
    auto memory = TRY(privcmd.buffer(sizeof argument));
    std::memcpy(memory.data(), &argument, sizeof argument);
    const u64 arguments[] = {static_cast<u64>(operation), memory.address()};
    const u64 result = TRY(privcmd.hypercall(number, arguments, what));
    std::memcpy(&argument, memory.data(), sizeof argument);
    return result;
}

/// A domctl on `domain`, its body not yet filled in.
inline abi::Domctl domctl_of(DomId domain, abi::DomctlCmd command) {
    abi::Domctl request{};
    request.cmd = static_cast<u32>(command);
    request.domain = domain.raw;
    return request;
}

inline abi::Sysctl sysctl_of(abi::SysctlCmd command) {
    abi::Sysctl request{};
    request.cmd = static_cast<u32>(command);
    return request;
}

}  // namespace px::control

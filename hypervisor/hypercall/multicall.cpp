// HYPERVISOR_multicall: a list of hypercalls in one. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hypervisor/abi/xen.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

Result<Reply> call(Vcpu& caller, u64 number, HypercallArgs& args) {
    const HypercallTable& table = hypercall_table(caller);
    REQUIRE(number < table.size() && table[number].handler != nullptr, enosys);
    REQUIRE(number != abi::hypercall::multicall, einval);
    return table[number].handler(caller, args);
}

}  // namespace

/// args: (list, length). What is done is taken off the list before an interruption; the rest of an interrupted call stands
/// in its entry.
Result<Reply> hypercall_multicall(Vcpu& caller, HypercallArgs& args) {
    args[1] = static_cast<u32>(args[1]);
    for (bool first = true; args[1] != 0; first = false) {
        if (!first && preemption_pending()) return run_again;
        const GuestPtr<abi::MulticallEntry> pointer(args[0]);
        abi::MulticallEntry entry = TRY(pointer.read());
        HypercallArgs inner;
        std::copy_n(entry.args, inner.value.size(), inner.value.begin());
        const Result<Reply> result = call(caller, entry.op, inner);
        if (result.ok() && result->again()) {
            std::ranges::copy(inner.value, entry.args);
            TRY(pointer.write(entry));
            return run_again;
        }
        TRY(pointer.write_field(&abi::MulticallEntry::result, static_cast<u64>(to_register(result))));
        args[0] = pointer.at(1).address();
        --args[1];
    }
    return Reply{};
}

}  // namespace px

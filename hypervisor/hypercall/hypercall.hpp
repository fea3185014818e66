// What a hypercall is: arguments, reply, continuation, table.
//
// A family has one file and one function per sub-operation, found through a table. Each is view → check → commit.
// A long one returns `again` after changing the arguments so that the caller executes the same instruction anew with
// them: nothing is kept in the hypervisor between the parts.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <span>

#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/result.hpp"

namespace px {

class Vcpu;

struct HypercallArgs {
    std::array<u64, 5> value;
    u64& operator[](usize index) { return value[index]; }
    u64 operator[](usize index) const { return value[index]; }
};

/// What a hypercall leaves in the caller's result register, or that it is to be executed again. One word, so that a
/// Result<Reply> travels in registers: no call answers the most negative number.
struct Reply {
    i64 value = 0;
    constexpr Reply() = default;
    constexpr Reply(i64 result) : value(result) {}
    constexpr bool again() const { return value == std::numeric_limits<i64>::min(); }
};
inline constexpr Reply run_again{std::numeric_limits<i64>::min()};

using HypercallHandler = Result<Reply> (*)(Vcpu& caller, HypercallArgs& args);

/// Who may reach a hypercall; sub-operations check privilege themselves.
struct HypercallEntry {
    HypercallHandler handler = nullptr;  ///< nullptr: -ENOSYS
};

inline constexpr unsigned hypercall_count = 64;
using HypercallTable = std::array<HypercallEntry, hypercall_count>;
/// The architecture's table for guests of the caller's kind: generic_hypercalls() and rows of its own. multicall uses it as well.
const HypercallTable& hypercall_table(const Vcpu& caller);

/// The register value for a result: the value, or -errno. The one place where an errno becomes a number.
constexpr i64 to_register(const Result<Reply>& result) { return result.ok() ? result.value().value : -static_cast<i64>(result.error()); }

// Handlers of the families (hypervisor/hypercall/<family>.cpp).
Result<Reply> hypercall_memory_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_set_timer_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_xen_version(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_console_io(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_grant_table_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_vm_assist(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_vcpu_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_sched_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_event_channel_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_sysctl(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_domctl(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_multicall(Vcpu& caller, HypercallArgs& args);
/// Known, but not supported on any machine.
inline Result<Reply> hypercall_not_supported(Vcpu&, HypercallArgs&) { return Err{Errno::eopnotsupp}; }
// hvm_op, physdev_op, platform_op and dm_op belong to the architecture.

/// The rows that every architecture has.
constexpr HypercallTable generic_hypercalls() {
    namespace number = abi::hypercall;
    HypercallTable table{};
    table[number::memory_op] = {hypercall_memory_op};
    table[number::set_timer_op] = {hypercall_set_timer_op};
    table[number::xen_version] = {hypercall_xen_version};
    table[number::console_io] = {hypercall_console_io};
    table[number::grant_table_op] = {hypercall_grant_table_op};
    table[number::vm_assist] = {hypercall_vm_assist};
    table[number::vcpu_op] = {hypercall_vcpu_op};
    table[number::sched_op] = {hypercall_sched_op};
    table[number::event_channel_op] = {hypercall_event_channel_op};
    table[number::sysctl] = {hypercall_sysctl};
    table[number::domctl] = {hypercall_domctl};
    table[number::multicall] = {hypercall_multicall};
    table[number::xenpmu_op] = {hypercall_not_supported};
    return table;
}

}  // namespace px

// Hypercalls with bad arguments: unknown numbers and operations, bad pointers, missing privilege. The expected answers
// are the reference's.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/sysctl.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

namespace number = abi::hypercall;
constexpr u64 unmapped = 0x7000'0000'0000, not_canonical = 0x8000'0000'0000'0000, unknown = 99;

struct Case {
    std::string_view what;
    u64 call, a1, a2, a3;
    Errno error;
};

constexpr Case always[] = {
    {"number beyond the table", 60, 0, 0, 0, Errno::enosys},
    {"far number", 0xffff'ffff, 0, 0, 0, Errno::enosys},
    {"unused number", number::arch_7, 0, 0, 0, Errno::enosys},
    {"PV only: mmu_update", number::mmu_update, 0, 0, 0, Errno::enosys},
    {"PV only: set_trap_table", number::set_trap_table, 0, 0, 0, Errno::enosys},
    {"PV only: iret", number::iret, 0, 0, 0, Errno::enosys},
    {"xsm_op", number::xsm_op, 0, 0, 0, Errno::enosys},
    {"xen_version: unknown", number::xen_version, unknown, 0, 0, Errno::enosys},
    {"xen_version: unmapped", number::xen_version, 1, unmapped, 0, Errno::efault},
    {"xen_version: not canonical", number::xen_version, 1, not_canonical, 0, Errno::efault},
    {"event_channel_op: unknown", number::event_channel_op, unknown, 0, 0, Errno::enosys},
    {"event_channel_op: unmapped", number::event_channel_op, 4, unmapped, 0, Errno::efault},
    {"event_channel_op: null", number::event_channel_op, 6, unmapped, 0, Errno::efault},
    {"sched_op: unknown", number::sched_op, unknown, 0, 0, Errno::enosys},
    {"sched_op: shutdown, unmapped", number::sched_op, 2, unmapped, 0, Errno::efault},
    {"sched_op: poll, unmapped", number::sched_op, 3, unmapped, 0, Errno::efault},
    {"vcpu_op: no such vCPU", number::vcpu_op, 3, 5000, 0, Errno::enoent},
    {"vcpu_op: unknown", number::vcpu_op, unknown, 0, 0, Errno::enosys},
    {"vcpu_op: unmapped", number::vcpu_op, 8, 0, unmapped, Errno::efault},
    {"memory_op: unknown", number::memory_op, 63, 0, 0, Errno::enosys},
    {"memory_op: unmapped", number::memory_op, 7, unmapped, 0, Errno::efault},
    {"grant_table_op: unknown", number::grant_table_op, unknown, 0, 1, Errno::enosys},
    {"grant_table_op: unmapped", number::grant_table_op, 5, unmapped, 1, Errno::efault},
    {"grant_table_op: count too large", number::grant_table_op, 5, unmapped, 0xffff'ffff, Errno::einval},
    {"hvm_op: unknown", number::hvm_op, unknown, 0, 0, Errno::enosys},
    {"hvm_op: get_param, unmapped", number::hvm_op, 1, unmapped, 0, Errno::efault},
    {"multicall: unmapped", number::multicall, unmapped, 1, 0, Errno::efault},
    {"vm_assist: unknown type", number::vm_assist, 0, 60, 0, Errno::einval},
    {"domctl: unmapped", number::domctl, unmapped, 0, 0, Errno::efault},
    {"sysctl: unmapped", number::sysctl, unmapped, 0, 0, Errno::efault},
};

constexpr Case unprivileged[] = {
    {"console_io: write", number::console_io, 0, 0, 0, Errno::eperm},
    {"platform_op: unmapped", number::platform_op, unmapped, 0, 0, Errno::efault},
};

void run(const Case& test) {
    const i64 got = hypercall(test.call, test.a1, test.a2, test.a3);
    if (!check(got == minus(test.error), __FILE_NAME__, __LINE__, test.what)) print("    got {} wanted {}\n", got, minus(test.error));
}

void privileged_operations() {
    abi::Domctl control{};
    control.cmd = static_cast<u32>(abi::DomctlCmd::pausedomain);
    control.interface_version = abi::domctl_interface_version;
    control.domain = 0;
    PX_CHECK_EQ(hypercall(number::domctl, reinterpret_cast<u64>(&control)), minus(Errno::eperm));
    control.interface_version = 1;
    PX_CHECK_EQ(hypercall(number::domctl, reinterpret_cast<u64>(&control)), minus(Errno::eacces));
    abi::Sysctl system{};
    system.cmd = static_cast<u32>(abi::SysctlCmd::physinfo);
    system.interface_version = abi::sysctl_interface_version;
    PX_CHECK_EQ(hypercall(number::sysctl, reinterpret_cast<u64>(&system)), minus(Errno::eperm));
    abi::HvmParamArg param{0, 0, static_cast<u32>(abi::HvmParam::store_pfn), 0};
    const i64 refused = call(abi::HvmOp::get_param, &param);
    PX_CHECK(refused == minus(Errno::eperm) || refused == minus(Errno::einval));  // einval: a PV dom0 has none
    abi::MemoryDomain dom0{0};
    PX_CHECK_EQ(call(abi::MemoryOp::current_reservation, &dom0), minus(Errno::eperm));
}

void parameters() {
    abi::HvmParamArg param{abi::domid::self, 0, abi::hvm_nr_params, 0};
    PX_CHECK_EQ(call(abi::HvmOp::get_param, &param), minus(Errno::einval));
    PX_CHECK_EQ(call(abi::HvmOp::set_param, &param), minus(Errno::einval));
    param.domid = 0x7000;
    param.index = 0;
    PX_CHECK_EQ(call(abi::HvmOp::get_param, &param), minus(Errno::esrch));
    u32 ports[1] = {1};
    abi::SchedPoll poll{handle(ports), 129, 0};
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), minus(Errno::einval));
    poll = {{unmapped}, 1, 0};
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), minus(Errno::efault));
    ports[0] = 1'000'000;
    poll = {handle(ports), 1, 0};
    PX_CHECK_EQ(call(abi::SchedOp::poll, &poll), minus(Errno::einval));
}

/// A structure that begins in mapped memory and ends beyond it: nothing may be done by halves.
void straddling() {
    constexpr u64 last_mapped = 0xffff'ffff;  // the identity map ends at 4 GiB
    PX_CHECK_EQ(hypercall(number::hvm_op, 1, last_mapped - 3), minus(Errno::efault));
}

void multicalls() {
    abi::MulticallEntry calls[2]{};
    calls[0].op = number::xen_version;
    calls[1].op = 60;
    PX_CHECK_EQ(hypercall(number::multicall, reinterpret_cast<u64>(calls), 2), i64{0});
    PX_CHECK_EQ(calls[0].result, u64{4} << 16 | 17);
    PX_CHECK_EQ(calls[1].result, static_cast<u64>(minus(Errno::enosys)));
    PX_CHECK_EQ(hypercall(number::multicall, reinterpret_cast<u64>(calls), 0), i64{0});
}

}  // namespace

void guest_main() {
    for (const Case& test : always) run(test);
    if (!is_dom0()) {
        for (const Case& test : unprivileged) run(test);
        privileged_operations();
    }
    PX_PART(parameters());
    PX_PART(straddling());
    PX_PART(multicalls());
    PX_CHECK_EQ(hypercall(u64{1} << 32 | number::xen_version), minus(Errno::enosys));  // all of rax is the number
}

}  // namespace px::guest

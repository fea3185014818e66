// What the reference answers to every sub-operation of every hypercall that is given a bad pointer, and to those that don't exist.
//
// Found on Debian's Xen 4.17, as a PVH guest and as a PVH dom0 (2026-11-29). SCHEDOP_block and VCPUOP_down are left out: they would do it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/result.hpp"

namespace px::guest {

/// Operations `first` to `last` of a hypercall: the error for a guest and for dom0; 0: any value that is no error.
struct Expected {
    std::string_view name;
    unsigned number, first, last;
    Errno guest, dom0;
};

inline constexpr Errno none{0}, eperm = Errno::eperm, enoent = Errno::enoent, esrch = Errno::esrch, eacces = Errno::eacces,
                                efault = Errno::efault, einval = Errno::einval, enosys = Errno::enosys, enodata = Errno::enodata,
                                eopnotsupp = Errno::eopnotsupp;

namespace number = abi::hypercall;

// clang-format off
inline constexpr Expected operations[] = {
    {"xen_version", number::xen_version, 0, 0, none, none},
    {"xen_version", number::xen_version, 1, 6, efault, efault},
    {"xen_version", number::xen_version, 7, 7, einval, einval},
    {"xen_version", number::xen_version, 8, 9, efault, efault},
    {"xen_version", number::xen_version, 10, 10, eperm, efault},
    {"xen_version", number::xen_version, 11, 69, enosys, enosys},
    {"memory_op", number::memory_op, 0, 2, none, none},
    {"memory_op", number::memory_op, 3, 5, efault, efault},
    {"memory_op", number::memory_op, 6, 6, none, none},
    {"memory_op", number::memory_op, 7, 7, efault, efault},
    {"memory_op", number::memory_op, 8, 8, enosys, enosys},
    {"memory_op", number::memory_op, 9, 9, efault, efault},
    {"memory_op", number::memory_op, 10, 10, enosys, enosys},
    {"memory_op", number::memory_op, 11, 11, efault, efault},
    {"memory_op", number::memory_op, 12, 12, enosys, enosys},
    {"memory_op", number::memory_op, 13, 17, efault, efault},
    {"memory_op", number::memory_op, 18, 19, none, none},
    {"memory_op", number::memory_op, 20, 20, enosys, enosys},
    {"memory_op", number::memory_op, 21, 21, efault, efault},
    {"memory_op", number::memory_op, 22, 22, enosys, enosys},
    {"memory_op", number::memory_op, 23, 24, efault, efault},
    {"memory_op", number::memory_op, 25, 25, eopnotsupp, eopnotsupp},
    {"memory_op", number::memory_op, 26, 27, efault, efault},
    {"memory_op", number::memory_op, 28, 28, eacces, efault},
    {"memory_op", number::memory_op, 29, 63, enosys, enosys},
    {"memory_op", number::memory_op, 64, 65, none, none},
    {"memory_op", number::memory_op, 66, 68, einval, einval},
    {"memory_op", number::memory_op, 69, 69, enosys, enosys},
    {"sched_op", number::sched_op, 0, 0, none, none},
    {"sched_op", number::sched_op, 2, 6, efault, efault},
    {"sched_op", number::sched_op, 7, 7, eperm, efault},
    {"sched_op", number::sched_op, 8, 69, enosys, enosys},
    {"vcpu_op", number::vcpu_op, 0, 0, efault, efault},
    {"vcpu_op", number::vcpu_op, 1, 1, none, none},
    {"vcpu_op", number::vcpu_op, 3, 3, none, none},
    {"vcpu_op", number::vcpu_op, 4, 6, efault, efault},
    {"vcpu_op", number::vcpu_op, 7, 7, none, none},
    {"vcpu_op", number::vcpu_op, 8, 8, efault, efault},
    {"vcpu_op", number::vcpu_op, 9, 9, none, none},
    {"vcpu_op", number::vcpu_op, 10, 10, efault, efault},
    {"vcpu_op", number::vcpu_op, 11, 12, einval, einval},
    {"vcpu_op", number::vcpu_op, 13, 13, efault, efault},
    {"vcpu_op", number::vcpu_op, 14, 69, enosys, enosys},
    {"event_channel_op", number::event_channel_op, 0, 14, efault, efault},
    {"event_channel_op", number::event_channel_op, 15, 69, enosys, enosys},
    {"grant_table_op", number::grant_table_op, 0, 2, efault, efault},
    {"grant_table_op", number::grant_table_op, 3, 4, enosys, enosys},
    {"grant_table_op", number::grant_table_op, 5, 6, efault, efault},
    {"grant_table_op", number::grant_table_op, 7, 7, enosys, enosys},
    {"grant_table_op", number::grant_table_op, 8, 8, efault, efault},
    {"grant_table_op", number::grant_table_op, 9, 9, enosys, enosys},
    {"grant_table_op", number::grant_table_op, 10, 11, efault, efault},
    {"grant_table_op", number::grant_table_op, 12, 69, enosys, enosys},
    {"hvm_op", number::hvm_op, 0, 1, efault, efault},
    {"hvm_op", number::hvm_op, 2, 4, enosys, enosys},
    {"hvm_op", number::hvm_op, 5, 5, einval, einval},
    {"hvm_op", number::hvm_op, 6, 8, enosys, enosys},
    {"hvm_op", number::hvm_op, 9, 11, efault, efault},
    {"hvm_op", number::hvm_op, 12, 14, enosys, enosys},
    {"hvm_op", number::hvm_op, 15, 15, efault, efault},
    {"hvm_op", number::hvm_op, 16, 22, enosys, enosys},
    {"hvm_op", number::hvm_op, 23, 23, efault, efault},
    {"hvm_op", number::hvm_op, 24, 24, einval, einval},
    {"hvm_op", number::hvm_op, 25, 25, eopnotsupp, eopnotsupp},
    {"hvm_op", number::hvm_op, 26, 69, enosys, enosys},
    {"physdev_op", number::physdev_op, 0, 23, enosys, enosys},
    {"physdev_op", number::physdev_op, 24, 26, enosys, efault},
    {"physdev_op", number::physdev_op, 27, 28, enosys, enosys},
    {"physdev_op", number::physdev_op, 29, 29, enosys, efault},
    {"physdev_op", number::physdev_op, 30, 69, enosys, enosys},
    {"console_io", number::console_io, 0, 0, eperm, efault},
    {"console_io", number::console_io, 1, 1, eperm, none},
    {"console_io", number::console_io, 2, 69, eperm, enosys},
    {"sched_op_compat", number::sched_op_compat, 0, 3, enosys, enosys},
    {"update_va_mapping", number::update_va_mapping, 0, 3, enosys, enosys},
    {"xsm_op", number::xsm_op, 0, 3, enosys, enosys},
    {"nmi_op", number::nmi_op, 0, 3, enosys, enosys},
    {"callback_op", number::callback_op, 0, 3, enosys, enosys},
    {"xenoprof_op", number::xenoprof_op, 0, 3, enosys, enosys},
    {"kexec_op", number::kexec_op, 0, 3, enosys, enosys},
    {"argo_op", number::argo_op, 0, 3, enosys, enosys},
    {"xenpmu_op", number::xenpmu_op, 0, 3, eopnotsupp, eopnotsupp},
    {"dm_op", number::dm_op, 0, 1, enodata, enodata},
    {"hypfs_op", number::hypfs_op, 0, 1, eperm, einval},
};

/// Hypercalls by number, all arguments being nonsense (`first` to `last` are the numbers). Where all operations of one are covered above, only
/// that it is there or not.
inline constexpr Expected numbers[] = {
    {"number", 0, 0, 6, enosys, enosys},
    {"number", 0, 7, 7, eacces, eacces},
    {"number", 0, 8, 12, enosys, enosys},
    {"number", 0, 13, 13, none, none},
    {"number", 0, 14, 14, enosys, enosys},
    {"number", 0, 15, 15, none, none},
    {"number", 0, 16, 17, enosys, enosys},
    {"number", 0, 18, 18, eperm, enosys},
    {"number", 0, 19, 20, enosys, enosys},
    {"number", 0, 21, 21, einval, einval},
    {"number", 0, 22, 23, enosys, enosys},
    {"number", 0, 25, 25, enosys, enosys},
    {"number", 0, 26, 26, eperm, esrch},
    {"number", 0, 27, 28, enosys, enosys},
    {"number", 0, 30, 34, enosys, enosys},
    {"number", 0, 35, 36, eacces, eacces},
    {"number", 0, 37, 39, enosys, enosys},
    {"number", 0, 40, 40, eopnotsupp, eopnotsupp},
    {"number", 0, 41, 41, enodata, enodata},
    {"number", 0, 42, 42, eperm, einval},
    {"number", 0, 43, 48, enosys, enosys},
    {"number", 0, 49, 49, eopnotsupp, eopnotsupp},
    {"number", 0, 50, 69, enosys, enosys},
};

/// Commands with the right version in a structure that is there: of a guest, on domain 0.
inline constexpr Expected commands_of_guest[] = {
    {"domctl", number::domctl, 0, 20, eperm, none}, {"domctl", number::domctl, 21, 21, einval, none},
    {"domctl", number::domctl, 22, 37, eperm, none}, {"domctl", number::domctl, 38, 39, einval, none},
    {"domctl", number::domctl, 40, 40, eopnotsupp, none}, {"domctl", number::domctl, 41, 45, eperm, none},
    {"domctl", number::domctl, 46, 46, einval, none}, {"domctl", number::domctl, 47, 47, eperm, none},
    {"domctl", number::domctl, 48, 48, einval, none}, {"domctl", number::domctl, 49, 49, eperm, none},
    {"domctl", number::domctl, 50, 50, eopnotsupp, none}, {"domctl", number::domctl, 51, 99, eperm, none},
    {"sysctl", number::sysctl, 0, 99, eperm, none},
    {"platform_op", number::platform_op, 0, 99, eperm, none},
};

/// Of dom0, on itself: those that have no meaning.
inline constexpr Expected commands_of_dom0[] = {
    {"domctl", number::domctl, 0, 0, none, enosys}, {"domctl", number::domctl, 6, 8, none, enosys},
    {"domctl", number::domctl, 30, 32, none, enosys}, {"domctl", number::domctl, 41, 41, none, enosys},
    {"domctl", number::domctl, 49, 49, none, enosys}, {"domctl", number::domctl, 51, 53, none, enosys},
    {"domctl", number::domctl, 58, 58, none, enosys}, {"domctl", number::domctl, 70, 70, none, enosys},
    {"domctl", number::domctl, 76, 76, none, enosys}, {"domctl", number::domctl, 80, 80, none, enosys},
    {"domctl", number::domctl, 87, 99, none, enosys},
    {"sysctl", number::sysctl, 0, 0, none, enosys}, {"sysctl", number::sysctl, 13, 13, none, enosys},
    {"sysctl", number::sysctl, 24, 24, none, enosys}, {"sysctl", number::sysctl, 28, 28, none, enosys},
    {"sysctl", number::sysctl, 30, 99, none, enosys},
    {"platform_op", number::platform_op, 0, 16, none, enosys}, {"platform_op", number::platform_op, 18, 20, none, enosys},
    {"platform_op", number::platform_op, 30, 30, none, enosys}, {"platform_op", number::platform_op, 34, 34, none, enosys},
    {"platform_op", number::platform_op, 36, 38, none, enosys}, {"platform_op", number::platform_op, 40, 47, none, enosys},
    {"platform_op", number::platform_op, 64, 99, none, enosys},
};
// clang-format on

}  // namespace px::guest

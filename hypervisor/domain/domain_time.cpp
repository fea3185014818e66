// Time as one domain reads it.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/domain_time.hpp"

#include "arch/guest_memory.hpp"
#include "arch/guest_time.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {

constexpr u64 second = 1'000'000'000;

struct Base {
    bool set = false;
    arch::WallClock value{};
};
constinit Locked<Base, LockRank::event_queue> base;

/// Readers retry while the version is odd or changed: odd first, then the data, then even.
template <class Write>
void with_version(u32& version, Write write) {
    __atomic_store_n(&version, version | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    write();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&version, version + 1, __ATOMIC_RELAXED);
}

}  // namespace

arch::WallClock wall_clock_base() {
    auto guard = base.lock();
    return guard->set ? guard->value : arch::wall_clock();
}

void set_wall_clock(u64 seconds, u32 nanoseconds, Nanoseconds system_time) {
    const u64 total = seconds * second + nanoseconds - static_cast<u64>(system_time.raw);
    {
        auto guard = base.lock();
        guard->set = true;
        guard->value = {total / second, static_cast<u32>(total % second)};
    }
    for (DomId id{0};; ++id) {
        const auto domain = first_domain_from(id);
        if (!domain) return;
        id = (*domain)->id;
        // A reference of our own: the domain may be killed meanwhile, and its page given away.
        const Mfn page = (*domain)->shared_info_mfn();
        if (!try_get_frame(frame_of(page), domain->get())) continue;
        const FrameRef held(frame_of(page));
        (*domain)->time.publish_wall_clock(*static_cast<abi::SharedInfo*>(held.data()));
    }
}

void DomainTime::publish_wall_clock(abi::SharedInfo& shared) const {
    const arch::WallClock wall = wall_clock_base();
    const u64 seconds = wall.seconds + static_cast<u64>(offset_seconds);
    with_version(shared.wc_version, [&] {
        shared.wc_sec = static_cast<u32>(seconds);
        shared.wc_sec_hi = static_cast<u32>(seconds >> 32);
        shared.wc_nsec = wall.nanoseconds;
    });
}

void publish_vcpu_time(Vcpu& vcpu) {
    const abi::VcpuTimeInfo fresh = arch::vcpu_time(vcpu);
    abi::VcpuTimeInfo& shown = vcpu.info().time;
    // On a stable clock the parameters of a vCPU never change: two words tell that what is shown is right.
    if (arch::vcpu_time_is_constant(vcpu) && shown.tsc_to_system_mul == fresh.tsc_to_system_mul &&
        shown.tsc_timestamp == fresh.tsc_timestamp && shown.system_time == fresh.system_time) {
        return;
    }
    with_version(shown.version, [&] {
        shown.tsc_timestamp = fresh.tsc_timestamp;
        shown.system_time = fresh.system_time;
        shown.tsc_to_system_mul = fresh.tsc_to_system_mul;
        shown.tsc_shift = fresh.tsc_shift;
        shown.flags = fresh.flags;
    });
    if (vcpu.time_area == 0) return;
    // The guest may read it on this vCPU only while we don't run it: one copy with an even version is enough.
    abi::VcpuTimeInfo copy = fresh;
    copy.version = shown.version;
    (void)arch::copy_to_guest(vcpu.time_area, &copy, sizeof copy).ok();
}

}  // namespace px

// A domain: creation, pausing, shutting down, destruction.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/domain.hpp"

#include <cstring>

#include "hypervisor/abi/sched.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain_table.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {
namespace {

constinit std::atomic<u32> next_serial{1};

Result<> check(const DomainSettings& settings) {
    REQUIRE(settings.max_vcpus >= 1 && settings.max_vcpus <= max_vcpus_per_domain, einval);
    REQUIRE(settings.max_grant_version >= 1 && settings.max_grant_version <= 2, einval);
    return arch::check_settings(settings);
}

}  // namespace

Domain::Domain(DomId number, const DomainSettings& chosen, u32 serial)
    : id(number),
      settings(chosen),
      handle(chosen.handle),
      group(number),
      memory(*this, serial),
      physmap(*this),
      events(*this),
      grants(*this),
      watchdogs(*this) {}

Domain::~Domain() = default;

Result<> Domain::allocate_shared_info() {
    shared_info_mfn_ = TRY(memory.allocate_shared());
    shared_info_ = to_virtual(shared_info_mfn_);
    return {};
}

void Domain::drop_shared_info() {
    // Toolstacks may have mapped it: the frame lives on until they let go, and the domain with it.
    if (std::exchange(shared_info_, nullptr) != nullptr) put_frame(frame_of(shared_info_mfn_));
}

Result<DomainRef> Domain::create(DomId number, const DomainSettings& settings) {
    TRY(check(settings));
    REQUIRE(number < domid_first_reserved, einval);
    // From here on the object's own end undoes what was done: every part can be ended at any stage of its creation.
    auto memory = TRY(make<DomainBox>(number, settings, next_serial.fetch_add(1, std::memory_order_relaxed)));
    Domain& domain = memory->domain;
    domain.pause_count_.store(1, std::memory_order_relaxed);
    domain.controller_pauses_ = 1;
    const auto finish = [&]() -> Result<> {
        domain.vcpus_ = TRY(HeapArray<Vcpu*>::create(settings.max_vcpus));
        TRY(domain.allocate_shared_info());
        TRY(domain.physmap.create());
        TRY(arch::create_domain(domain));
        TRY(domain.events.create());
        TRY(domain.grants.create());
        return domain_table().insert(domain);
    };
    const auto finished = finish();
    if (!finished) {
        domain.release_parts();
        return Err{finished.error()};
    }
    domain.time.publish_wall_clock(*static_cast<abi::SharedInfo*>(domain.shared_info_));
    (void)memory.release();
    return DomainRef(domain);  // one more: the reference of its creation is dropped by kill()
}

void Domain::release_parts() {
    for (u32 i = 0; i < vcpus_.size(); ++i) {
        Vcpu* const vcpu = std::exchange(vcpus_[i], nullptr);
        if (vcpu == nullptr) continue;
        scheduler().remove_unit(vcpu->unit);
        arch::destroy_vcpu(*vcpu);
        HeapDelete<Vcpu>{}(vcpu);
    }
    arch::destroy_domain(*this);
    physmap.destroy();
    drop_shared_info();
}

void Domain::last_reference_dropped() {
    PX_ASSERT(is_dying());
    // The last reference may be dropped anywhere, also in a softirq; nothing here waits.
    domain_table().remove(*this);
    release_parts();
    HeapDelete<DomainBox>{}(DomainBox::of(*this));
    send_global_virq(static_cast<u32>(abi::Virq::dom_exc));
}

Vcpu* Domain::vcpu(VcpuId number) const {
    return number.raw < vcpus_.size() ? __atomic_load_n(&vcpus_[number.raw], __ATOMIC_ACQUIRE) : nullptr;
}

Result<Vcpu*> Domain::create_vcpu(VcpuId number) {
    REQUIRE(number.raw < vcpus_.size(), einval);
    auto guard = life_lock_.lock();
    REQUIRE(!is_dying(), einval);
    REQUIRE(vcpus_[number.raw] == nullptr, eexist);
    Box<Vcpu> fresh = TRY(make<Vcpu>(*this, number));
    auto done = arch::create_vcpu(*fresh);
    if (done) done = scheduler().add_unit(fresh->unit);
    if (!done) {
        arch::destroy_vcpu(*fresh);  // also what was made in part
        return Err{done.error()};
    }
    Vcpu* const vcpu = fresh.release();
    __atomic_store_n(&vcpus_[number.raw], vcpu, __ATOMIC_RELEASE);
    vcpu_count_.fetch_add(1, std::memory_order_release);
    return vcpu;
}

void Domain::take_down(Vcpu& vcpu) {
    {
        auto guard = life_lock_.lock();  // of two last ones, the second to come here sees both down
        vcpu.halt(Vcpu::down);
        for (const Vcpu* other : vcpus_) {
            if (other != nullptr && !other->is_halted(Vcpu::down)) return;
        }
    }
    shutdown(static_cast<u8>(abi::ShutdownReason::poweroff));
}

void Domain::wake_all() {
    for (Vcpu* vcpu : vcpus_) {
        if (vcpu != nullptr) vcpu->update_runnable();
    }
}

void Domain::pause_nosync() {
    pause_count_.fetch_add(1, std::memory_order_acq_rel);
    wake_all();
}

void Domain::pause() {
    pause_nosync();
    for (Vcpu* vcpu : vcpus_) {
        if (vcpu != nullptr) vcpu->wait_until_off_cpu();
    }
}

void Domain::unpause() {
    const u32 before = pause_count_.fetch_sub(1, std::memory_order_acq_rel);
    PX_ASSERT(before != 0);
    if (before == 1) wake_all();
}

Result<> Domain::pause_by_controller() {
    {
        auto guard = life_lock_.lock();
        constexpr u32 most_pauses = 255;
        REQUIRE(controller_pauses_ < most_pauses, eusers);
        ++controller_pauses_;
    }
    pause();
    return {};
}

Result<> Domain::unpause_by_controller() {
    {
        auto guard = life_lock_.lock();
        REQUIRE(controller_pauses_ != 0, einval);
        --controller_pauses_;
    }
    unpause();
    return {};
}

void Domain::shutdown(u8 reason) {
    {
        auto guard = life_lock_.lock();
        if (is_shut_down()) return;
        if (shutdown_code_ == no_shutdown_code) shutdown_code_ = reason;
        reason = shutdown_code_;
        shut_down_.store(true, std::memory_order_release);
    }
    if (this == hardware_domain()) arch::hardware_domain_shutdown(reason);
    pause_nosync();
    const bool suspended = reason == static_cast<u8>(abi::ShutdownReason::suspend);
    if (suspended && suspend_port.raw != 0 && events.send(suspend_port).ok()) return;
    send_global_virq(static_cast<u32>(abi::Virq::dom_exc));
}

Result<> Domain::resume() {
    {
        auto guard = life_lock_.lock();
        REQUIRE(is_shut_down() && !is_dying(), einval);
        shut_down_.store(false, std::memory_order_release);
        shutdown_code_ = no_shutdown_code;
    }
    unpause();
    return {};
}

void Domain::set_shutdown_code(u8 code) {
    auto guard = life_lock_.lock();
    if (shutdown_code_ == no_shutdown_code) shutdown_code_ = code;
}

void Domain::crash(std::string_view why) {
    guest_log(LogLevel::error, "domain {} crashed: {}", id, why);
    shutdown(static_cast<u8>(abi::ShutdownReason::crash));
}

Progress Domain::kill() {
    {
        auto guard = life_lock_.lock();
        if (!dying_.exchange(true, std::memory_order_acq_rel)) pause_count_.fetch_add(1, std::memory_order_acq_rel);
    }
    // Each stage can be interrupted and is entered again; what a stage has given up stays given up.
    using Stage = Progress (*)(Domain&);
    static constexpr Stage stages[] = {
        [](Domain& d) { return d.stop_vcpus(); },
        [](Domain& d) { return clear_global_virq_handlers(d), Progress::done; },
        [](Domain& d) { return d.events.relinquish(); },
        [](Domain& d) { return d.grants.relinquish(); },
        [](Domain& d) { return arch::relinquish_domain(d); },
        [](Domain& d) { return d.physmap.relinquish(); },
        [](Domain& d) { return d.memory.relinquish(); },
        [](Domain& d) { return d.drop_shared_info(), Progress::done; },
    };
    for (; kill_stage_ < std::size(stages); ++kill_stage_) {
        if (stages[kill_stage_](*this) == Progress::more) return Progress::more;
    }
    if (!relinquished_.exchange(true)) {
        put();  // the reference of its creation
        // Those who still map frames of it, the store's and the console's daemon, hear that they should let go.
        send_global_virq(static_cast<u32>(abi::Virq::dom_exc));
    }
    return Progress::done;
}

Progress Domain::stop_vcpus() {
    watchdogs.stop();
    wake_all();
    for (Vcpu* vcpu : vcpus_) {
        if (vcpu == nullptr) continue;
        vcpu->wait_until_off_cpu();
        vcpu->stop_timers();
        vcpu->drop_info();
    }
    return Progress::done;
}

void Domain::send_virq(u32 virq) { events.notify_global_virq(abi::Virq{virq}); }

}  // namespace px

// A domain: composed of parts that are each constructible alone. Found under a reference, destroyed in steps.
//
// Life: create → (built by its toolstack, paused) → runs → shut down → kill() relinquishes preemptibly → zombie until
// the last reference is dropped (mapped frames hold one each) → gone. The id is free again only at the very end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "arch/domain.hpp"
#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/base/intrusive_ref.hpp"
#include "hypervisor/domain/domain_time.hpp"
#include "hypervisor/domain/event_channels.hpp"
#include "hypervisor/domain/grant_table.hpp"
#include "hypervisor/domain/node_affinity.hpp"
#include "hypervisor/domain/vcpu.hpp"
#include "hypervisor/domain/watchdog.hpp"
#include "hypervisor/mm/domain_memory.hpp"
#include "hypervisor/mm/heap.hpp"
#include "hypervisor/mm/physmap.hpp"
#include "hypervisor/sched/group.hpp"

namespace px {

/// As many as the generic code's tables allow; the architecture may allow fewer.
inline constexpr u32 max_vcpus_per_domain = 128;

inline constexpr DomId domid_first_reserved{0x7ff0};  ///< [xen/public xen.h]
inline constexpr DomId domid_self{0x7ff0};
inline constexpr DomId domid_io{0x7ff1};
inline constexpr DomId domid_xen{0x7ff2};
inline constexpr DomId domid_invalid{0x7ff4};
inline constexpr DomId domid_idle{0x7fff};

/// What a domain is made from; from a domctl or from the command line. All limits are checked by create().
struct DomainSettings {
    std::array<u8, 16> handle{};  ///< uuid
    u32 max_vcpus = 1;
    u32 max_event_port = 1023;  ///< largest port number
    u32 max_grant_frames = 64;
    u32 max_maptrack_frames = 1024;
    u8 max_grant_version = 2;
    bool hvm = true;
    bool hap = true;
    bool control = false;     ///< may use domctl and sysctl
    bool hardware = false;    ///< owns the machine's devices
    bool one_to_one = false;  ///< its RAM is mapped 1:1
    arch::DomainSettings arch{};
};

class Domain : public IntrusiveRefCount<Domain> {
public:
    /// A new domain, paused by its controller (pause count 1), found by find_domain() from then on.
    /// Errors: einval, enomem, eexist (id taken).
    static Result<Ref<Domain>> create(DomId id, const DomainSettings& settings);
    ~Domain();
    void last_reference_dropped();

    const DomId id;
    const DomainSettings settings;
    std::array<u8, 16> handle;  ///< uuid; the toolstack may change it (setdomainhandle)

    static constexpr u8 no_shutdown_code = 0xff;

    Vcpu* vcpu(VcpuId id) const;  ///< nullptr where there is none yet
    /// Makes vCPU `id`, down. Errors: einval, eexist, enomem.
    Result<Vcpu*> create_vcpu(VcpuId id);
    /// A vCPU that is done, until it is brought up again; with the last one the domain is powered off.
    void take_down(Vcpu& vcpu);
    u32 vcpu_count() const { return vcpu_count_.load(std::memory_order_acquire); }

    /// Counts; a domain runs while both counts are zero. pause() returns when no vCPU of it runs any more.
    void pause();
    void pause_nosync();
    void unpause();
    bool is_paused() const { return pause_count_.load(std::memory_order_acquire) != 0; }
    /// The controller's own pauses, counted [xen/public domctl.h]. Errors: eusers (too many), einval (none left).
    Result<> pause_by_controller();
    Result<> unpause_by_controller();
    bool is_paused_by_controller() const { return controller_pauses_ != 0; }

    /// The guest (or a crash) shuts it down: vCPUs stop, the toolstack hears VIRQ_DOM_EXC. First code wins.
    void shutdown(u8 reason);
    /// After a cancelled suspend. Errors: einval when it isn't shut down.
    Result<> resume();
    bool is_shut_down() const { return shut_down_.load(std::memory_order_acquire); }
    /// no_shutdown_code where nobody said one.
    u8 shutdown_code() const { return shutdown_code_; }
    /// The code that a later shutdown() has whatever reason it is given; the first one counts.
    void set_shutdown_code(u8 code);
    /// Logs why and shuts down with code `crash`; never returns to the guest instruction that caused it.
    void crash(std::string_view why);

    /// Relinquishes everything; call again until done. Errors: none but `again`.
    Progress kill();
    bool is_dying() const { return dying_.load(std::memory_order_acquire); }
    /// Nothing is left but what others still hold of it: a zombie.
    bool is_relinquished() const { return relinquished_.load(std::memory_order_acquire); }

    /// The page that guest and hypervisor share; allocated at creation, owned by the domain.
    void* shared_info() const { return shared_info_; }
    Mfn shared_info_mfn() const { return shared_info_mfn_; }
    Gfn shared_info_gfn = invalid_gfn;  ///< where the domain has placed it in its physmap

    /// Sends a global VIRQ to this domain if it has bound it.
    void send_virq(u32 virq);

    u64 vm_assist = 0;
    DomId target = domid_invalid;  ///< the domain that it may control as a device model
    bool debugger_attached = false;
    bool runs_xenstore = false;
    EvtPort suspend_port{0};  ///< told instead of VIRQ_DOM_EXC when the domain suspends [xen/public domctl.h subscribe]

    sched::Group group;
    DomainMemory memory;
    NodeAffinity node_affinity{*this};
    Physmap physmap;
    EventChannels events;
    GrantTable grants;
    DomainTime time;
    Watchdogs watchdogs;
    arch::DomainState arch;

private:
    friend class DomainTable;
    friend struct DomainBox;
    Domain(DomId id, const DomainSettings& settings, u32 serial);
    Progress stop_vcpus();
    void release_parts();

    void wake_all();
    Result<> allocate_shared_info();
    void drop_shared_info();

    HeapArray<Vcpu*> vcpus_;
    std::atomic<u32> vcpu_count_{0};
    std::atomic<u32> pause_count_{0};
    u32 controller_pauses_ = 0;
    std::atomic<bool> shut_down_{false};
    std::atomic<bool> dying_{false};
    u8 shutdown_code_ = no_shutdown_code;
    u8 kill_stage_ = 0;
    std::atomic<bool> relinquished_{false};
    Locked<int, LockRank::domain> life_lock_;
    void* shared_info_ = nullptr;
    Mfn shared_info_mfn_ = invalid_mfn;
    Domain* next_ = nullptr;
    Domain* next_in_bucket_ = nullptr;
};

inline bool Vcpu::is_runnable() const {
    return halts_.load(std::memory_order_acquire) == 0 && pause_count_.load(std::memory_order_acquire) == 0 && !domain.is_paused();
}

using DomainRef = Ref<Domain>;

/// The live or dying (not yet zombie) domain with this id. Errors: esrch.
Result<DomainRef> find_domain(DomId id);
/// As find_domain, with domid_self meaning the caller. Errors: esrch.
Result<DomainRef> find_domain(Vcpu& caller, DomId id);
/// As above for an operation on another domain: the caller must be the domain itself or its controller.
/// Errors: esrch, eperm.
Result<DomainRef> find_controlled_domain(Vcpu& caller, DomId id);
/// The first domain whose id is ≥ `id`, zombies included (xl list shows them). Errors: esrch.
Result<DomainRef> first_domain_from(DomId id);
/// A free id ≥ 1. Errors: enomem.
Result<DomId> free_domain_id();

/// The domain that owns the machine; nullptr before it exists.
Domain* hardware_domain();

/// True if `caller` may control `target` (control domain, or the device model of it).
bool may_control(const Domain& caller, const Domain& target);

/// Handlers of global VIRQs (VIRQ_DOM_EXC, VIRQ_CON_RING, …): the hardware domain unless another was set.
void send_global_virq(u32 virq);
Result<> set_global_virq_handler(u32 virq, DomainRef domain);
/// A dying domain handles none any more.
void clear_global_virq_handlers(Domain& domain);

}  // namespace px

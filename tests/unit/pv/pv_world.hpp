// PV domains on the build host: a machine that notes what it is asked, and what the tests of this folder share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <vector>

#include "arch/x86/pv/descriptor_tables.hpp"
#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/hypercalls.hpp"
#include "arch/x86/pv/update.hpp"
#include "arch/x86/pv/use.hpp"
#include "tests/unit/domain/world.hpp"

namespace px::pv {

/// Answers of the machine, and what it was told.
struct FakeMachine {
    FakeMachine();

    TlbClock& clock;                ///< outlives a test, as the stamps of free frames do
    std::atomic<i64> pause_at{-1};  ///< the question of pause_wanted() that is answered by yes, from 0; negative: none
    std::atomic<u64> questions{0};
    bool always_pause = false;
    CpuMask cpus = CpuMask::first_n(2);     ///< that may hold translations of any domain
    std::map<u32, std::set<u64>> writable;  ///< by CPU: frames that its TLB lets the guest write
    std::mutex mutex;                       ///< of what flush_tlb() changes
    std::atomic<unsigned> tlb_flushes{0}, page_flushes{0}, cache_flushes{0}, root_loads{0}, root_changes{0}, ldt_unmaps{0},
        descriptor_loads{0};
    CpuMask flushed;  ///< by the last flush
    u64 flushed_page = 0;
    std::set<u16> with_devices;  ///< domains
    std::set<u64> read_only_io;
    u64 l1tf_safe_from = 0;
    std::map<u64, u64> m2p;
    std::map<const Domain*, Box<Guest>> guests;
};
FakeMachine& fake();

inline constexpr u64 io_frame = 0xfee00;  ///< not RAM here
inline constexpr u64 user_bits = 7;       ///< present, writable, user
inline constexpr u64 read_bits = 5;

class PvWorld : public World {
protected:
    PvWorld();
    ~PvWorld() override;

    /// A PV domain with vCPUs, and 64 frames named 0 … 63.
    Domain& make_pv(u16 id, u32 vcpus = 1, bool control = false);
    /// Kills it, in as many parts as it takes.
    void kill_pv(u16 id);

    static Mfn mfn(Domain& domain, u64 n) { return mfn_of_page(domain, Gfn{n}); }
    static Frame& frame(Domain& domain, u64 n) { return frame_of(mfn(domain, n)); }
    static u64* words(Domain& domain, u64 n) { return page<u64>(domain, Gfn{n}); }
    static u64 entry(Domain& domain, u64 n, u64 bits) { return to_paddr(mfn(domain, n)).raw | bits; }
    static Paddr address(Domain& domain, u64 n, unsigned index) { return Paddr{to_paddr(mfn(domain, n)).raw + index * 8}; }
    static Vcpu& vcpu(Domain& domain, u32 id = 0) { return *domain.vcpu(VcpuId{id}); }
    static VcpuMemory& memory(Domain& domain, u32 id = 0) { return fake().guests.at(&domain)->of(vcpu(domain, id)); }

    /// Frames 0 … 3 become an L4, L3, L2 and L1 that map frame 4 writable at linear address 0; not validated.
    static void write_tree(Domain& domain);

    static u32 count(Domain& domain, u64 n) { return use_of(frame(domain, n)).count; }
    static FrameType type(Domain& domain, u64 n) { return use_of(frame(domain, n)).type; }
    static u32 references(Domain& domain, u64 n) { return frame(domain, n).references.load(); }

    /// As often as it is interrupted.
    static Result<Progress> pin_all(Domain& domain, u64 n, FrameType type);
    static Result<> unpin_all(Domain& domain, u64 n);
    static Result<Progress> set(Domain& domain, u64 n, unsigned index, u64 value);
    static Result<Progress> set(Domain& domain, u64 n, unsigned index, u64 value, const PageOwner& pages);

    template <class Op>
    static i64 batch(HypercallHandler handler, Vcpu& caller, std::vector<Op> ops, u64 owners = abi::domid::self, u32* done = nullptr) {
        arch::host_become_vcpu(&caller);
        arch::host_guest_memory(ops.data(), sizeof(Op) * ops.size());
        if (done != nullptr) arch::host_guest_memory(done, sizeof *done);
        HypercallArgs args{{reinterpret_cast<u64>(ops.data()), ops.size(), reinterpret_cast<u64>(done), owners, 0}};
        Result<Reply> reply = Reply{};
        do reply = handler(caller, args);
        while (reply.ok() && reply->again());
        arch::host_guest_memory_clear();
        arch::host_become_vcpu(nullptr);
        return to_register(reply);
    }

private:
    std::set<u16> ids_;
};

/// How a result reads in a test: 0 done, 1 more, else -errno.
inline i64 value(const Result<Progress>& result) {
    if (!result.ok()) return -static_cast<i64>(result.error());
    return *result == Progress::done ? 0 : 1;
}
inline i64 value(const Result<>& result) { return result.ok() ? 0 : -static_cast<i64>(result.error()); }

}  // namespace px::pv

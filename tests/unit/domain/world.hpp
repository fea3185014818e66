// Domains on the build host: what the tests of this folder share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "arch/guest_memory.hpp"
#include "arch/memory.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/hypercall.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {

/// Every test leaves the machine as it found it, to the last frame and heap object.
class World : public ::testing::Test {
protected:
    World() {
        arch::host_machine_start();
        free_before_ = memory_totals().free_frames;
        heap_before_ = heap_objects();
    }
    ~World() override {
        for (auto& [id, domain] : domains_) destroy(domain);
        domains_.clear();
        arch::host_become_vcpu(nullptr);
        EXPECT_EQ(memory_totals().free_frames, free_before_);
        EXPECT_EQ(heap_objects(), heap_before_);
    }

    static std::map<std::string, i64> heap_objects() {
        std::map<std::string, i64> objects;
        for (const HeapType* type = first_heap_type(); type != nullptr; type = type->next) {
            if (const i64 live = type->live.load(); live != 0) objects[std::string(type->name)] = live;
        }
        return objects;
    }

    static DomainSettings settings(u32 vcpus = 1) {
        DomainSettings chosen;
        chosen.max_vcpus = vcpus;
        return chosen;
    }
    /// A running domain with all its vCPUs (up, none on a CPU) and 64 pages of RAM from gfn 0.
    Domain& make_domain(u16 id, const DomainSettings& chosen) {
        auto created = Domain::create(DomId{id}, chosen);
        EXPECT_TRUE(created.ok());
        Domain& domain = **created;
        domains_[id] = std::move(*created);
        domain.memory.set_max_frames(4096);
        for (u32 i = 0; i < chosen.max_vcpus; ++i) {
            Vcpu* const vcpu = domain.create_vcpu(VcpuId{i}).value_or(nullptr);
            EXPECT_NE(vcpu, nullptr);
            vcpu->resume(Vcpu::down);
        }
        for (u64 gfn = 0; gfn < 64; ++gfn) add_page(domain, Gfn{gfn});
        return domain;
    }
    Domain& make_domain(u16 id, u32 vcpus = 1) { return make_domain(id, settings(vcpus)); }

    static void add_page(Domain& domain, Gfn gfn) {
        const auto mfn = domain.memory.allocate(0);
        ASSERT_TRUE(mfn.ok());
        if (domain.physmap.is_translated()) ASSERT_TRUE(domain.physmap.add_ram(gfn, *mfn, 0).ok());
        else untranslated_[{&domain, gfn.raw}] = *mfn;
    }
    /// The frame that add_page() gave; the world numbers those of a domain without a physmap.
    static Mfn mfn_of_page(Domain& domain, Gfn gfn) {
        return domain.physmap.is_translated() ? domain.physmap.lookup(gfn).mfn : untranslated_.at({&domain, gfn.raw});
    }
    template <class T = u8>
    static T* page(Domain& domain, Gfn gfn) {
        return static_cast<T*>(to_virtual(mfn_of_page(domain, gfn)));
    }

    /// Kills it and drops our reference; others may still hold it.
    void kill(u16 id) {
        destroy(domains_.at(id));
        domains_.erase(id);
    }

    /// A hypercall with its structure in the caller's memory.
    template <class Op>
    static i64 call(HypercallHandler handler, Vcpu& caller, u64 command, Op* op, u64 count = 1) {
        arch::host_become_vcpu(&caller);
        arch::host_guest_memory(op, sizeof(Op) * (count == 0 ? 1 : count));
        HypercallArgs args{{command, reinterpret_cast<u64>(op), count, 0, 0}};
        Result<Reply> reply = Reply{};
        do { reply = handler(caller, args); } while (reply.ok() && reply->again());
        arch::host_guest_memory_clear();
        arch::host_become_vcpu(nullptr);
        return to_register(reply);
    }

private:
    static void destroy(DomainRef& domain) {
        while (domain->kill() == Progress::more) this_cpu().softirqs.store(0);
        domain = {};
    }
    static inline std::map<std::pair<const Domain*, u64>, Mfn> untranslated_;
    std::map<u16, DomainRef> domains_;
    u64 free_before_ = 0;
    std::map<std::string, i64> heap_before_;
};

constexpr i64 error(Errno number) { return -static_cast<i64>(number); }

}  // namespace px

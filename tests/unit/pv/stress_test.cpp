// Several vCPUs at once on the same few frames: whatever they got in each other's way, the counts are right at the end.
//
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <random>
#include <thread>

#include "tests/unit/pv/model.hpp"

namespace px::pv {
namespace {

constexpr u32 vcpus = 4;
constexpr u64 frames = 10;
constexpr unsigned indices[] = {0, 1, 300};

class PvStressTest : public PvWorld {
protected:
    Domain& a = make_pv(1, vcpus);

    /// What one vCPU does: builds, pins, changes and drops tables, without a look at what the others do.
    void run(u32 id, unsigned steps) {
        arch::host_become_cpu(CpuId{id});
        std::mt19937 random{id + 1};
        const auto below = [&](u32 count) { return std::uniform_int_distribution<u32>(0, count - 1)(random); };
        const auto some_frame = [&] { return mfns_[below(frames)]; };
        VcpuMemory& caller = memory(a, id);
        const auto to_the_end = [&](auto operation) {
            Result<Progress> result = Progress::more;
            for (unsigned tries = 0; tries < 50 && result.ok() && *result == Progress::more; ++tries) {
                while (finish(caller) == Progress::more) {}
                result = operation();
            }
            while (finish(caller) == Progress::more) {}
        };
        for (unsigned step = 0; step < steps; ++step) {
            const Mfn frame = some_frame();
            switch (below(12)) {
            case 0:
            case 1: {
                const FrameType type = type_of(Level(1 + below(4)));
                to_the_end([&] { return pin(caller, a, frame, type); });
                break;
            }
            case 2:
            case 3: (void)unpin(caller, a, frame); break;
            case 4: to_the_end([&] { return set_root(caller, frame, Root::kernel); }); break;
            case 5: {
                const u64 list[] = {frame.raw};
                (void)set_gdt(caller, list, below(2));
                break;
            }
            default: {
                OpenTable open;  // for several changes, mostly of one table
                for (u32 changes = 1 + below(4); changes != 0; --changes) {
                    const Entry entry{below(3) == 0 ? 0 : to_paddr(some_frame()).raw | 1 | (below(2) != 0 ? 2 : 0) | 4};
                    const Paddr at{to_paddr(below(4) == 0 ? some_frame() : frame).raw + indices[below(std::size(indices))] * 8};
                    to_the_end([&] { return change_word(caller, a, at, entry, PageOwner::of(a), false, open); });
                }
            }
            }
            while (finish(caller) == Progress::more) {}
        }
    }

    void check() {
        std::set<u64> own;
        for (u64 n = 0; n < 64; ++n) own.insert(mfn(a, n).raw);
        for (u64 n = 0; n < frames; ++n) {
            while (dissolve(frame(a, n)) == Progress::more) {}
        }
        Model model(own);
        for (u64 n = 0; n < frames; ++n) {
            const FrameUse use = use_of(frame(a, n));
            if (!use.pinned) continue;
            model.pins.insert(mfn(a, n).raw);
            model.pin_types[mfn(a, n).raw] = use.type;
        }
        for (u32 i = 0; i < vcpus; ++i) {
            if (const Frame* root = memory(a, i).kernel_root) model.roots[i] = mfn_of(*root).raw;
            if (const Frame* page = memory(a, i).gdt[0]) model.descriptors.push_back(mfn_of(*page).raw);
        }
        model.learn_linear();
        ASSERT_TRUE(model.count_all());
        for (u64 n = 0; n < 64; ++n) {
            const FrameUse use = use_of(frame(a, n));
            const u64 number = mfn(a, n).raw;
            const auto known = model.uses().find(number);
            ASSERT_EQ(use.count, known != model.uses().end() ? known->second.count : 0) << n;
            ASSERT_EQ(references(a, n), 1 + model.references(number)) << n;
            ASSERT_FALSE(use.partial || use.locked || use.busy()) << n;
        }
    }

    void begin() {
        for (u64 n = 0; n < frames; ++n) mfns_[n] = mfn(a, n);
    }

private:
    std::array<Mfn, frames> mfns_{};
};

TEST_F(PvStressTest, CountsAreRightWhenAllHaveStopped) {
    begin();
    for (unsigned round = 0; round < 8; ++round) {
        // Others stop now and then at any entry, and leave partial tables to whoever wants them.
        fake().questions = 0;
        fake().pause_at = round % 2 == 0 ? -1 : 5;
        fake().always_pause = round % 4 == 3;
        std::vector<std::thread> threads;
        for (u32 id = 0; id < vcpus; ++id) threads.emplace_back([this, id] { run(id, 12000); });
        for (std::thread& thread : threads) thread.join();
        fake().always_pause = false;
        fake().pause_at = -1;
        check();
        if (HasFailure()) FAIL() << "in round " << round;
    }
}

TEST_F(PvStressTest, TheLastUseWaitsForTheLockOfTheEntries) {
    write_tree(a);
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    Frame& table = frame(a, 3);
    const Frame& page = frame(a, 4);
    auto locked = LockedTable::lock(table);
    ASSERT_TRUE(locked.ok());
    std::atomic<bool> done{false};
    std::thread other([&] {
        arch::host_become_cpu(CpuId{1});
        EXPECT_TRUE(unpin(memory(a, 1), a, mfn_of(table)).ok());
        done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_FALSE(done);
    EXPECT_TRUE(use_of(table).validated) << "what is locked stays valid";
    EXPECT_EQ(use_of(page).count, 1u);
    locked->unlock();
    other.join();
    EXPECT_EQ(use_of(table).count, 0u);
    EXPECT_EQ(use_of(page).count, 0u);
}

TEST_F(PvStressTest, WhoFindsAFrameBusyWaitsOrIsRefused) {
    settle_use(frame(a, 3), FrameUse::busy_as(FrameType::l2));  // as by a CPU that is looking at it
    EXPECT_EQ(value(pin(memory(a), a, mfn(a, 3), FrameType::l1)), error(Errno::einval));
    fake().always_pause = true;
    EXPECT_EQ(value(pin(memory(a), a, mfn(a, 3), FrameType::l2)), 1) << "interrupted while it waits";
    fake().always_pause = false;
    EXPECT_FALSE(LockedTable::lock(frame(a, 3)).ok());
    std::thread other([&] {
        arch::host_become_cpu(CpuId{1});
        EXPECT_EQ(value(pin(memory(a, 1), a, mfn(a, 3), FrameType::l2)), 0);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_TRUE(use_of(frame(a, 3)).busy());
    settle_use(frame(a, 3), FrameUse::unused(FrameType::l2));  // it was no good
    other.join();
    EXPECT_EQ(count(a, 3), 1u);
}

}  // namespace
}  // namespace px::pv

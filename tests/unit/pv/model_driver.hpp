// Operations on PV memory as somebody chooses them, by chance or by a fuzzer, each foretold by the model, and the invariants: counts,
// references, types, no page table that a CPU may write.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "tests/unit/pv/model.hpp"

namespace px::pv {

class ModelDriver : public PvWorld {
protected:
    static constexpr u64 frames = 14;  ///< that take part: few, so that they meet
    static constexpr unsigned indices[] = {0, 1, 2, 255, 256, 271, 272, 511};

    Domain& a = make_pv(1, 2);
    Model model{own_frames()};
    unsigned successes = 0, refusals = 0, interruptions = 0;

    std::set<u64> own_frames() {
        std::set<u64> result;
        for (u64 n = 0; n < 64; ++n) result.insert(mfn(a, n).raw);
        return result;
    }
    /// The choices: a number below `count`.
    virtual u32 below(u32 count) = 0;
    u64 some_frame() { return mfn(a, below(frames)).raw; }
    bool chance(u32 of) { return below(of) == 0; }

    Entry some_entry() {
        if (chance(6)) return {0};
        u64 value = some_frame() << page_shift | 1;
        if (chance(30)) value = (chance(2) ? io_frame : 0xff'ffff'ffff) << page_shift | 1;
        for (const u64 bit : {Entry::bit_writable, Entry::bit_user}) value |= chance(2) ? bit : 0;
        for (const u64 bit : {Entry::bit_accessed, Entry::bit_dirty, Entry::bit_no_execute}) value |= chance(8) ? bit : 0;
        for (const u64 bit : {Entry::bit_large, Entry::bit_uncached, Entry::bit_global}) value |= chance(40) ? bit : 0;
        if (chance(40)) value &= ~u64{1};
        return {value};
    }
    unsigned some_index() { return indices[below(std::size(indices))]; }
    VcpuMemory& some_vcpu() { return memory(a, below(2)); }

    void choose_interruptions() {
        fake().questions = 0;
        fake().pause_at = chance(2) ? -1 : static_cast<i64>(below(chance(2) ? 4 : 40));
        fake().always_pause = chance(8);
    }
    /// Runs an operation to its end, as a guest that is interrupted does.
    template <class Operation>
    i64 to_the_end(VcpuMemory& caller, Operation operation) {
        Result<Progress> result = Progress::more;
        for (bool first = true; result.ok() && *result == Progress::more; first = false) {
            while (finish(caller) == Progress::more) ++interruptions;
            if (!first) ++interruptions;
            result = operation();
        }
        while (finish(caller) == Progress::more) ++interruptions;
        return value(result);
    }

    // ---- Operations: each tells the model what became of it.

    void pin_something() {
        const u64 frame = some_frame();
        const FrameType type = type_of(Level(1 + below(4)));
        VcpuMemory& caller = some_vcpu();
        const i64 foretold = model.foretell_pin(frame, type);
        const i64 answer = to_the_end(caller, [&] { return pin(caller, a, Mfn{frame}, type); });
        expect(answer, foretold, "pin");
        if (answer != 0) return;
        model.pins.insert(frame);
        model.pin_types[frame] = type;
    }
    void unpin_something() {
        const u64 frame = some_frame();
        VcpuMemory& caller = some_vcpu();
        const i64 foretold = model.pins.contains(frame) ? 0 : error(Errno::einval);
        const i64 answer = to_the_end(caller, [&]() -> Result<Progress> {
            TRY(unpin(caller, a, Mfn{frame}));
            return Progress::done;
        });
        expect(answer, foretold, "unpin");
        if (answer == 0) model.pins.erase(frame);
    }
    void change_root() {
        const u32 cpu = below(2);
        const Root which = chance(2) ? Root::kernel : Root::user;
        const unsigned place = cpu * 2 + static_cast<unsigned>(which);
        const u64 frame = which == Root::user && chance(3) ? 0 : some_frame();
        i64 foretold = 0;
        if (frame != 0 && (!model.roots.contains(place) || model.roots.at(place) != frame))
            foretold = model.foretell_use(frame, FrameType::l4);
        const i64 answer = to_the_end(memory(a, cpu), [&] { return set_root(memory(a, cpu), Mfn{frame}, which); });
        expect(answer, foretold, "root");
        if (answer != 0) return;
        if (frame == 0) model.roots.erase(place);
        else model.roots[place] = frame;
    }
    void change_gdt() {
        const u64 list[] = {some_frame(), some_frame()};
        const u32 pages = below(3);
        Model tried = model;
        i64 foretold = 0;
        for (u32 i = 0; i < pages && foretold == 0; ++i) {
            foretold = tried.foretell_use(list[i], FrameType::descriptors);
            tried.descriptors.push_back(list[i]);
            if (foretold == 0) tried.count_all();
        }
        const i64 answer = value(set_gdt(memory(a, 0), list, pages * 512));
        expect(answer, foretold, "gdt");
        if (answer == 0) model.descriptors.assign(list, list + pages);
    }
    void change_something() {
        OpenTable open;
        const u64 frame = some_frame();
        for (u32 changes = 1 + below(3);; model.count_all()) {
            change(chance(3) ? some_frame() : frame, open);
            if (--changes == 0) return;
        }
    }
    void change(u64 frame, OpenTable& open) {
        const unsigned index = some_index();
        const Entry entry = some_entry();
        VcpuMemory& caller = some_vcpu();
        const auto before = model.linear;
        const i64 foretold = model.foretell_change(frame, index, entry);
        const Paddr at{(frame << page_shift) + index * 8};
        const i64 answer = to_the_end(caller, [&] { return change_word(caller, a, at, entry, PageOwner::of(a), chance(2), open); });
        expect(answer, foretold, "change");
        if (answer != 0) model.linear = before;
    }
    void clear_something() {
        const u64 frame = some_frame();
        if (!model.may_write(frame)) return;
        std::memset(to_virtual(Mfn{frame}), 0, page_size);
    }
    void do_something() {
        choose_interruptions();
        switch (below(20)) {
        case 0:
        case 1: pin_something(); break;
        case 2:
        case 3: unpin_something(); break;
        case 4: change_root(); break;
        case 5: change_gdt(); break;
        case 6: clear_something(); break;
        default: change_something();
        }
        fake().always_pause = false;
        fake().pause_at = -1;
    }

    void expect(i64 answer, i64 foretold, const char* what) {
        ++(answer == 0 ? successes : refusals);
        EXPECT_EQ(answer, foretold) << what;
    }

    // ---- Invariants.

    void check_counts() {
        for (u64 n = 0; n < 64; ++n) {
            const Frame& record = frame(a, n);
            const FrameUse use = use_of(record);
            const u64 number = mfn(a, n).raw;
            const auto known = model.uses().find(number);
            const Model::Use expected = known != model.uses().end() ? known->second : Model::Use{};
            ASSERT_EQ(use.count, expected.count) << n;
            ASSERT_EQ(record.references, 1 + model.references(number)) << n;
            ASSERT_EQ(use.pinned, model.pins.contains(number)) << n;
            ASSERT_FALSE(use.partial || use.locked) << n;
            if (expected.count == 0) continue;
            ASSERT_EQ(use.type, expected.type) << n;
            ASSERT_TRUE(use.validated) << n;
            if (is_page_table(use.type)) { ASSERT_EQ(TableState::from(record.state).linear, expected.named - expected.names) << n; }
        }
    }
    /// CPUs remember whatever a table in use once let them write; what is a table now, none may remember.
    void check_translations() {
        for (u64 n = 0; n < 64; ++n) {
            const FrameUse use = use_of(frame(a, n));
            const u64 number = mfn(a, n).raw;
            if (needs_validation(use.type) && use.count != 0) {
                for (const auto& [cpu, pages] : fake().writable) ASSERT_FALSE(pages.contains(number)) << n << " on CPU " << cpu;
            }
            if (use.type != FrameType::l1 || !use.validated) continue;
            for (const unsigned i : indices) {
                const Entry entry{words(a, n)[i]};
                if (!entry.present()) continue;
                ASSERT_TRUE(entry.has(Entry::bit_user));
                if (!entry.writable()) continue;
                ASSERT_EQ(use_of(frame_of(entry.mfn())).type, FrameType::writable);
                fake().writable[below(2)].insert(entry.mfn().raw);
            }
        }
    }
    void check() {
        ASSERT_TRUE(model.count_all());
        check_counts();
        check_translations();
    }
};

}  // namespace px::pv

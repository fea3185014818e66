// Random operations on PV memory against a model, with every invariant looked at after each, wherever operations are interrupted,
// and nothing left at the end.
//
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/unit/pv/model_driver.hpp"

namespace px::pv {
namespace {

class PvModelTest : public ModelDriver, public ::testing::WithParamInterface<u32> {
protected:
    u32 below(u32 count) override { return std::uniform_int_distribution<u32>(0, count - 1)(random_); }

private:
    std::mt19937 random_{GetParam()};
};

TEST_P(PvModelTest, EveryAnswerIsForetold) {
    for (unsigned step = 0; step < 5000; ++step) {
        do_something();
        check();
        if (HasFailure()) FAIL() << "at step " << step << " of seed " << GetParam();
    }
    EXPECT_GT(successes, 1000u);
    EXPECT_GT(refusals, 300u);
    EXPECT_GT(interruptions, 20u);
}

TEST_P(PvModelTest, OperationsThatNobodyFinishes) {
    for (unsigned step = 0; step < 400; ++step) {
        for (unsigned i = 0; i < 10; ++i) {
            check();
            do_something();
        }
        check();
        if (HasFailure()) FAIL() << "at step " << step << " of seed " << GetParam();
        // Begun, and left.
        fake().questions = 0;
        fake().pause_at = below(20);
        const u64 chosen = some_frame();
        const FrameType type = type_of(Level(2 + below(3)));
        if (value(pin(memory(a), a, Mfn{chosen}, type)) == 0) {
            model.pins.insert(chosen);
            model.pin_types[chosen] = type;
        }
        fake().pause_at = -1;
        while (finish(memory(a)) == Progress::more) {}
        // Others' operations meet what is left, and nothing is what it isn't.
        for (unsigned i = 0; i < 4; ++i) {
            const Paddr at{(some_frame() << page_shift) + some_index() * 8};
            OpenTable open;
            (void)to_the_end(memory(a, 1), [&] { return change_word(memory(a, 1), a, at, some_entry(), PageOwner::of(a), false, open); });
            check_translations();
        }
        for (u64 n = 0; n < frames; ++n) {
            while (dissolve(frame(a, n)) == Progress::more) {}
        }
        model.learn_linear();
    }
    // PvWorld kills the domain; nothing may be left.
}

INSTANTIATE_TEST_SUITE_P(Seeds, PvModelTest, ::testing::Range(1u, 5u));

}  // namespace
}  // namespace px::pv

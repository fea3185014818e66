// Fuzz target: the input chooses operations on PV memory, where they are interrupted, and what page tables hold. Each answer is
// foretold by the model of tests/unit/pv, and every invariant is looked at after each operation.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <span>

#include "tests/unit/pv/model_driver.hpp"

namespace {

using namespace px;
using namespace px::pv;

/// One domain for one input: its end checks that no frame was lost.
class FuzzedDomain final : public ModelDriver {
public:
    explicit FuzzedDomain(std::span<const u8> input) : input_(input) {}

    void run() {
        constexpr unsigned most_steps = 300;
        for (unsigned step = 0; step < most_steps && !input_.empty(); ++step) {
            do_something();
            check();
            if (HasFailure()) std::abort();
        }
    }
    void TestBody() override {}

private:
    /// Zeros when the input is used up.
    u32 below(u32 count) override {
        u32 number = 0;
        for (u32 reach = 1; reach < count && !input_.empty(); reach *= 256) {
            number = number * 256 + input_.front();
            input_ = input_.subspan(1);
        }
        return number % count;
    }

    std::span<const u8> input_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
    {
        FuzzedDomain({data, size}).run();
    }
    if (::testing::Test::HasFailure()) std::abort();
    return 0;
}

// Time never steps back, whichever vCPU reads it: a million reads on all of them at once, each held against the latest that
// any of them saw. `vcpus=` how many, `reads=` by each, `slack=` in ns.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constinit std::atomic<u64> latest{0}, worst{0}, steps_back{0};
constinit std::atomic<u32> ready{0}, done{0};
constinit u32 everyone = 1;

void raise(std::atomic<u64>& to, u64 value) {
    for (u64 seen = to; seen < value && !to.compare_exchange_weak(seen, value);) {}
}

void read_on() {
    const unsigned self = cpu_number();
    const u64 reads = option("reads", 250'000), slack = option("slack", 1);
    ++ready;
    while (ready < everyone) relax();
    for (u64 i = 0; i < reads; ++i) {
        const u64 before = latest, now = system_time(self);
        if (now + slack < before) {
            ++steps_back;
            raise(worst, before - now);
        }
        raise(latest, now);
    }
    ++done;
}

}  // namespace

void guest_main() {
    shared_info();  // mapped before others look at it
    everyone = static_cast<u32>(option("vcpus", 1));
    for (unsigned vcpu = 1; vcpu < everyone; ++vcpu) PX_CHECK_EQ(start_by_vcpu_op(vcpu, [] { read_on(); }), i64{0});
    read_on();
    PX_CHECK(wait_for([] { return done == everyone; }, 600'000'000'000));
    print("PX-CLOCK reads {} vcpus {} worst {} ns\n", option("reads", 250'000) * everyone, everyone, worst.load());
    PX_CHECK_EQ(steps_back.load(), u64{0});
}

}  // namespace px::guest

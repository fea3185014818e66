// Machine checks.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/machine_check.hpp"

#include "arch/per_cpu.hpp"
#include "arch/time.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/machine/machine_check_banks.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::arch {
namespace {

struct OwnMsrs {
    u64 read(u32 index) const { return read_msr(index); }
    void write(u32 index, u64 value) { write_msr(index, value); }
};

constexpr Nanoseconds between_looks = seconds(8);

MachineCheckBanks<OwnMsrs> banks() { return MachineCheckBanks(OwnMsrs{}); }

bool has_banks() {
    constexpr u32 mca = 1u << 14;
    return (host_cpuid(1).edx & mca) != 0;
}

/// On Intel's processors before Nehalem the first bank's control is the firmware's [intel/sdm3 15.3.2.1].
bool first_bank_is_the_firmwares() {
    const CpuidLeaf vendor = cpuid(0);
    constexpr u32 genu = 0x756e6547;
    const u32 signature = cpuid(1).eax, family = signature >> 8 & 0xf, model = (signature >> 12 & 0xf0) | (signature >> 4 & 0xf);
    return vendor.ebx == genu && family == 6 && model < 0x1a;
}

void log_and_clear(std::string_view when) {
    banks().for_each_error([&](const HardwareError& error) {
        log_warning("machine check on CPU {}{}: bank {}, {}{}: code {:#x}, status {:#018x}, address {:#x}, misc {:#x}", this_cpu().id, when,
                    error.bank, error.severity(), error.others(), error.code(), error.status, error.address, error.misc);
        banks().clear(error.bank);
    });
}

void look(void* context, Nanoseconds now) {
    log_and_clear("");
    static_cast<Timer*>(context)->arm(now + between_looks);
}

/// A timer that gives itself to its callback.
struct Watch {
    explicit Watch(TimerQueue& home) : timer(home, look, &timer) {}
    Timer timer;
};

/// What a crash's report says of the banks.
void print_errors() {
    crash_print("  machine check status {:#x}{}\n", banks().status(),
                (banks().status() & MachineCheckBanks<OwnMsrs>::restartable) != 0 ? "" : ": the program can't be restarted");
    banks().for_each_error([](const HardwareError& error) {
        crash_print("  bank {}: {}{}: code {:#x}, status {:016x}, address {:016x}, misc {:016x}\n", error.bank, error.severity(),
                    error.others(), error.code(), error.status, error.address, error.misc);
    });
}

}  // namespace

void enable_machine_checks() {
    if (!has_banks()) return;
    log_and_clear(", from before the boot");
    banks().turn_on(first_bank_is_the_firmwares());
}

void watch_for_corrected_errors() {
    if (!has_banks()) return;
    for (u32 id = 0; id < online_cpus(); ++id) {
        auto watch = make<Watch>(per_cpu(CpuId{id})->timers);
        if (!watch) return log_error("no memory to look for machine checks on CPU {}", id);
        (*watch).release()->timer.arm(now() + between_looks);
    }
}

void handle_machine_check(const TrapFrame& frame) {
    if (!has_banks() || banks().is_fatal()) crash_on_trap(frame, has_banks() ? print_errors : nullptr);
    banks().end_exception();
}

}  // namespace px::arch

// The virtual local APIC of a vCPU: xAPIC page and x2APIC registers. [intel/sdm3 11] [amd/apm2 16]
//
// Requests (IRR) arrive from any CPU without a lock; everything else belongs to the vCPU itself: it is current, or it
// doesn't run. The APIC id is twice the vCPU's number [libxl writes the MADT so].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "arch/x86/machine/apic_registers.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/time/timer.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

class VirtualLocalApic {
public:
    static constexpr u64 default_base = 0xfee00000;
    static constexpr u64 base_bsp = 1u << 8, base_x2 = 1u << 10, base_enable = 1u << 11;

    explicit VirtualLocalApic(Vcpu& vcpu);
    /// As after RESET or INIT; the id and, on RESET, the base MSR as well.
    void reset(bool keep_base);

    u32 id() const;
    bool enabled_by_software() const { return (spurious_ & 0x100) != 0 && (base_ & base_enable) != 0; }
    bool is_x2() const { return (base_ & (base_x2 | base_enable)) == (base_x2 | base_enable); }
    bool is_xapic() const { return (base_ & (base_x2 | base_enable)) == base_enable; }
    u64 base() const { return base_; }
    /// Errors: efault for transitions and bits that the processor refuses with #GP.
    Result<> set_base(u64 value);

    /// A register by its xAPIC offset (multiple of 16). x2APIC accesses go through read_msr and write_msr.
    u32 read(u32 offset) const;
    void write(u32 offset, u32 value);
    /// Errors: efault (#GP) for registers that don't exist or reserved bits.
    Result<u64> read_msr(u32 index) const;
    Result<> write_msr(u32 index, u64 value);
    u64 tsc_deadline() const { return tsc_deadline_; }
    void set_tsc_deadline(u64 value);

    /// An interrupt arrives: any CPU, any context. Kicks the vCPU where it is new. Vectors below 16 are dropped.
    void request(u8 vector, bool level);
    /// The vector to inject now: above the processor priority. Nothing: none is.
    std::optional<u8> deliverable() const;
    bool has_deliverable() const { return deliverable().has_value(); }
    /// The vector was injected: from requested to in service.
    void accept(u8 vector);
    void end_of_interrupt();
    u8 task_priority() const { return static_cast<u8>(task_priority_); }
    void set_task_priority(u8 value) { task_priority_ = value; }
    /// Whether a request waits for the task priority, and for nothing else, to fall.
    bool waits_for_task_priority() const;
    /// Whether any request waits, deliverable or not.
    bool requested() const {
        const auto word = [this](usize index) { return requested_[index].load(std::memory_order_relaxed); };
        return (word(0) | word(1) | word(2) | word(3)) != 0;
    }

    /// Whether an interrupt with this destination is for this vCPU.
    bool matches(u32 destination, bool logical) const;
    u8 arbitration_priority() const { return processor_priority(); }

    /// For save records and INIT-SIPI state; see abi/x86/hvm_save.hpp.
    struct Saved {
        u64 base, tsc_deadline;
        std::array<u32, 64> registers;  ///< by offset / 16
    };
    Saved save() const;
    void restore(const Saved& saved);

    void stop_timer() { timer_.cancel_sync(); }
    void move_timer(TimerQueue& home) { timer_.move_to(home); }

private:
    using Bits = std::array<u64, 4>;

    u32 x2_logical_id() const { return id() >> 4 << 16 | 1u << (id() & 15); }
    static int highest(const Bits& bits);
    Bits requests() const;
    u8 processor_priority() const;
    u32 bits_register(const Bits& bits, u32 index) const { return static_cast<u32>(bits[index / 2] >> (index % 2 * 32)); }

    void write_command(u64 command);
    void send_interrupt(u64 command);
    void start_startup(u64 command);
    template <class Visitor>
    void for_each_target(u64 command, Visitor visit);
    void write_lvt(unsigned index, u32 value);
    void start_timer();
    /// Goes on from a saved current count.
    void resume_timer(u32 count);
    void timer_expired();
    static void timer_callback(void* context, Nanoseconds now);
    Nanoseconds period() const;
    u32 current_count() const;
    unsigned divisor_shift() const;
    u32 timer_mode() const { return lvt_[0] >> 17 & 3; }

    Vcpu& vcpu_;
    u64 base_ = 0;
    u32 task_priority_ = 0, logical_destination_ = 0, destination_format_ = 0xffffffff, spurious_ = 0xff;
    u32 error_ = 0, pending_error_ = 0;
    u64 command_ = 0;
    std::array<u32, 6> lvt_{};  ///< timer, thermal, performance, LINT0, LINT1, error
    u32 timer_initial_ = 0, timer_divide_ = 0;
    u64 tsc_deadline_ = 0;
    std::array<std::atomic<u64>, 4> requested_{};
    std::array<std::atomic<u64>, 4> level_{};
    Bits in_service_{};
    Timer timer_;
    Nanoseconds timer_started_{0};
};

}  // namespace px::hvm

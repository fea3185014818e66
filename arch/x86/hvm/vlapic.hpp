// The virtual local APIC of a vCPU: xAPIC page and x2APIC registers. [intel/sdm3 11] [amd/apm2 16]
//
// Its registers are an ApicPage, which a processor may use by itself while the guest runs. Requests are posted there by any
// CPU without a lock; everything else belongs to the vCPU itself: it is current, or it doesn't run. The APIC id is twice the
// vCPU's number [libxl writes the MADT so].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "arch/x86/hvm/apic_page.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/heap.hpp"
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
    /// Allocates the registers, in their state after RESET; before anything else is called. Errors: enomem.
    Result<> create();
    /// As after RESET or INIT; the id and, on RESET, the base MSR as well.
    void reset(bool keep_base);

    u32 id() const;
    bool enabled_by_software() const { return (page_->get(arch::apic::spurious) & 0x100) != 0 && (base_ & base_enable) != 0; }
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
    /// Takes what was posted into the registers.
    void collect();
    /// The vector to inject now: above the processor priority. Nothing: none is.
    std::optional<u8> deliverable() const;
    bool has_deliverable() const { return deliverable().has_value(); }
    /// The vector was injected: from requested to in service.
    void accept(u8 vector);
    void end_of_interrupt();
    u8 task_priority() const { return static_cast<u8>(page_->get(arch::apic::task_priority)); }
    void set_task_priority(u8 value) { page_->set(arch::apic::task_priority, value); }
    /// Whether a request waits for the task priority, and for nothing else, to fall.
    bool waits_for_task_priority() const;
    /// Whether any request waits, deliverable or not. Only where we deliver, and not the processor.
    bool requested() const { return posted() || waiting_; }
    /// Whether something was posted since the last collect().
    bool posted() const { return page_->edges().pending() || page_->levels().pending(); }
    /// Whether a processor that takes posted interrupts can do without us.
    bool posted_edges_alone() const { return page_->edges().pending() && !page_->levels().pending(); }

    // For processors that use the registers by themselves: reads and writes without an exit, delivery, end of interrupt.
    ApicPage& page() { return *page_; }
    /// The guest's write reached the register page, at this offset; its effects are to follow. [intel/sdm3 30.4.3.3]
    void written(u32 offset) { write(offset & ~15u, page_->get(offset & ~15u)); }
    /// The processor took this vector out of service, and the vector asked for an exit.
    void ended(u8 vector);
    /// Software changed the mode, the enable bits, or what is in service since changes_seen(): what the processor keeps a
    /// copy of.
    bool changed() const { return changed_; }
    void changes_seen() { changed_ = false; }

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
    u32 x2_logical_id() const { return id() >> 4 << 16 | 1u << (id() & 15); }
    u64 requests(usize word) const {
        return page_->word(arch::apic::request, word) | page_->edges().word(word) | page_->levels().word(word);
    }
    /// The highest request, posted or not; negative: none.
    int highest_request() const;
    void take(usize index, u64 requested, bool level);
    void forget_posted();
    u8 processor_priority() const;
    u64 command() const { return page_->get(arch::apic::command_low) | u64{page_->get(arch::apic::command_high)} << 32; }
    void set_command(u64 value);
    void show_identity();

    void write_command(u64 command);
    void send_interrupt(u64 command);
    void start_startup(u64 command);
    template <class Visitor>
    void for_each_target(u64 command, Visitor visit);
    void write_lvt(u32 offset, u32 value);
    void write_spurious(u32 value);
    void start_timer();
    /// Goes on from a saved current count.
    void resume_timer(u32 count);
    void timer_expired();
    static void timer_callback(void* context, Nanoseconds now);
    Nanoseconds period() const;
    u32 current_count() const;
    u32 timer_initial() const { return page_->get(arch::apic::timer_initial); }
    unsigned divisor_shift() const;

    Vcpu& vcpu_;
    Box<ApicPage> page_;
    u64 base_ = 0;
    u32 pending_error_ = 0;
    u32 timer_mode_ = 0;    ///< of the timer's LVT entry: the mode that is in effect
    bool waiting_ = false;  ///< the request registers aren't empty, as far as we know
    bool changed_ = false;
    u64 tsc_deadline_ = 0;
    Timer timer_;
    Nanoseconds timer_started_{0};
};

}  // namespace px::hvm

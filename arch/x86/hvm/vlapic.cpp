// The virtual local APIC: registers, requests, end of interrupt.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/vlapic.hpp"

#include <bit>

#include "arch/x86/hvm/vioapic.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {

namespace apic = arch::apic;

namespace {

constexpr u32 version_value = 0x00050014;  ///< 6 LVT entries
constexpr u32 lvt_masked = 1u << 16;
/// Delivery status (bit 12) and remote IRR (bit 14) are read-only. [intel/sdm3 11.5.1]
constexpr std::array<u32, 6> lvt_writable{0x000700ff, 0x000107ff, 0x000107ff, 0x0001a7ff, 0x0001a7ff, 0x000100ff};

int lvt_index(u32 offset) {
    switch (offset) {
    case apic::lvt_timer: return 0;
    case apic::lvt_thermal: return 1;
    case apic::lvt_performance: return 2;
    case apic::lvt_lint0: return 3;
    case apic::lvt_lint1: return 4;
    case apic::lvt_error: return 5;
    default: return -1;
    }
}

/// What an x2APIC register takes without #GP: its writable bits and its read-only ones. Errors: efault, not writable at all.
Result<u32> x2_bits(u32 offset) {
    constexpr u32 delivery_status = 1u << 12, remote_irr = 1u << 14;
    if (const int lvt = lvt_index(offset); lvt >= 0) {
        const bool pin = offset == apic::lvt_lint0 || offset == apic::lvt_lint1;
        return lvt_writable[static_cast<usize>(lvt)] | delivery_status | (pin ? remote_irr : 0);
    }
    switch (offset) {
    case apic::eoi: case apic::error: return 0u;
    case apic::task_priority: return 0xffu;
    case apic::spurious: return 0x3ffu;
    case apic::timer_initial: return ~u32{0};
    case apic::timer_divide: return 0xbu;
    default: return Err{Errno::efault};
    }
}

}  // namespace

VirtualLocalApic::VirtualLocalApic(Vcpu& vcpu) : vcpu_(vcpu), timer_(vcpu.timer_home(), timer_callback, this) { reset(false); }

void VirtualLocalApic::reset(bool keep_base) {
    if (!keep_base) base_ = default_base | base_enable | (vcpu_.id.raw == 0 ? base_bsp : 0);
    task_priority_ = error_ = pending_error_ = 0;
    logical_destination_ = is_x2() ? x2_logical_id() : 0;
    destination_format_ = ~u32{0};
    spurious_ = 0xff;
    command_ = 0;
    lvt_.fill(lvt_masked);
    timer_initial_ = timer_divide_ = 0;
    tsc_deadline_ = 0;
    in_service_.fill(0);
    for (auto& word : requested_) word.store(0, std::memory_order_relaxed);
    for (auto& word : level_) word.store(0, std::memory_order_relaxed);
    timer_.cancel();
}

u32 VirtualLocalApic::id() const { return vcpu_.id.raw * 2; }

Result<> VirtualLocalApic::set_base(u64 value) {
    REQUIRE((value & ~(base_bsp | base_x2 | base_enable | 0x000f'ffff'ffff'f000)) == 0, efault);
    const bool enable = (value & base_enable) != 0, x2 = (value & base_x2) != 0;
    REQUIRE(enable || !x2, efault);
    REQUIRE(!(is_x2() && enable && !x2), efault);               // from x2APIC only to off
    REQUIRE(!((base_ & base_enable) == 0 && x2), efault);       // from off only to xAPIC
    REQUIRE((value & 0x000f'ffff'ffff'f000) == default_base, efault);
    if (!enable && (base_ & base_enable) != 0) reset(true);
    base_ = (value & ~base_bsp) | (base_ & base_bsp);
    if (is_x2()) logical_destination_ = x2_logical_id();
    return {};
}

int VirtualLocalApic::highest(const Bits& bits) {
    for (int word = 3; word >= 0; --word) {
        const u64 value = bits[static_cast<usize>(word)];
        if (value != 0) return word * 64 + 63 - std::countl_zero(value);
    }
    return -1;
}

VirtualLocalApic::Bits VirtualLocalApic::requests() const {
    Bits bits;
    for (usize i = 0; i < bits.size(); ++i) bits[i] = requested_[i].load(std::memory_order_acquire);
    return bits;
}

u8 VirtualLocalApic::processor_priority() const {
    const int serving = highest(in_service_);
    const u32 served_class = serving < 0 ? 0 : static_cast<u32>(serving) & 0xf0;
    return static_cast<u8>((task_priority_ & 0xf0) >= served_class ? task_priority_ : served_class);
}

std::optional<u8> VirtualLocalApic::deliverable() const {
    const int vector = highest(requests());
    if (vector < 0 || !enabled_by_software()) return std::nullopt;
    if ((vector & 0xf0) <= (processor_priority() & 0xf0)) return std::nullopt;
    return static_cast<u8>(vector);
}

bool VirtualLocalApic::waits_for_task_priority() const {
    const int vector = highest(requests());
    if (vector < 0 || !enabled_by_software()) return false;
    const u32 request_class = static_cast<u32>(vector) & 0xf0;
    const int serving = highest(in_service_);
    return request_class <= (task_priority_ & 0xf0) && (serving < 0 || request_class > (static_cast<u32>(serving) & 0xf0));
}

void VirtualLocalApic::request(u8 vector, bool level) {
    if (vector < 16) return;  // the processor's own; no APIC delivers them
    const u64 bit = u64{1} << (vector % 64);
    if (level) level_[vector / 64].fetch_or(bit, std::memory_order_relaxed);
    else level_[vector / 64].fetch_and(~bit, std::memory_order_relaxed);
    const u64 before = requested_[vector / 64].fetch_or(bit, std::memory_order_acq_rel);
    if ((before & bit) == 0) vcpu_.kick();
}

void VirtualLocalApic::accept(u8 vector) {
    const u64 bit = u64{1} << (vector % 64);
    requested_[vector / 64].fetch_and(~bit, std::memory_order_acq_rel);
    in_service_[vector / 64] |= bit;
}

void VirtualLocalApic::end_of_interrupt() {
    const int vector = highest(in_service_);
    if (vector < 0) return;
    const usize word = static_cast<usize>(vector) / 64;
    const u64 bit = u64{1} << (vector % 64);
    in_service_[word] &= ~bit;
    if ((level_[word].load(std::memory_order_relaxed) & bit) == 0) return;
    for (const auto& io_apic : vcpu_.domain.arch.io_apics) io_apic->end_of_interrupt(static_cast<u8>(vector));
}

bool VirtualLocalApic::matches(u32 destination, bool logical) const {
    if (!logical) return destination == id() || destination == (is_x2() ? 0xffffffff : 0xff);
    if (is_x2()) {
        if (destination == 0xffffffff) return true;
        return destination >> 16 == logical_destination_ >> 16 && (destination & logical_destination_ & 0xffff) != 0;
    }
    const u32 mine = logical_destination_ >> 24;
    if (destination_format_ >> 28 == 0xf) return (mine & destination & 0xff) != 0;
    if ((destination & 0xff) == 0xff) return true;  // every cluster
    return mine >> 4 == (destination >> 4 & 15) && (mine & destination & 15) != 0;
}

u32 VirtualLocalApic::read(u32 offset) const {
    if (offset >= apic::in_service && offset < apic::in_service + 0x80) {
        return bits_register(in_service_, (offset - apic::in_service) / 16);
    }
    if (offset >= apic::trigger_mode && offset < apic::trigger_mode + 0x80) {
        const u32 index = (offset - apic::trigger_mode) / 16;
        return static_cast<u32>(level_[index / 2].load(std::memory_order_relaxed) >> (index % 2 * 32));
    }
    if (offset >= apic::request && offset < apic::request + 0x80) return bits_register(requests(), (offset - apic::request) / 16);
    if (const int lvt = lvt_index(offset); lvt >= 0) return lvt_[static_cast<usize>(lvt)];
    switch (offset) {
    case apic::id: return is_x2() ? id() : id() << 24;
    case apic::version: return version_value;
    case apic::task_priority: return task_priority_;
    case apic::processor_priority: return processor_priority();
    case apic::logical_destination: return logical_destination_;
    case apic::destination_format: return destination_format_;
    case apic::spurious: return spurious_;
    case apic::error: return error_;
    case apic::command_low: return static_cast<u32>(command_);
    case apic::command_high: return static_cast<u32>(command_ >> 32);
    case apic::timer_initial: return timer_initial_;
    case apic::timer_current: return current_count();
    case apic::timer_divide: return timer_divide_;
    default: return 0;
    }
}

void VirtualLocalApic::write(u32 offset, u32 value) {
    if (const int lvt = lvt_index(offset); lvt >= 0) return write_lvt(static_cast<unsigned>(lvt), value);
    switch (offset) {
    case apic::task_priority: task_priority_ = value & 0xff; break;
    case apic::eoi: end_of_interrupt(); break;
    case apic::logical_destination:
        if (!is_x2()) logical_destination_ = value & 0xff000000;
        break;
    case apic::destination_format: destination_format_ = value | 0x0fffffff; break;
    case apic::spurious:
        spurious_ = value & 0x1ff;
        if ((value & 0x100) == 0) {
            for (u32& entry : lvt_) entry |= lvt_masked;
        } else if (vcpu_.arch.upcall_vector != 0 && vcpu_.info().evtchn_upcall_pending != 0) {
            // An upcall that came before an INIT went with the other requests, and while it is pending none follows.
            request(vcpu_.arch.upcall_vector, false);
        }
        break;
    case apic::error: error_ = std::exchange(pending_error_, 0); break;
    case apic::command_low:
        command_ = (command_ & ~u64{0xffffffff}) | (value & 0x000ccfff);
        write_command(command_);
        break;
    case apic::command_high: command_ = (command_ & 0xffffffff) | u64{value & 0xff000000} << 32; break;
    case apic::timer_initial:
        timer_initial_ = value;
        start_timer();
        break;
    case apic::timer_divide: timer_divide_ = value & 0xb; break;
    default: break;
    }
}

void VirtualLocalApic::write_lvt(unsigned index, u32 value) {
    const u32 before = lvt_[index];
    lvt_[index] = (value & lvt_writable[index]) | (enabled_by_software() ? 0 : lvt_masked);
    if (index != 0) return;
    // A change of the mode stops the timer; unmasking a deadline timer lets it fire.
    if (((before ^ value) >> 17 & 3) != 0) {
        timer_.cancel();
        timer_initial_ = 0;
        tsc_deadline_ = 0;
    }
}

Result<u64> VirtualLocalApic::read_msr(u32 index) const {
    const u32 offset = (index - 0x800) * 16;
    REQUIRE(is_x2(), efault);
    switch (offset) {
    case apic::eoi: case apic::self_ipi: case apic::destination_format: case apic::command_high: return Err{Errno::efault};
    case apic::command_low: return command_;
    default: break;
    }
    const bool known = (offset >= apic::in_service && offset < apic::request + 0x80) || lvt_index(offset) >= 0 ||
                       offset == apic::id || offset == apic::version || offset == apic::task_priority ||
                       offset == apic::processor_priority || offset == apic::logical_destination || offset == apic::spurious ||
                       offset == apic::error || offset == apic::timer_initial || offset == apic::timer_current ||
                       offset == apic::timer_divide;
    REQUIRE(known, efault);
    return read(offset);
}

Result<> VirtualLocalApic::write_msr(u32 index, u64 value) {
    const u32 offset = (index - 0x800) * 16;
    REQUIRE(is_x2(), efault);
    if (offset == apic::command_low) {
        command_ = value & 0xffffffff000ccfff;
        write_command(command_);
        return {};
    }
    REQUIRE(value >> 32 == 0, efault);
    const u32 low = static_cast<u32>(value);
    if (offset == apic::self_ipi) {
        REQUIRE(low >= 16 && low < 256, efault);
        request(static_cast<u8>(low), false);
        return {};
    }
    REQUIRE((low & ~TRY(x2_bits(offset))) == 0, efault);
    write(offset, low);
    return {};
}

}  // namespace px::hvm

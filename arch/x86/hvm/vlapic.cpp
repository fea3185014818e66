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
constexpr u32 illegal_vector_sent = 1u << 5;
/// Delivery status (bit 12) and remote IRR (bit 14) are read-only. [intel/sdm3 11.5.1]
constexpr std::array<u32, 6> lvt_writable{0x000700ff, 0x000107ff, 0x000107ff, 0x0001a7ff, 0x0001a7ff, 0x000100ff};

/// The entries of the local vector table stand in a row: timer, thermal, performance, LINT0, LINT1, error.
constexpr bool is_lvt(u32 offset) { return offset >= apic::lvt_timer && offset <= apic::lvt_error && offset % 16 == 0; }
constexpr u32 writable_of(u32 lvt) { return lvt_writable[(lvt - apic::lvt_timer) / 16]; }

/// What an x2APIC register takes without #GP: its writable bits and its read-only ones. Errors: efault, not writable at all.
Result<u32> x2_bits(u32 offset) {
    constexpr u32 delivery_status = 1u << 12, remote_irr = 1u << 14;
    if (is_lvt(offset)) {
        const bool pin = offset == apic::lvt_lint0 || offset == apic::lvt_lint1;
        return writable_of(offset) | delivery_status | (pin ? remote_irr : 0);
    }
    switch (offset) {
    case apic::eoi:
    case apic::error: return 0u;
    case apic::task_priority: return 0xffu;
    case apic::spurious: return 0x3ffu;
    case apic::timer_initial: return ~u32{0};
    case apic::timer_divide: return 0xbu;
    default: return Err{Errno::efault};
    }
}

}  // namespace

VirtualLocalApic::VirtualLocalApic(Vcpu& vcpu) : vcpu_(vcpu), timer_(vcpu.timer_home(), timer_callback, this) {}

Result<> VirtualLocalApic::create() {
    page_ = TRY(make<ApicPage>());
    reset(false);
    return {};
}

void VirtualLocalApic::show_identity() {
    page_->set(apic::id, is_x2() ? id() : id() << 24);
    if (is_x2()) page_->set(apic::logical_destination, x2_logical_id());
}

void VirtualLocalApic::reset(bool keep_base) {
    if (!keep_base) base_ = default_base | base_enable | (vcpu_.id.raw == 0 ? base_bsp : 0);
    ApicPage& page = *page_;
    for (u32 offset = 0; offset < 0x400; offset += 16) page.set(offset, 0);
    show_identity();
    page.set(apic::version, version_value);
    page.set(apic::destination_format, ~u32{0});
    page.set(apic::spurious, 0xff);
    for (u32 lvt = apic::lvt_timer; lvt <= apic::lvt_error; lvt += 16) page.set(lvt, lvt_masked);
    forget_posted();
    pending_error_ = timer_mode_ = 0;
    tsc_deadline_ = 0;
    waiting_ = false;
    changed_ = true;
    timer_.cancel();
}

u32 VirtualLocalApic::id() const { return vcpu_.id.raw * 2; }

Result<> VirtualLocalApic::set_base(u64 value) {
    REQUIRE((value & ~(base_bsp | base_x2 | base_enable | 0x000f'ffff'ffff'f000)) == 0, efault);
    const bool enable = (value & base_enable) != 0, x2 = (value & base_x2) != 0;
    REQUIRE(enable || !x2, efault);
    REQUIRE(!(is_x2() && enable && !x2), efault);          // from x2APIC only to off
    REQUIRE(!((base_ & base_enable) == 0 && x2), efault);  // from off only to xAPIC
    REQUIRE((value & 0x000f'ffff'ffff'f000) == default_base, efault);
    const bool was_on = (base_ & base_enable) != 0;
    base_ = (value & ~base_bsp) | (base_ & base_bsp);
    if (!enable && was_on) reset(true);
    show_identity();
    changed_ = true;
    return {};
}

u8 VirtualLocalApic::processor_priority() const {
    const int serving = page_->highest(apic::in_service);
    const u32 served_class = serving < 0 ? 0 : static_cast<u32>(serving) & 0xf0, task = task_priority();
    return static_cast<u8>((task & 0xf0) >= served_class ? task : served_class);
}

int VirtualLocalApic::highest_request() const {
    for (usize word = 4; word-- > 0;) {
        if (const u64 bits = requests(word); bits != 0) return static_cast<int>(word) * 64 + 63 - std::countl_zero(bits);
    }
    return -1;
}

std::optional<u8> VirtualLocalApic::deliverable() const {
    const int vector = highest_request();
    if (vector < 0 || !enabled_by_software()) return std::nullopt;
    if ((vector & 0xf0) <= (processor_priority() & 0xf0)) return std::nullopt;
    return static_cast<u8>(vector);
}

bool VirtualLocalApic::waits_for_task_priority() const {
    const int vector = highest_request(), serving = page_->highest(apic::in_service);
    if (vector < 0 || !enabled_by_software()) return false;
    return (vector & 0xf0) <= (task_priority() & 0xf0) && (serving < 0 || (vector & 0xf0) > (serving & 0xf0));
}

void VirtualLocalApic::request(u8 vector, bool level) {
    if (vector < 16) return;  // the processor's own; no APIC delivers them
    if ((level ? page_->levels() : page_->edges()).post(vector)) vcpu_.kick();
}

void VirtualLocalApic::take(usize index, u64 requested, bool level) {
    page_->set_word(apic::request, index, page_->word(apic::request, index) | requested);
    const u64 others = page_->word(apic::trigger_mode, index) & ~requested;
    page_->set_word(apic::trigger_mode, index, others | (level ? requested : 0));
    waiting_ = true;
}

void VirtualLocalApic::collect() {
    if (page_->edges().pending()) page_->edges().collect([this](usize index, u64 bits) { take(index, bits, false); });
    if (page_->levels().pending()) page_->levels().collect([this](usize index, u64 bits) { take(index, bits, true); });
}

void VirtualLocalApic::forget_posted() {
    page_->edges().collect([](usize, u64) {});
    page_->levels().collect([](usize, u64) {});
}

void VirtualLocalApic::accept(u8 vector) {
    collect();
    page_->remove(apic::request, vector);
    page_->add(apic::in_service, vector);
    waiting_ = page_->highest(apic::request) >= 0;
}

void VirtualLocalApic::end_of_interrupt() {
    const int vector = page_->highest(apic::in_service);
    if (vector < 0) return;
    page_->remove(apic::in_service, static_cast<u8>(vector));
    changed_ = true;
    ended(static_cast<u8>(vector));
}

void VirtualLocalApic::ended(u8 vector) {
    if (!page_->has(apic::trigger_mode, vector)) return;
    for (const auto& io_apic : vcpu_.domain.arch.io_apics) io_apic->end_of_interrupt(vector);
}

bool VirtualLocalApic::matches(u32 destination, bool logical) const {
    if (!logical) return destination == id() || destination == (is_x2() ? 0xffffffff : 0xff);
    const u32 own = page_->get(apic::logical_destination);
    if (is_x2()) {
        if (destination == 0xffffffff) return true;
        return destination >> 16 == own >> 16 && (destination & own & 0xffff) != 0;
    }
    const u32 mine = own >> 24;
    if (page_->get(apic::destination_format) >> 28 == 0xf) return (mine & destination & 0xff) != 0;
    if ((destination & 0xff) == 0xff) return true;  // every cluster
    return mine >> 4 == (destination >> 4 & 15) && (mine & destination & 15) != 0;
}

u32 VirtualLocalApic::read(u32 offset) const {
    if (offset >= 0x400) return 0;
    if (offset >= apic::request && offset < apic::request + 0x80) {
        const u32 index = (offset - apic::request) / 16;
        return static_cast<u32>(requests(index / 2) >> (index % 2 * 32));
    }
    switch (offset) {
    case apic::processor_priority: return processor_priority();
    case apic::timer_current: return current_count();
    case apic::eoi:
    case apic::self_ipi: return 0;
    default: return page_->get(offset);
    }
}

void VirtualLocalApic::write(u32 offset, u32 value) {
    if (is_lvt(offset)) return write_lvt(offset, value);
    switch (offset) {
    case apic::id: show_identity(); break;
    case apic::task_priority: set_task_priority(static_cast<u8>(value)); break;
    case apic::eoi: end_of_interrupt(); break;
    case apic::logical_destination:
        if (!is_x2()) page_->set(offset, value & 0xff000000);
        break;
    case apic::destination_format: page_->set(offset, value | 0x0fffffff); break;
    case apic::spurious: write_spurious(value & 0x1ff); break;
    case apic::error: page_->set(offset, std::exchange(pending_error_, 0)); break;
    case apic::command_low:
        page_->set(offset, value & 0x000ccfff);
        write_command(command());
        break;
    case apic::command_high: page_->set(offset, value & 0xff000000); break;
    case apic::timer_initial:
        page_->set(offset, value);
        start_timer();
        break;
    case apic::timer_divide: page_->set(offset, value & 0xb); break;
    case apic::self_ipi:
        if (is_x2()) pending_error_ |= illegal_vector_sent;  // the processor delivers the others by itself
        break;
    default: break;
    }
}

void VirtualLocalApic::write_spurious(u32 value) {
    page_->set(apic::spurious, value);
    changed_ = true;
    if ((value & 0x100) == 0) {
        for (u32 lvt = apic::lvt_timer; lvt <= apic::lvt_error; lvt += 16) page_->set(lvt, page_->get(lvt) | lvt_masked);
    } else if (vcpu_.arch.upcall_vector != 0 && vcpu_.info().evtchn_upcall_pending != 0) {
        // An upcall that came before an INIT went with the other requests, and while it is pending none follows.
        request(vcpu_.arch.upcall_vector, false);
    }
}

void VirtualLocalApic::write_lvt(u32 offset, u32 value) {
    page_->set(offset, (value & writable_of(offset)) | (enabled_by_software() ? 0 : lvt_masked));
    if (offset != apic::lvt_timer) return;
    // A change of the mode stops the timer; unmasking a deadline timer lets it fire.
    const u32 mode = value >> 17 & 3;
    if (std::exchange(timer_mode_, mode) == mode) return;
    timer_.cancel();
    page_->set(apic::timer_initial, 0);
    tsc_deadline_ = 0;
}

void VirtualLocalApic::set_command(u64 value) {
    page_->set(apic::command_low, static_cast<u32>(value));
    page_->set(apic::command_high, static_cast<u32>(value >> 32));
}

Result<u64> VirtualLocalApic::read_msr(u32 index) const {
    const u32 offset = (index - 0x800) * 16;
    REQUIRE(is_x2(), efault);
    if (offset == apic::command_low) return command();
    REQUIRE(apic::x2_readable(offset), efault);
    return read(offset);
}

Result<> VirtualLocalApic::write_msr(u32 index, u64 value) {
    const u32 offset = (index - 0x800) * 16;
    REQUIRE(is_x2(), efault);
    if (offset == apic::command_low) {
        set_command(value & 0xffffffff000ccfff);
        write_command(command());
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

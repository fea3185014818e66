// From the entry code to guest_main(): the start of a PV kernel, and its console.
//
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <utility>

#include "hypervisor/abi/io/console.hpp"
#include "hypervisor/abi/physdev.hpp"
#include "tests/guests/common/console.hpp"
#include "tests/guests/pv/common/pv.hpp"

extern "C" const char hypercall_page[], interrupt_stubs[], event_entry[], failsafe_entry[], syscall_entry[];

namespace px::guest {

namespace {

namespace flat = abi::x86::flat_ring3;

constinit const abi::StartInfo* start_info = nullptr;
constinit abi::XenconsInterface* ring = nullptr;

std::atomic_ref<u32> shared(u32& index) { return std::atomic_ref<u32>{index}; }

void write_ring(std::string_view text) {
    for (const char c : text) {
        const u32 at = shared(ring->out_prod).load(std::memory_order_relaxed);
        while (at - shared(ring->out_cons).load(std::memory_order_acquire) >= sizeof(ring->out)) yield();
        ring->out[at % sizeof(ring->out)] = c;
        shared(ring->out_prod).store(at + 1, std::memory_order_release);
    }
    notify(start_info->console.domU.evtchn);
}

i64 register_callback(abi::CallbackType type, const char* entry) {
    abi::CallbackRegister op{static_cast<u16>(type), 0, reinterpret_cast<u64>(entry)};
    return hypercall_ptr(abi::hypercall::callback_op, static_cast<u64>(abi::CallbackOp::register_callback), &op);
}

}  // namespace

constinit u64 hypercall_base = 0;
constinit u64 hypercall_stride = 32;

const abi::StartInfo& pv_start_info() { return *start_info; }
std::string_view command_line() { return reinterpret_cast<const char*>(start_info->cmd_line); }
abi::SharedInfo& shared_info() {
    alignas(page_size) static constinit u8 page[page_size]{};
    static constinit bool mapped = false;
    if (!std::exchange(mapped, true)) {
        constexpr u64 flags = pte_present | pte_writable | pte_accessed | pte_dirty;
        if (update_va(reinterpret_cast<u64>(page), start_info->shared_info | flags)) give_up("no shared info page");
    }
    return *reinterpret_cast<abi::SharedInfo*>(page);
}
bool is_dom0() { return start_info->flags & abi::sif::initdomain; }
u64 start_info_address() { return reinterpret_cast<u64>(start_info); }

void load_interrupt_table() {
    constexpr usize stub_size = 32;
    static constinit abi::x86::TrapInfo traps[257]{};
    for (unsigned v = 0; v < 256; ++v) {
        // Whoever may: users as well, by INT n.
        traps[v] = {static_cast<u8>(v), 3, flat::cs64, reinterpret_cast<u64>(interrupt_stubs) + v * stub_size};
    }
    if (hypercall(abi::hypercall::set_trap_table, reinterpret_cast<u64>(traps))) give_up("set_trap_table");
    if (register_callback(abi::CallbackType::event, event_entry) || register_callback(abi::CallbackType::failsafe, failsafe_entry) ||
        register_callback(abi::CallbackType::syscall, syscall_entry)) {
        give_up("callback_op");
    }
}

void init_console() {
    if (is_dom0()) return;
    ring = static_cast<abi::XenconsInterface*>(address_of_mfn(start_info->console.domU.mfn));
}

void console_write(std::string_view text) {
    if (ring) return write_ring(text);
    hypercall(abi::hypercall::console_io, static_cast<u64>(abi::ConsoleIo::write), text.size(), reinterpret_cast<u64>(text.data()));
}
int console_read() { return -1; }
void drain_console() {
    while (ring && shared(ring->out_cons).load(std::memory_order_acquire) != shared(ring->out_prod).load()) yield();
}

extern "C" [[noreturn]] void guest_start(const abi::StartInfo* info) {
    start_info = info;
    hypercall_base = reinterpret_cast<u64>(hypercall_page);
    // CLI and STI of the common runtime do nothing then, instead of faulting.
    abi::PhysdevSetIopl iopl{1};
    hypercall_ptr(abi::hypercall::physdev_op, static_cast<u64>(abi::PhysdevOp::set_iopl), &iopl);
    load_interrupt_table();
    init_console();
    guest_main();
    finish();
}

}  // namespace px::guest

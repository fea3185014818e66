// The console of a domain: the PV ring that xenconsoled serves, or, in dom0, the hypervisor's own.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/console.hpp"

#include "hypervisor/abi/io/console.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constinit abi::XenconsInterface* ring = nullptr;
constinit u32 ring_port = 0;

/// An index of the ring, which the other end reads or writes at the same time.
std::atomic_ref<u32> shared(u32& index) { return std::atomic_ref<u32>{index}; }

void write_ring(std::string_view text) {
    while (!text.empty()) {
        const u32 at = shared(ring->out_prod).load(std::memory_order_relaxed);
        const u32 room = sizeof(ring->out) - (at - shared(ring->out_cons).load(std::memory_order_acquire));
        const u32 count = text.size() < room ? text.size() : room;
        for (u32 i = 0; i < count; ++i) ring->out[(at + i) % sizeof(ring->out)] = text[i];
        shared(ring->out_prod).store(at + count, std::memory_order_release);
        text.remove_prefix(count);
        notify(ring_port);
        if (!text.empty()) yield();
    }
}

}  // namespace

void init_console() {
    if (is_dom0()) return;
    const auto frame = hvm_param(abi::HvmParam::console_pfn);
    const auto port = hvm_param(abi::HvmParam::console_evtchn);
    if (!frame || !port) return;
    ring = reinterpret_cast<abi::XenconsInterface*>(frame << page_shift);
    ring_port = static_cast<u32>(port);
}

void console_write(std::string_view text) {
    if (ring) return write_ring(text);
    hypercall(abi::hypercall::console_io, static_cast<u64>(abi::ConsoleIo::write), text.size(), reinterpret_cast<u64>(text.data()));
}

int console_read() {
    if (!ring) {
        char byte = 0;
        return hypercall(abi::hypercall::console_io, static_cast<u64>(abi::ConsoleIo::read), 1, reinterpret_cast<u64>(&byte)) == 1 ? byte
                                                                                                                                   : -1;
    }
    const u32 at = shared(ring->in_cons).load(std::memory_order_relaxed);
    if (at == shared(ring->in_prod).load(std::memory_order_acquire)) return -1;
    const char byte = ring->in[at % sizeof(ring->in)];
    shared(ring->in_cons).store(at + 1, std::memory_order_release);
    notify(ring_port);
    return static_cast<unsigned char>(byte);
}

void drain_console() {
    while (ring && shared(ring->out_cons).load(std::memory_order_acquire) != shared(ring->out_prod).load()) yield();
}

}  // namespace px::guest

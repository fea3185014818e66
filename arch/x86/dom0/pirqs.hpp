// Physical interrupts of a PV hardware domain: numbers (PIRQs) that stand for lines of I/O APICs or for devices' messages, and that it
// binds to event channels. [xen/public physdev.h, event_channel.h]
//
//   0 … lines − 1     the GSI of that number, once map_pirq said so
//   …    count − 1    messages, given out from the highest number down
//
// A level-triggered line is masked from its interrupt until the domain's EOI: a device that nobody quiets costs one interrupt.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/interrupt_lines.hpp"
#include "arch/x86/dom0/message_place.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/heap.hpp"
#include "hypervisor/mm/writable_frame.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

class Pirqs {
public:
    static constexpr u32 count = 1024;

    /// `lines` outlives it.
    Pirqs(Domain& domain, InterruptLines& lines) : domain_(domain), lines_(lines) {}
    /// mode_of(gsi) tells how a line signals while nobody says otherwise. Errors: enomem.
    template <class ModeOf>
    Result<> create(ModeOf mode_of) {
        pirqs_ = TRY(HeapArray<Pirq>::create(count));
        for (u32 i = 0; i < count; ++i) {
            pirqs_[i].owner = this;
            pirqs_[i].number = i;
            pirqs_[i].mode = mode_of(i);
        }
        return {};
    }
    /// A line that calls `target` of our own; the domain can't have it. Errors: enoent (no such line), enospc.
    Result<> keep(u32 gsi, LineMode mode, arch::InterruptTarget& target);

    // map_pirq and the like. `wanted` < 0: any.
    /// Errors: einval (no such line, not the wanted number), eperm (ours).
    Result<u32> map_gsi(u32 gsi, i32 wanted);
    /// The message at `place`; `device`: the entry's place in device memory, nullptr for MSI. The place's message is written by
    /// write(address, data). Errors: enospc, einval (the wanted number is taken), eexist (the message is mapped already).
    template <class Write>
    Result<u32> map_message(const MessagePlace& place, volatile u8* device, i32 wanted, Write write);
    /// Errors: einval (not mapped).
    Result<> unmap(u32 pirq);
    /// A number that a later map_message() may want. Errors: enospc.
    Result<u32> reserve();
    /// How a line signals; has an effect before it is bound only. Errors: einval (no such line, or ours).
    Result<> set_mode(u32 gsi, LineMode mode);
    /// After the devices lost their state: writes the messages of `function` again by write(place, address, data).
    template <class Write>
    void restore(pci::Address function, Write write);

    /// The event channel is bound; interrupts begin. Errors: einval (not mapped), enospc (no vector).
    Result<> bind(u32 pirq, EvtPort port);
    /// It is closed. Any context.
    void unbind(u32 pirq);
    /// Errors: einval.
    Result<> end(u32 pirq);
    /// The event channel of a PIRQ; 0: none. Errors: einval.
    Result<EvtPort> port_of(u32 pirq);
    /// A page of the domain's where a bit says for each PIRQ whether end() is wanted. `unmasks`: an end also unmasks the port.
    /// Errors: ebusy (there is one).
    Result<> set_end_map(WritableFrame page, bool unmasks);
    bool end_unmasks() const { return end_unmasks_; }
    /// Errors: einval (no such device).
    Result<u32> read_io_apic(u64 address, u8 index) { return (*lines_.lock())->read(address, index); }

private:
    enum class Source : u8 { none, reserved, line, message, kept };
    struct Pirq final : arch::InterruptTarget {
        Pirqs* owner = nullptr;
        u32 number = 0;
        Source source = Source::none;
        std::atomic<u32> port{0};  ///< 0: not bound
        LineMode mode;
        bool awaits_end = false;       ///< a level line, masked until end()
        arch::InterruptRoute route{};  ///< of a line: while bound; of a message: while mapped
        MessagePlace place{};
        volatile u8* entry = nullptr;  ///< of an MSI-X message

        void interrupt() override { owner->fired(*this); }
        void mask_entry(bool masked) const {
            if (entry != nullptr) *reinterpret_cast<volatile u32*>(entry + msix_vector_control) = masked;
        }
    };
    /// What the lock guards: the lines, and every PIRQ.
    struct Lines {
        explicit Lines(InterruptLines& of) : lines(of) {}
        InterruptLines* operator->() { return &lines; }
        InterruptLines& lines;
    };

    void fired(Pirq& pirq);
    /// Errors: einval (no such number).
    Result<Pirq*> find(u32 pirq);
    /// Takes a number for a message. Errors: einval, enospc.
    Result<Pirq*> take(i32 wanted, Source as);
    void say_end_wanted(const Pirq& pirq);

    Domain& domain_;
    Locked<Lines, LockRank::irq> lines_;
    HeapArray<Pirq> pirqs_;
    WritableFrame end_map_;
    bool end_unmasks_ = false;
};

template <class Write>
Result<u32> Pirqs::map_message(const MessagePlace& place, volatile u8* device, i32 wanted, Write write) {
    {
        auto lines = lines_.lock();
        for (const Pirq& other : pirqs_) REQUIRE(other.source != Source::message || !(other.place == place), eexist);
    }
    Pirq* const pirq = TRY(take(wanted, Source::message));
    const auto route = arch::bind_interrupt(*pirq, CpuId{0});
    if (!route) {
        pirq->source = Source::none;
        return Err{route.error()};
    }
    pirq->route = *route;
    pirq->place = place;
    pirq->entry = device;
    write(route->message_address(), route->message_data());
    return pirq->number;
}

template <class Write>
void Pirqs::restore(pci::Address function, Write write) {
    for (Pirq& pirq : pirqs_) {
        if (pirq.source != Source::message || pirq.place.function != function) continue;
        write(pirq.place, pirq.route.message_address(), pirq.route.message_data());
        pirq.mask_entry(pirq.port.load(std::memory_order_relaxed) == 0);
    }
}

/// Of the PV hardware domain; nullptr where there is none.
Pirqs* hardware_pirqs();

}  // namespace px::dom0

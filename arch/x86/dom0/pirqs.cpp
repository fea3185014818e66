// Physical interrupts of a PV hardware domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pirqs.hpp"

#include "arch/pirqs.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {

Result<> Pirqs::keep(u32 gsi, LineMode mode, arch::InterruptTarget& target) {
    REQUIRE(gsi < count && (*lines_.lock())->exists(gsi), enoent);
    const arch::InterruptRoute route = TRY(arch::bind_interrupt(target, CpuId{0}));
    auto lines = lines_.lock();
    pirqs_[gsi].source = Source::kept;
    (*lines)->connect(gsi, route, mode);
    return {};
}

Result<Pirqs::Pirq*> Pirqs::find(u32 pirq) {
    REQUIRE(pirq < count, einval);
    return &pirqs_[pirq];
}

// ---- numbers

Result<u32> Pirqs::map_gsi(u32 gsi, i32 wanted) {
    auto lines = lines_.lock();
    REQUIRE(gsi < count && (*lines)->exists(gsi) && (wanted < 0 || static_cast<u32>(wanted) == gsi), einval);
    Pirq& pirq = pirqs_[gsi];
    REQUIRE(pirq.source != Source::kept, eperm);
    pirq.source = Source::line;
    return gsi;
}

Result<Pirqs::Pirq*> Pirqs::take(i32 wanted, Source as) {
    auto lines = lines_.lock();
    const u32 first = (*lines)->end();
    if (wanted >= 0) {
        const u32 number = static_cast<u32>(wanted);
        REQUIRE(number >= first && number < count, einval);
        Pirq& pirq = pirqs_[number];
        REQUIRE(pirq.source == Source::none || pirq.source == Source::reserved, einval);
        pirq.source = as;
        return &pirq;
    }
    for (u32 number = count; number-- > first;) {
        if (pirqs_[number].source != Source::none) continue;
        pirqs_[number].source = as;
        return &pirqs_[number];
    }
    return Err{Errno::enospc};
}

Result<u32> Pirqs::reserve() { return TRY(take(-1, Source::reserved))->number; }

Result<> Pirqs::unmap(u32 number) {
    Pirq* const pirq = TRY(find(number));
    unbind(number);
    arch::InterruptRoute route;
    {
        auto lines = lines_.lock();
        REQUIRE(pirq->source != Source::none && pirq->source != Source::kept, einval);
        pirq->source = Source::none;
        pirq->entry = nullptr;
        route = std::exchange(pirq->route, {});
    }
    arch::unbind_interrupt(route);
    return {};
}

Result<> Pirqs::set_mode(u32 gsi, LineMode mode) {
    auto lines = lines_.lock();
    REQUIRE(gsi < count && (*lines)->exists(gsi) && pirqs_[gsi].source != Source::kept, einval);
    if (pirqs_[gsi].port.load(std::memory_order_relaxed) == 0) pirqs_[gsi].mode = mode;
    return {};
}

// ---- interrupts

Result<> Pirqs::bind(u32 number, EvtPort port) {
    Pirq* const pirq = TRY(find(number));
    // One vector too many where it is a message, or none's: given back below.
    arch::InterruptRoute route = TRY(arch::bind_interrupt(*pirq, CpuId{0}));
    const auto begin = [&]() -> Result<> {
        auto lines = lines_.lock();
        REQUIRE(pirq->source == Source::line || pirq->source == Source::message, einval);
        pirq->port.store(port.raw, std::memory_order_release);
        pirq->awaits_end = false;
        say_end_wanted(*pirq);
        if (pirq->source == Source::line) {
            std::swap(pirq->route, route);
            (*lines)->connect(number, pirq->route, pirq->mode);
        }
        pirq->mask_entry(false);
        return {};
    };
    const auto begun = begin();
    arch::unbind_interrupt(route);
    return begun;
}

void Pirqs::unbind(u32 number) {
    if (number >= count) return;
    Pirq& pirq = pirqs_[number];
    arch::InterruptRoute route;
    {
        auto lines = lines_.lock();
        if (pirq.port.exchange(0, std::memory_order_acq_rel) == 0) return;
        pirq.mask_entry(true);
        if (pirq.source == Source::line) {
            (*lines)->mask(number);
            route = std::exchange(pirq.route, {});
        }
    }
    arch::unbind_interrupt(route);
}

void Pirqs::fired(Pirq& pirq) {
    if (pirq.source == Source::line && pirq.mode.level) {
        auto lines = lines_.lock();
        (*lines)->mask(pirq.number);
        pirq.awaits_end = true;
    }
    domain_.events.notify_pirq(EvtPort{pirq.port.load(std::memory_order_acquire)}, pirq.number);
}

Result<> Pirqs::end(u32 number) {
    Pirq* const pirq = TRY(find(number));
    auto lines = lines_.lock();
    if (std::exchange(pirq->awaits_end, false) && pirq->port.load(std::memory_order_relaxed) != 0) (*lines)->unmask(number);
    return {};
}

Result<EvtPort> Pirqs::port_of(u32 number) { return EvtPort{TRY(find(number))->port.load(std::memory_order_relaxed)}; }

Result<> Pirqs::set_end_map(WritableFrame page, bool unmasks) {
    auto lines = lines_.lock();
    REQUIRE(!end_map_, ebusy);
    end_map_ = std::move(page);
    end_unmasks_ = unmasks;
    for (const Pirq& pirq : pirqs_) {
        if (pirq.port.load(std::memory_order_relaxed) != 0) say_end_wanted(pirq);
    }
    return {};
}

/// The domain writes the page as it likes: it is only told.
void Pirqs::say_end_wanted(const Pirq& pirq) {
    if (!end_map_) return;
    u8& byte = static_cast<u8*>(end_map_.data())[pirq.number / 8];
    const u8 bit = static_cast<u8>(1u << pirq.number % 8);
    const bool wanted = pirq.source == Source::line && pirq.mode.level;
    if (wanted) std::atomic_ref(byte).fetch_or(bit, std::memory_order_relaxed);
    else std::atomic_ref(byte).fetch_and(static_cast<u8>(~bit), std::memory_order_relaxed);
}

}  // namespace px::dom0

namespace px::arch {

Result<> pirq_bound(Domain&, u32 pirq, EvtPort port) {
    dom0::Pirqs* const pirqs = dom0::hardware_pirqs();
    return pirqs != nullptr ? pirqs->bind(pirq, port) : Result<>{};  // a PVH domain's interrupts come by its virtual I/O APICs
}

void pirq_closed(Domain&, u32 pirq) {
    if (dom0::Pirqs* const pirqs = dom0::hardware_pirqs()) pirqs->unbind(pirq);
}

}  // namespace px::arch

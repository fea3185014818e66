// PIRQs: numbers, events, ends of interrupts; and the places of devices' messages.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pirqs.hpp"

#include "arch/pirqs.hpp"
#include "tests/unit/dom0/fake_pci.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {

// The machine's vectors.
namespace {
struct Vectors {
    std::map<u8, arch::InterruptTarget*> bound;
    bool any_left = true;
};
Vectors vectors;
dom0::Pirqs* of_hardware = nullptr;
}  // namespace

namespace arch {
Result<InterruptRoute> bind_interrupt(InterruptTarget& target, CpuId) {
    REQUIRE(vectors.any_left, enospc);
    u8 vector = 0x30;
    while (vectors.bound.contains(vector)) ++vector;
    vectors.bound[vector] = &target;
    return InterruptRoute{CpuId{0}, 0, vector};
}
void unbind_interrupt(const InterruptRoute& route) {
    if (!route.bound()) return;
    EXPECT_EQ(vectors.bound.erase(route.vector), 1u);
}
}  // namespace arch

namespace dom0 {

Pirqs* hardware_pirqs() { return of_hardware; }

namespace {

struct FakeLines final : InterruptLines {
    struct Line {
        u8 vector = 0;
        LineMode mode;
        bool masked = true;
    };
    std::map<u32, Line> lines;

    bool exists(u32 gsi) const override { return gsi < end(); }
    u32 end() const override { return 24; }
    void connect(u32 gsi, const arch::InterruptRoute& route, LineMode mode) override { lines[gsi] = {route.vector, mode, false}; }
    void mask(u32 gsi) override { lines[gsi].masked = true; }
    void unmask(u32 gsi) override { lines[gsi].masked = false; }
    Result<u32> read(u64 address, u8 index) override {
        REQUIRE(address == 0xfec00000, einval);
        return index + 1u;
    }
};

class PirqsTest : public World {
protected:
    PirqsTest() {
        vectors = {};
        EXPECT_TRUE(pirqs.create([](u32 gsi) { return LineMode{gsi >= 16, gsi >= 16}; }).ok());
        of_hardware = &pirqs;
    }
    ~PirqsTest() override { of_hardware = nullptr; }

    /// As the hypercall does it.
    EvtPort bind(u32 pirq) {
        const auto port = domain.events.bind_pirq(pirq);
        EXPECT_TRUE(port.ok());
        EXPECT_TRUE(arch::pirq_bound(domain, pirq, *port).ok());
        return *port;
    }
    bool fire(u8 vector, EvtPort port) {
        const auto found = vectors.bound.find(vector);
        if (found != vectors.bound.end()) found->second->interrupt();
        const bool pending = *domain.events.is_pending(port);
        clear(port);
        return pending;
    }
    void clear(EvtPort port) {
        auto& info = *static_cast<abi::SharedInfo*>(domain.shared_info());
        info.evtchn_pending[port.raw / 64] &= ~(u64{1} << port.raw % 64);
    }
    i64 map_message(const MessagePlace& place, i32 wanted = -1) {
        const auto pirq = pirqs.map_message(place, nullptr, wanted, [&](u64 address, u32 data) { written = {address, data}; });
        return pirq.ok() ? static_cast<i64>(*pirq) : -static_cast<i64>(pirq.error());
    }

    Domain& domain = make_domain(1);
    FakeLines lines;
    Pirqs pirqs{domain, lines};
    std::pair<u64, u32> written{};
};

constexpr i64 failure(Errno error) { return -static_cast<i64>(error); }

TEST_F(PirqsTest, AnEdgeBecomesAnEvent) {
    ASSERT_EQ(pirqs.map_gsi(4, -1).value_or(~0u), 4u);
    const EvtPort port = bind(4);
    EXPECT_EQ(lines.lines[4].mode, LineMode{});
    EXPECT_FALSE(lines.lines[4].masked);
    EXPECT_TRUE(fire(lines.lines[4].vector, port));
    EXPECT_FALSE(lines.lines[4].masked) << "nothing is to be ended";
    EXPECT_TRUE(fire(lines.lines[4].vector, port));
}

TEST_F(PirqsTest, ALevelIsMaskedUntilItsEnd) {
    ASSERT_TRUE(pirqs.map_gsi(20, 20).ok());
    ASSERT_TRUE(pirqs.set_mode(20, {true, false}).ok());
    const EvtPort port = bind(20);
    EXPECT_EQ(lines.lines[20].mode, (LineMode{true, false}));
    EXPECT_TRUE(fire(lines.lines[20].vector, port));
    EXPECT_TRUE(lines.lines[20].masked);
    ASSERT_TRUE(pirqs.end(20).ok());
    EXPECT_FALSE(lines.lines[20].masked);
    lines.lines[20].masked = true;
    ASSERT_TRUE(pirqs.end(20).ok());
    EXPECT_TRUE(lines.lines[20].masked) << "an end without an interrupt unmasks nothing";
}

TEST_F(PirqsTest, AClosedPortEndsInterrupts) {
    ASSERT_TRUE(pirqs.map_gsi(20, -1).ok());
    const EvtPort port = bind(20);
    const u8 vector = lines.lines[20].vector;
    arch::InterruptTarget* const target = vectors.bound.at(vector);
    target->interrupt();
    ASSERT_TRUE(domain.events.close(port).ok());
    EXPECT_TRUE(lines.lines[20].masked);
    EXPECT_TRUE(vectors.bound.empty());
    ASSERT_TRUE(pirqs.end(20).ok());
    EXPECT_TRUE(lines.lines[20].masked) << "an end that comes too late";
    target->interrupt();  // was on its way
    EXPECT_EQ(bind(20), port) << "as good as new";
    EXPECT_FALSE(lines.lines[20].masked);
}

TEST_F(PirqsTest, MessagesHaveNumbersFromTheTop) {
    const MessagePlace first{.function = {0, 0, 3, 0}, .capability = 0x50}, second{.function = {0, 0, 4, 0}, .capability = 0x50};
    EXPECT_EQ(map_message(first), Pirqs::count - 1);
    EXPECT_EQ(written, (std::pair<u64, u32>{0xfee00000, 0x30}));
    EXPECT_EQ(map_message(first), failure(Errno::eexist));
    EXPECT_EQ(map_message(second), Pirqs::count - 2);
    EXPECT_EQ(written.second, 0x31u);
    const EvtPort port = bind(Pirqs::count - 1);
    EXPECT_TRUE(fire(0x30, port));
    ASSERT_TRUE(pirqs.unmap(Pirqs::count - 1).ok());
    EXPECT_FALSE(fire(0x30, port));
    EXPECT_EQ(pirqs.unmap(Pirqs::count - 1).error(), Errno::einval);
    EXPECT_EQ(map_message(first, 100), 100) << "a number may be asked for";
    EXPECT_EQ(map_message({.function = {0, 0, 5, 0}}, 100), failure(Errno::einval));
    EXPECT_EQ(map_message({.function = {0, 0, 5, 0}}, 23), failure(Errno::einval)) << "a line's";
    EXPECT_EQ(map_message({.function = {0, 0, 5, 0}}, Pirqs::count), failure(Errno::einval));
    vectors.any_left = false;
    EXPECT_EQ(map_message({.function = {0, 0, 5, 0}}), failure(Errno::enospc));
    vectors.any_left = true;
    EXPECT_EQ(map_message({.function = {0, 0, 5, 0}}), Pirqs::count - 1);
}

TEST_F(PirqsTest, ReservedNumbersWaitForTheirMessage) {
    EXPECT_EQ(pirqs.reserve().value_or(0), Pirqs::count - 1);
    EXPECT_EQ(map_message({.function = {0, 0, 3, 0}}), Pirqs::count - 2);
    EXPECT_EQ(map_message({.function = {0, 0, 4, 0}}, Pirqs::count - 1), Pirqs::count - 1);
}

TEST_F(PirqsTest, AnEntryIsMaskedWhileNobodyListens) {
    alignas(16) u8 entry[16] = {};
    const MessagePlace place{.function = {0, 0, 3, 0}, .capability = 0x70, .entry = 0xfeb01000};
    const auto masked = [&] { return (entry[msix_vector_control] & 1) != 0; };
    entry[msix_vector_control] = 1;
    ASSERT_TRUE(pirqs.map_message(place, entry, -1, [](u64, u32) {}).ok());
    EXPECT_TRUE(masked());
    const EvtPort port = bind(Pirqs::count - 1);
    EXPECT_FALSE(masked());
    unsigned restored = 0;
    pirqs.restore(place.function, [&](const MessagePlace&, u64, u32) { ++restored, entry[msix_vector_control] = 1; });
    EXPECT_EQ(restored, 1u);
    EXPECT_FALSE(masked());
    ASSERT_TRUE(domain.events.close(port).ok());
    EXPECT_TRUE(masked());
}

TEST_F(PirqsTest, TheMapOfEndsIsKept) {
    ASSERT_TRUE(pirqs.map_gsi(4, -1).ok());
    ASSERT_TRUE(pirqs.map_gsi(20, -1).ok());
    bind(20);
    page(domain, Gfn{5})[0] = 0xff;
    auto frame = domain.physmap.get_frame(Gfn{5}, true);
    auto writable = WritableFrame::take(std::move(*frame));
    ASSERT_TRUE(pirqs.set_end_map(std::move(*writable), true).ok());
    EXPECT_TRUE(pirqs.end_unmasks());
    bind(4);
    EXPECT_EQ(page(domain, Gfn{5})[0], 0xef) << "an edge needs none";
    EXPECT_EQ(page(domain, Gfn{5})[2], 0x10);
    EXPECT_EQ(pirqs.set_end_map(WritableFrame(), false).error(), Errno::ebusy);
}

TEST_F(PirqsTest, RefusesWhatIsntThere) {
    struct Target final : arch::InterruptTarget {
        void interrupt() override {}
    } target;
    EXPECT_EQ(pirqs.map_gsi(24, -1).error(), Errno::einval);
    EXPECT_EQ(pirqs.map_gsi(~u32{0}, -1).error(), Errno::einval);
    EXPECT_EQ(pirqs.map_gsi(3, 5).error(), Errno::einval) << "a line has its own number";
    EXPECT_EQ(pirqs.set_mode(24, {}).error(), Errno::einval);
    EXPECT_EQ(pirqs.bind(3, EvtPort{1}).error(), Errno::einval) << "not mapped";
    EXPECT_EQ(pirqs.bind(Pirqs::count, EvtPort{1}).error(), Errno::einval);
    EXPECT_TRUE(vectors.bound.empty());
    EXPECT_EQ(pirqs.end(Pirqs::count).error(), Errno::einval);
    EXPECT_EQ(pirqs.port_of(Pirqs::count).error(), Errno::einval);
    EXPECT_EQ(pirqs.unmap(Pirqs::count).error(), Errno::einval);
    EXPECT_EQ(pirqs.read_io_apic(0xfed00000, 0).error(), Errno::einval);
    ASSERT_TRUE(pirqs.keep(4, {}, target).ok());
    EXPECT_EQ(pirqs.keep(24, {}, target).error(), Errno::enoent);
    EXPECT_EQ(pirqs.map_gsi(4, -1).error(), Errno::eperm);
    EXPECT_EQ(pirqs.unmap(4).error(), Errno::einval);
    EXPECT_EQ(pirqs.set_mode(4, {true, true}).error(), Errno::einval);
    arch::unbind_interrupt({CpuId{0}, 0, 0x30});
}

struct MessagePlaces : testing::Test {
    static constexpr pci::Address where{0, 0, 3, 0};
    static constexpr u64 bar = 0xfeb00000, table = bar + 0x1000;
    FakePci machine;
    MessagePlaces() { machine.functions[where] = device(bar, 4); }
};

TEST_F(MessagePlaces, AnMsiMessage) {
    const auto place = find_msi(machine, where);
    ASSERT_TRUE(place.ok());
    write_message(machine, *place, 0xfee01000, 0x41);
    EXPECT_EQ(machine.functions[where].get<u32>(0x54), 0xfee01000u);
    EXPECT_EQ(machine.functions[where].get<u16>(static_cast<u16>(0x50 + place->layout.data())), 0x41u);
    EXPECT_EQ(find_msi(machine, {0, 0, 9, 0}).error(), Errno::enodev);
}

TEST_F(MessagePlaces, AnMsixEntry) {
    const auto place = find_msix(machine, where, 2, bar);
    ASSERT_TRUE(place.ok());
    EXPECT_EQ(place->entry, table + 32);
    write_message(machine, *place, 0xfee01000, 0x41);
    EXPECT_EQ(machine.memory[table + 32], 0xfee01000u);
    EXPECT_EQ(machine.memory[table + 40], 0x41u);
    EXPECT_EQ(machine.memory[table + 44], 1u) << "masked until somebody listens";
    EXPECT_EQ(find_msix(machine, where, 4, bar).error(), Errno::einval);
    EXPECT_EQ(find_msix(machine, where, 0, bar + 16).error(), Errno::einval);
    EXPECT_EQ(find_msix(machine, {0, 0, 9, 0}, 0, bar).error(), Errno::enodev);
}

TEST_F(MessagePlaces, TheTableOfAFunction) {
    const auto found = msix_table(machine, where);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->start, table);
    EXPECT_EQ(found->end, table + 64);
    machine.functions[where].set<u32>(pci::bar0, 0);
    machine.functions[where].set<u32>(pci::bar0 + 4, 0);
    EXPECT_FALSE(msix_table(machine, where)) << "not placed";
    EXPECT_FALSE(msix_table(machine, {0, 0, 9, 0}));
}

}  // namespace
}  // namespace dom0
}  // namespace px

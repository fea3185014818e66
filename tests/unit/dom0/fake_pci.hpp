// PCI functions and device memory in ordinary memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "arch/x86/dom0/pci_machine.hpp"

namespace px::dom0 {

/// One function: registers, and which of their bits can be written.
struct FakeFunction {
    std::array<u8, 4096> bytes{};
    std::array<u8, 4096> writable{};

    template <class T>
    void set(u16 offset, T value, T mask = 0) {
        std::memcpy(&bytes[offset], &value, sizeof value);
        std::memcpy(&writable[offset], &mask, sizeof mask);
    }
    template <class T>
    T get(u16 offset) const {
        T value;
        std::memcpy(&value, &bytes[offset], sizeof value);
        return value;
    }
};

class FakePci final : public PciMachine {
public:
    std::map<pci::Address, FakeFunction> functions;
    std::map<u64, u32> memory;  ///< by doubleword
    std::map<u16, Message> routes;
    std::set<u64> trapped;
    std::vector<std::pair<u64, u64>> shown;
    bool routes_left = true;

    u32 read(pci::Address address, u16 offset, unsigned size) override {
        const auto found = functions.find(address);
        u32 value = ~u32{0};
        if (found != functions.end()) std::memcpy(&value, &found->second.bytes[offset], size);
        return size == 4 ? value : value & ((1u << 8 * size) - 1);
    }
    void write(pci::Address address, u16 offset, unsigned size, u32 value) override {
        const auto found = functions.find(address);
        if (found == functions.end()) return;
        for (unsigned i = 0; i < size; ++i) {
            u8& byte = found->second.bytes[offset + i];
            const u8 mask = found->second.writable[offset + i];
            byte = static_cast<u8>((byte & ~mask) | (value >> (8 * i) & mask));
        }
    }
    u64 read_memory(u64 address, unsigned) override { return memory[address]; }
    void write_memory(u64 address, unsigned, u64 value) override { memory[address] = static_cast<u32>(value); }

    Result<RouteId> open_route(const Message& message) override {
        REQUIRE(routes_left, enospc);
        routes[++last_route_] = message;
        return RouteId{last_route_};
    }
    void change_route(RouteId route, const Message& message) override { routes.at(route.raw) = message; }
    void close_route(RouteId route) override { routes.erase(route.raw); }
    Message device_message(RouteId route) override { return {0xfee00000, 0x1000u + route.raw}; }

    void trap_page(u64 address) override { trapped.insert(address); }
    void release_page(u64 address) override { trapped.erase(address); }
    void show(u64 address, u64 size) override { shown.push_back({address, size}); }

private:
    u16 last_route_ = 0;
};

/// A device with a 64-bit BAR 0 of 16 KiB at `bar`, MSI at 0x50 and MSI-X at 0x70: `entries` at offset 0x1000 of the BAR.
inline FakeFunction device(u32 bar, u16 entries) {
    FakeFunction f;
    f.set<u32>(0, 0x10048086);
    f.set<u16>(pci::command, 2, 0x407);
    f.set<u16>(pci::status, 0x10);
    f.set<u32>(pci::bar0, bar | 4, 0xffffc000);
    f.set<u32>(pci::bar0 + 4, 0, ~u32{0});
    f.set<u8>(pci::capabilities_pointer, 0x50);
    f.set<u32>(0x50, 0x01880000 | 0x7005, 0x00710000);  // next 0x70; 64 bits, masks, may ask for 16 vectors
    f.bytes[0x52] = 0x88, f.bytes[0x53] = 0x01;
    f.set<u32>(0x54, 0, ~u32{3});
    f.set<u32>(0x58, 0, ~u32{0});
    f.set<u32>(0x5c, 0, 0xffff);
    f.set<u32>(0x60, 0, 1);
    f.set<u32>(0x70, u32{entries - 1u} << 16 | 0x11, 0xc0000000);
    f.set<u32>(0x74, 0x1000);
    f.set<u32>(0x78, 0x2000);
    return f;
}

}  // namespace px::dom0

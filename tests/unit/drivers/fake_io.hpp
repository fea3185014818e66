// Fake buses: a handle that the drivers take for their I/O provider, and a device behind it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/io.hpp"

namespace px::test {

/// A device model: gets each access with its width in bytes.
struct FakeDevice {
    virtual ~FakeDevice() = default;
    virtual u64 read(u64 place, unsigned width) = 0;
    virtual void write(u64 place, unsigned width, u64 value) = 0;
};

struct FakePorts {
    FakeDevice* device;
    u8 in8(u16 port) { return static_cast<u8>(device->read(port, 1)); }
    u16 in16(u16 port) { return static_cast<u16>(device->read(port, 2)); }
    u32 in32(u16 port) { return static_cast<u32>(device->read(port, 4)); }
    void out8(u16 port, u8 value) { device->write(port, 1, value); }
    void out16(u16 port, u16 value) { device->write(port, 2, value); }
    void out32(u16 port, u32 value) { device->write(port, 4, value); }
};
static_assert(PortIo<FakePorts>);

struct FakeMmio {
    FakeDevice* device;
    u8 read8(usize offset) { return static_cast<u8>(device->read(offset, 1)); }
    u16 read16(usize offset) { return static_cast<u16>(device->read(offset, 2)); }
    u32 read32(usize offset) { return static_cast<u32>(device->read(offset, 4)); }
    u64 read64(usize offset) { return device->read(offset, 8); }
    void write8(usize offset, u8 value) { device->write(offset, 1, value); }
    void write16(usize offset, u16 value) { device->write(offset, 2, value); }
    void write32(usize offset, u32 value) { device->write(offset, 4, value); }
    void write64(usize offset, u64 value) { device->write(offset, 8, value); }
};
static_assert(MmioIo<FakeMmio>);

}  // namespace px::test

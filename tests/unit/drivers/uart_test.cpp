// UART: settings parser and driver.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/uart_16550.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/unit/drivers/fake_io.hpp"

namespace px {
namespace {

using test::FakeDevice;
using test::FakeMmio;
using test::FakePorts;

// ---- the model: a 16550A at `base`, one register per `stride` places

struct UartModel : FakeDevice {
    u64 base = 0x3f8;
    u64 stride = 1;
    bool absent = false;
    bool has_fifo = true;
    bool wire_blocked = false;  ///< the peer holds us off
    u8 ier = 0, lcr = 0, mcr = 0, scr = 0, fcr = 0;
    u16 divisor = 1;
    std::string fifo, sent;
    std::deque<u8> received;
    unsigned overruns = 0;
    unsigned status_reads = 0;

    u64 read(u64 place, unsigned) override {
        if (absent) return 0xff;
        switch ((place - base) / stride) {
        case 0: {
            if (lcr & 0x80) return divisor & 0xff;
            if (received.empty()) return 0;
            const u8 byte = received.front();
            received.pop_front();
            return byte;
        }
        case 1: return lcr & 0x80 ? divisor >> 8 : ier;
        case 2: return (has_fifo && (fcr & 1) ? 0xc0 : 0) | (received.empty() || !(ier & 1) ? 1 : 4);
        case 3: return lcr;
        case 4: return mcr;
        case 5: {
            ++status_reads;
            const u8 status = (received.empty() ? 0 : 1) | (fifo.empty() ? 0x60 : 0);
            if (!wire_blocked) transmit();
            return status;
        }
        case 7: return scr;
        default: return 0;
        }
    }
    void write(u64 place, unsigned, u64 value) override {
        const u8 byte = static_cast<u8>(value);
        switch ((place - base) / stride) {
        case 0:
            if (lcr & 0x80) divisor = static_cast<u16>((divisor & 0xff00) | byte);
            else if (fifo.size() == (has_fifo && (fcr & 1) ? 16u : 1u)) ++overruns;
            else fifo += static_cast<char>(byte);
            return;
        case 1:
            if (lcr & 0x80) divisor = static_cast<u16>((divisor & 0xff) | byte << 8);
            else ier = byte;
            return;
        case 2:
            fcr = byte;
            if (byte & 2) received.clear();
            if (byte & 4) fifo.clear();
            return;
        case 3: lcr = byte; return;
        case 4: mcr = byte; return;
        case 7: scr = byte; return;
        default: return;
        }
    }
    void transmit() {
        sent += fifo;
        fifo.clear();
    }
};

using PortUart = Uart16550<UartPorts<FakePorts>>;

PortUart on_ports(UartModel& model) { return PortUart{{FakePorts{&model}, static_cast<u16>(model.base)}}; }

UartSettings parsed(std::string_view text) {
    const auto settings = parse_uart_settings(text, default_com1);
    EXPECT_TRUE(settings.ok()) << text << ": " << (settings.ok() ? "" : settings.error());
    return settings.value_or({});
}

// ---- settings

TEST(UartSettings, EmptyKeepsTheDefaults) { EXPECT_EQ(parsed(""), default_com1); }

TEST(UartSettings, BaudAndFormat) {
    const UartSettings settings = parsed("115200,8n1");
    EXPECT_EQ(settings.baud, 115200u);
    EXPECT_EQ(settings.data_bits, 8);
    EXPECT_EQ(settings.parity, Parity::none);
    EXPECT_EQ(settings.stop_bits, 1);
    EXPECT_EQ(settings.io_base, 0x3f8u);
    EXPECT_EQ(settings.irq, 4u);
}

TEST(UartSettings, AllPositions) {
    EXPECT_EQ(
        parsed("9600/460800,7e2,0x2f8,3"),
        (UartSettings{
            .baud = 9600, .clock_hz = 460800 * 16, .data_bits = 7, .parity = Parity::even, .stop_bits = 2, .io_base = 0x2f8, .irq = 3}));
}

TEST(UartSettings, EmptyPositionsKeepTheDefault) {
    const UartSettings settings = parsed("auto,,0xfe001000,0");
    EXPECT_EQ(settings.baud, 0u);
    EXPECT_EQ(settings.data_bits, 8);
    EXPECT_TRUE(settings.memory_mapped());
    EXPECT_EQ(settings.irq, 0u);
}

TEST(UartSettings, NamedValuesAnywhere) {
    const UartSettings settings = parsed("reg-shift=2,115200,reg-width=4,8n1,clock-hz=48000000,irq=17");
    EXPECT_EQ(settings.baud, 115200u);
    EXPECT_EQ(settings.clock_hz, 48'000'000u);
    EXPECT_EQ(settings.reg_shift, 2);
    EXPECT_EQ(settings.reg_width, 4);
    EXPECT_EQ(settings.irq, 17u);
    EXPECT_EQ(parsed("baud=9600,data-bits=5,parity=s,stop-bits=2,io-base=0x3e8").io_base, 0x3e8u);
}

TEST(UartSettings, RefusesNonsenseAndSaysWhy) {
    for (const char* text : {"fast",
                             "0",
                             "115200,8n",
                             "115200,9n1",
                             "115200,8x1",
                             "115200,8n3",
                             "115200/0",
                             "115200/x",
                             "115200,8n1,zero",
                             "115200,8n1,0",
                             "115200,8n1,0xfffc",
                             "115200,8n1,0x3f8,msi",
                             "115200,8n1,pci",
                             "115200,8n1,amt",
                             "115200,8n1,0x3f8,4,00:1.0",
                             "1,,,,,,,",
                             "colour=red",
                             "reg-width=2",
                             "reg-shift=9",
                             "clock-hz=1",
                             "baud=",
                             "dev=pci",
                             "99999999999999999999"}) {
        const auto settings = parse_uart_settings(text, default_com1);
        ASSERT_FALSE(settings.ok()) << text;
        EXPECT_GT(std::string_view{settings.error()}.size(), 10u) << text;
    }
    EXPECT_STREQ(parse_uart_settings("115200,8n1,pci", default_com1).error(), "UARTs behind PCI are not supported");
}

// ---- driver

TEST(Uart, SetsTheLineUp) {
    UartModel model;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("9600,7o2")).ok());
    EXPECT_EQ(model.divisor, 12);
    EXPECT_EQ(model.lcr, 0b0000'1110);  // 7 bits, 2 stop bits, odd, divisor latch closed
    EXPECT_EQ(model.ier, 0);
    EXPECT_EQ(model.fcr & 1, 1);
    EXPECT_EQ(model.mcr, 0b1011);
    EXPECT_EQ(uart.fifo_depth(), 16);
}

TEST(Uart, AutoKeepsFirmwareSettings) {
    UartModel model;
    model.divisor = 3;
    model.lcr = 0x80 | 0x1b;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("auto")).ok());
    EXPECT_EQ(model.divisor, 3);
    EXPECT_EQ(model.lcr, 0x1b);
}

TEST(Uart, AbsentHardwareIsNoticed) {
    UartModel model;
    model.absent = true;
    EXPECT_EQ(on_ports(model).init(parsed("115200")).error(), Errno::enodev);

    struct Zeroes : FakeDevice {
        u64 read(u64, unsigned) override { return 0; }
        void write(u64, unsigned, u64) override {}
    } zeroes;
    EXPECT_FALSE((PortUart{{FakePorts{&zeroes}, 0x3f8}}.present()));
}

TEST(Uart, ImpossibleBaudIsRefused) {
    UartModel model;
    EXPECT_EQ(on_ports(model).init(parsed("230400")).error(), Errno::einval);
    EXPECT_EQ(on_ports(model).init(parsed("90000")).error(),
              Errno::einval);  // 115200 or 57600, nothing between
    EXPECT_EQ(on_ports(model).init(parsed("1")).error(), Errno::einval);
    EXPECT_TRUE(on_ports(model).init(parsed("230400/460800")).ok());
}

TEST(Uart, TransmitsThroughTheFifoWithoutOverruns) {
    UartModel model;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("115200,8n1")).ok());
    const std::string text(100, 'x');
    for (const char c : text) EXPECT_TRUE(uart.put(static_cast<u8>(c)));
    EXPECT_TRUE(uart.drain());
    EXPECT_EQ(model.sent, text);
    EXPECT_EQ(model.overruns, 0u);
    EXPECT_LE(model.status_reads, 20u);  // one or two per FIFO, not one per byte
}

TEST(Uart, WithoutFifoEachByteWaits) {
    UartModel model;
    model.has_fifo = false;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("115200,8n1")).ok());
    EXPECT_EQ(uart.fifo_depth(), 1);
    for (const char c : std::string_view{"hello"}) EXPECT_TRUE(uart.put(static_cast<u8>(c)));
    model.transmit();
    EXPECT_EQ(model.sent, "hello");
    EXPECT_EQ(model.overruns, 0u);
}

TEST(Uart, BlockedPeerCostsOneLongWait) {
    UartModel model;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("115200,8n1")).ok());
    model.wire_blocked = true;
    for (int i = 0; i < 16; ++i) EXPECT_TRUE(uart.put('a'));
    EXPECT_FALSE(uart.put('b'));
    EXPECT_GE(model.status_reads, PortUart::spin_limit);
    model.status_reads = 0;
    EXPECT_FALSE(uart.put('c'));
    EXPECT_EQ(model.status_reads, 1u);
    model.wire_blocked = false;
    model.transmit();
    EXPECT_TRUE(uart.put('d'));
    model.transmit();
    EXPECT_EQ(model.sent, std::string(16, 'a') + 'd');
}

TEST(Uart, ReceivesAndInterrupts) {
    UartModel model;
    auto uart = on_ports(model);
    ASSERT_TRUE(uart.init(parsed("115200,8n1")).ok());
    uart.enable_interrupts(true, false);
    EXPECT_EQ(model.ier, 1);
    EXPECT_FALSE(uart.interrupt_pending());
    EXPECT_EQ(uart.try_get(), std::nullopt);
    model.received = {'o', 'k'};
    EXPECT_TRUE(uart.interrupt_pending());
    EXPECT_EQ(uart.try_get(), u8{'o'});
    EXPECT_EQ(uart.try_get(), u8{'k'});
    EXPECT_EQ(uart.try_get(), std::nullopt);
    uart.enable_interrupts(true, true);
    EXPECT_EQ(model.ier, 3);
}

TEST(Uart, MemoryMappedWithWideStride) {
    UartModel model;
    model.base = 0;
    model.stride = 4;
    Uart16550 uart{UartMemory<FakeMmio>{{&model}, 2, 4}};
    ASSERT_TRUE(uart.init(parsed("115200,8n1")).ok());
    EXPECT_TRUE(uart.put('m'));
    model.transmit();
    EXPECT_EQ(model.sent, "m");
    EXPECT_EQ(model.divisor, 1);
}

}  // namespace
}  // namespace px

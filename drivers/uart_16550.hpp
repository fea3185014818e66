// 16550-compatible UART: set-up, polled transmit through its FIFO, receive, interrupt enables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <optional>

#include "drivers/io.hpp"
#include "drivers/uart_settings.hpp"

namespace px {

/// Access to the eight byte-wide registers of a UART, wherever they are.
template <class T>
concept UartRegisters = std::copyable<T> && requires(T registers, u8 index) {
    { registers.read(index) } -> std::same_as<u8>;
    registers.write(index, u8{});
};

template <PortIo Io>
struct UartPorts {
    [[no_unique_address]] Io io;
    u16 base;
    u8 read(u8 index) { return io.in8(static_cast<u16>(base + index)); }
    void write(u8 index, u8 value) { io.out8(static_cast<u16>(base + index), value); }
};

/// A window of 8 << reg_shift bytes.
template <MmioIo Io>
struct UartMemory {
    [[no_unique_address]] Io io;
    u8 reg_shift;
    u8 reg_width;
    u8 read(u8 index) {
        const usize offset = usize{index} << reg_shift;
        return reg_width == 4 ? static_cast<u8>(io.read32(offset)) : io.read8(offset);
    }
    void write(u8 index, u8 value) {
        const usize offset = usize{index} << reg_shift;
        if (reg_width == 4) io.write32(offset, value);
        else io.write8(offset, value);
    }
};

namespace uart {

enum : u8 {
    data = 0,
    interrupt_enable = 1,
    fifo_control = 2,
    line_control = 3,
    modem_control = 4,
    line_status = 5,
    scratch = 7,
    divisor_low = 0,
    divisor_high = 1,
    interrupt_identification = 2
};

struct InterruptEnable {
    u8 received_data : 1 = 0;
    u8 transmitter_empty : 1 = 0;
    u8 line_status : 1 = 0;
    u8 modem_status : 1 = 0;
    u8 : 4;
};
struct FifoControl {
    u8 enable : 1 = 0;
    u8 clear_receive : 1 = 0;
    u8 clear_transmit : 1 = 0;
    u8 : 3;
    u8 trigger : 2 = 0;  ///< receive interrupt after 1, 4, 8 or 14 bytes
};
struct LineControl {
    u8 word_length : 2 = 0;  ///< data bits - 5
    u8 two_stop_bits : 1 = 0;
    u8 parity : 3 = 0;
    u8 break_signal : 1 = 0;
    u8 divisor_latch : 1 = 0;
};
struct ModemControl {
    u8 data_terminal_ready : 1 = 0;
    u8 request_to_send : 1 = 0;
    u8 out1 : 1 = 0;
    u8 out2 : 1 = 0;  ///< gates the interrupt line on a PC
    u8 loopback : 1 = 0;
    u8 : 3;
};
struct LineStatus {
    u8 data_ready : 1;
    u8 overrun : 1;
    u8 parity_error : 1;
    u8 framing_error : 1;
    u8 break_received : 1;
    u8 transmit_holding_empty : 1;
    u8 transmitter_idle : 1;
    u8 fifo_error : 1;
};

template <class Layout>
constexpr u8 raw(Layout layout) {
    return std::bit_cast<u8>(layout);
}

}  // namespace uart

/// One UART. Not locked: the console serialises its callers.
template <UartRegisters Registers>
class Uart16550 {
public:
    constexpr explicit Uart16550(Registers registers) : registers_(registers) {}

    /// Whether something answers as a UART does: no floating bus, and a scratch register that keeps what it
    /// is told.
    bool present() {
        if (registers_.read(uart::line_status) == 0xff) return false;
        for (const u8 pattern : {u8{0x5a}, u8{0xa5}}) {
            registers_.write(uart::scratch, pattern);
            if (registers_.read(uart::scratch) != pattern) return false;
        }
        return true;
    }

    /// Sets the line up, clears both FIFOs, masks all interrupts. With baud 0 (`auto`) the divisor and the
    /// line format stay as the firmware left them. enodev: no UART here; einval: the clock can't make the
    /// baud rate within 3 %.
    Result<> init(const UartSettings& settings) {
        REQUIRE(present(), enodev);
        if (settings.baud != 0) TRY(set_line(settings));
        else registers_.write(uart::line_control, registers_.read(uart::line_control) & 0x7f);
        registers_.write(uart::interrupt_enable, 0);
        registers_.write(uart::fifo_control, uart::raw(uart::FifoControl{.enable = 1, .clear_receive = 1, .clear_transmit = 1}));
        const bool has_fifo = (registers_.read(uart::interrupt_identification) >> 6) == 3;
        fifo_depth_ = has_fifo ? 16 : 1;
        credit_ = 0;
        stuck_ = false;
        registers_.write(uart::modem_control, uart::raw(uart::ModemControl{.data_terminal_ready = 1, .request_to_send = 1, .out2 = 1}));
        return {};
    }

    /// Queues one byte if the transmitter has room, without waiting. An empty holding register means a whole
    /// FIFO of room, so the status is read once per FIFO and not once per byte.
    bool try_put(u8 byte) {
        if (credit_ == 0) {
            if (!status().transmit_holding_empty) return false;
            credit_ = fifo_depth_;
        }
        --credit_;
        registers_.write(uart::data, byte);
        return true;
    }

    /// Waits for room and queues one byte. False when the transmitter never drained: a UART that is held off
    /// by its peer costs one long wait, and after it only a look per byte until it moves again.
    bool put(u8 byte) {
        for (u32 spins = stuck_ ? 1 : spin_limit; spins != 0; --spins) {
            if (try_put(byte)) {
                stuck_ = false;
                return true;
            }
        }
        stuck_ = true;
        return false;
    }

    /// Waits until the last bit is on the wire, as long as put() would.
    bool drain() {
        for (u32 spins = spin_limit; spins != 0; --spins) {
            if (status().transmitter_idle) return true;
        }
        return false;
    }

    std::optional<u8> try_get() {
        if (!status().data_ready) return std::nullopt;
        return registers_.read(uart::data);
    }

    /// Interrupts when data was received, and when the transmit FIFO ran empty.
    void enable_interrupts(bool receive, bool transmit_empty) {
        registers_.write(uart::interrupt_enable,
                         uart::raw(uart::InterruptEnable{.received_data = receive, .transmitter_empty = transmit_empty}));
    }

    /// Acknowledges by reading: whether this UART asks for an interrupt now.
    bool interrupt_pending() { return (registers_.read(uart::interrupt_identification) & 1) == 0; }

    u8 fifo_depth() const { return fifo_depth_; }

    /// Status reads that put() waits for: above a second on a PC's bus, more than a FIFO takes at 300 baud.
    static constexpr u32 spin_limit = 1'000'000;

private:
    uart::LineStatus status() { return std::bit_cast<uart::LineStatus>(registers_.read(uart::line_status)); }

    Result<> set_line(const UartSettings& settings) {
        const u64 sixteenfold = u64{settings.baud} * 16;
        const u64 divisor = (settings.clock_hz + sixteenfold / 2) / sixteenfold;
        REQUIRE(divisor >= 1 && divisor <= 0xffff, einval);
        const u64 actual = settings.clock_hz / (16 * divisor);
        const u64 deviation = actual > settings.baud ? actual - settings.baud : settings.baud - actual;
        REQUIRE(deviation * 100 <= u64{settings.baud} * 3, einval);
        uart::LineControl line{.word_length = static_cast<u8>((settings.data_bits - 5) & 3),
                               .two_stop_bits = settings.stop_bits == 2,
                               .parity = static_cast<u8>(static_cast<u8>(settings.parity) & 7),
                               .break_signal = 0,
                               .divisor_latch = 1};
        registers_.write(uart::line_control, uart::raw(line));
        registers_.write(uart::divisor_low, static_cast<u8>(divisor));
        registers_.write(uart::divisor_high, static_cast<u8>(divisor >> 8));
        line.divisor_latch = 0;
        registers_.write(uart::line_control, uart::raw(line));
        return {};
    }

    Registers registers_;
    u8 fifo_depth_ = 1;
    u8 credit_ = 0;
    bool stuck_ = false;
};

}  // namespace px

// Serial consoles of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/serial.hpp"

#include <atomic>
#include <optional>

#include "arch/time.hpp"
#include "arch/x86/machine/io.hpp"
#include "drivers/uart_16550.hpp"
#include "drivers/uart_settings.hpp"
#include "hypervisor/console/console.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::arch {
namespace {

using PortUart = Uart16550<UartPorts<Ports>>;

class SerialConsole final : public ConsoleDevice, public InterruptTarget {
public:
    explicit SerialConsole(const UartSettings& settings)
        : uart_(UartPorts<Ports>{{}, static_cast<u16>(settings.io_base)}), irq_(static_cast<u8>(settings.irq)) {}
    Result<> open(const UartSettings& settings) { return uart_.init(settings); }
    u8 irq() const { return irq_; }
    void write(std::string_view text) override {
        for (const char c : text) {
            if (c == '\n') (void)uart_.put('\r');
            (void)uart_.put(static_cast<u8>(c));
        }
    }
    bool read(char& c) override {
        const auto byte = uart_.try_get();
        if (byte) c = static_cast<char>(*byte);
        // What comes between the last look and this interrupts at once.
        else if (quiet_.exchange(false, std::memory_order_relaxed)) uart_.enable_interrupts(true, false);
        return byte.has_value();
    }

    /// The UART is quiet until all is read. Without the console's lock: nothing else writes the register of the interrupt enables.
    void interrupt() override {
        uart_.enable_interrupts(false, false);
        quiet_.store(true, std::memory_order_relaxed);
        raise_softirq(Softirq::console);
    }
    void start_interrupts() { uart_.enable_interrupts(true, false); }

private:
    PortUart uart_;
    u8 irq_;                          ///< 0: polled
    std::atomic<bool> quiet_{false};  ///< interrupts are off until the port is read empty
};

std::optional<SerialConsole> serial;
constinit PortRange ports{0, 0};
constinit Timer* poll_timer = nullptr;
constinit std::atomic<bool> interrupts{false};
constexpr Nanoseconds poll_period = milliseconds(20);

void open_serial(std::string_view text, const UartSettings& defaults, std::string_view name) {
    const auto settings = parse_uart_settings(text, defaults);
    if (!settings) return log_warning("{}={}: {}", name, text, settings.error());
    if (settings->memory_mapped()) return log_warning("{}: memory-mapped serial ports are not supported yet", name);
    if (serial) return log_warning("{}: one serial console is in use already", name);
    serial.emplace(*settings);
    if (!serial->open(*settings)) {
        serial.reset();
        return log_warning("{}: no serial port at {:#x}", name, settings->io_base);
    }
    ports = {static_cast<u16>(settings->io_base), 8};
    console_add_device(*serial);
}

void poll(void*, Nanoseconds now) {
    raise_softirq(Softirq::console);
    if (!interrupts.load(std::memory_order_relaxed)) poll_timer->arm(now + poll_period);
}

}  // namespace

void open_serial_consoles(const cmdline::BootOptions& options) {
    for (u8 i = 0; i < options.console.count; ++i) {
        switch (options.console.devices[i]) {
        case cmdline::ConsoleDevice::com1: open_serial(options.com1, default_com1, "com1"); break;
        case cmdline::ConsoleDevice::com2: open_serial(options.com2, default_com2, "com2"); break;
        case cmdline::ConsoleDevice::vga:
        case cmdline::ConsoleDevice::none: break;  // screen.cpp
        }
    }
}

void enable_console_input() {
    if (!serial) return;
    auto timer = make<Timer>(this_cpu().timers, poll, nullptr);
    if (!timer) return;
    poll_timer = (*timer).release();
    poll_timer->arm(arch::now() + poll_period);
}

ConsoleLine console_line() { return serial ? ConsoleLine{serial->irq(), &*serial} : ConsoleLine{}; }

void console_line_connected() {
    interrupts.store(true, std::memory_order_relaxed);
    serial->start_interrupts();
}

PortRange console_ports() { return ports; }

}  // namespace px::arch

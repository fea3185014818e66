// Test fake: memory, one MMIO page, ports and vector registers of a vCPU, with a record of what the emulator
// asked.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "arch/x86/emulate/emulator.hpp"
#include "tests/unit/emulate/bytes.hpp"

namespace px::emulate::test {

/// RAM at linear [0, 64 KiB) but for absent pages; MMIO at [mmio, mmio + 4 KiB). The device answers each new
/// access by "retry" first, as a device model does, and remembers its answers until the instruction commits.
class FakeMachine final : public Access {
public:
    static constexpr u64 mmio = 0x20000;

    std::vector<u8> ram = std::vector<u8>(0x10000);
    std::map<u64, bool> absent_pages;  ///< by page number
    std::map<u64, u64> device;         ///< MMIO registers by address
    std::map<u16, u32> ports;
    std::map<unsigned, std::vector<u8>> vectors;
    std::vector<std::string> log;  ///< device accesses that were performed
    bool device_answers_late = false;
    int lost_races = 0;  ///< compare_exchange calls that still fail
    bool last_zero_upper = false;

    u64 value(u64 address, unsigned size) const {
        u64 result = 0;
        for (unsigned i = 0; i < size; ++i) result |= u64{ram[address + i]} << 8 * i;
        return result;
    }
    void set(u64 address, unsigned size, u64 value) {
        for (unsigned i = 0; i < size; ++i) ram[address + i] = static_cast<u8>(value >> 8 * i);
    }

    Step<> read(u64 linear, std::span<u8> into, Intent intent) override {
        if (is_device(linear)) {
            const u64 answer = TRY(ask("read " + std::to_string(linear - mmio), [&] { return device[linear]; }));
            for (usize i = 0; i < into.size(); ++i) into[i] = static_cast<u8>(answer >> 8 * i);
            return {};
        }
        TRY(check(linear, into.size(), intent != Intent::read && intent != Intent::system_read));
        std::copy_n(ram.begin() + static_cast<long>(linear), into.size(), into.begin());
        return {};
    }
    Step<> write(u64 linear, std::span<const u8> from) override {
        if (is_device(linear)) {
            u64 value = 0;
            for (usize i = 0; i < std::min<usize>(8, from.size()); ++i) value |= u64{from[i]} << 8 * i;
            TRY(ask("write " + std::to_string(linear - mmio), [&] { return device[linear] = value; }));
            return {};
        }
        TRY(check(linear, from.size(), true));
        std::ranges::copy(from, ram.begin() + static_cast<long>(linear));
        return {};
    }
    Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) override {
        if (lost_races > 0) return --lost_races, false;
        if (!is_device(linear)) {
            TRY(check(linear, expected.size(), true));
            if (!std::equal(expected.begin(), expected.end(), ram.begin() + static_cast<long>(linear))) return false;
        }
        TRY(write(linear, replacement));
        return true;
    }
    Step<> probe_write(u64 linear, usize size) override { return is_device(linear) ? Step<>{} : check(linear, size, true); }
    Step<> fetch(u64 linear, std::span<u8> into) override {
        EXPECT_LE(linear % page_size + into.size(), page_size) << "a fetch crosses a page";
        return read(linear, into, Intent::read);
    }
    Step<u32> port_in(u16 port, unsigned size) override {
        return static_cast<u32>(TRY(ask("in" + std::to_string(size) + " " + std::to_string(port), [&] { return ports[port]; })));
    }
    Step<> port_out(u16 port, unsigned size, u32 value) override {
        TRY(ask("out" + std::to_string(size) + " " + std::to_string(port), [&] { return ports[port] = value; }));
        return {};
    }
    Step<> read_vector(unsigned index, std::span<u8> into) override {
        std::copy_n(vectors.at(index).begin(), into.size(), into.begin());
        return {};
    }
    Step<> write_vector(unsigned index, std::span<const u8> from, bool zero_upper) override {
        vectors[index].assign(from.begin(), from.end());
        last_zero_upper = zero_upper;
        return {};
    }
    void committed() override { answers_.clear(), asked_ = 0; }

    /// To be called before each run of the emulator: replay begins with the first access again.
    void begin_run() { asked_ = 0; }

private:
    static bool is_device(u64 linear) { return linear >= mmio && linear < mmio + page_size; }

    Step<> check(u64 linear, usize size, bool write) const {
        for (u64 page = linear / page_size; page <= (linear + size - 1) / page_size; ++page) {
            if (page * page_size < ram.size() && !absent_pages.contains(page)) continue;
            return Err{Outcome::exception(page_fault, write ? 2 : 0, std::max(linear, page * page_size))};
        }
        return {};
    }

    /// Performs an access once, even if it is asked again in a replay.
    template <class Perform>
    Step<u64> ask(const std::string& what, Perform perform) {
        if (asked_ < answers_.size()) {
            EXPECT_EQ(answers_[asked_].what, what) << "a replay differs from the run before";
            return answers_[asked_++].value;
        }
        log.push_back(what);
        answers_.push_back({what, perform()});
        if (device_answers_late) return Err{Outcome::retry()};
        ++asked_;
        return answers_.back().value;
    }

    struct Answer {
        std::string what;
        u64 value;
    };
    std::vector<Answer> answers_;
    usize asked_ = 0;
};

constexpr u16 flat_code = 0xc9b, flat_data = 0xc93, code_16 = 0x9b, data_16 = 0x93;

inline Registers flat_registers(Mode mode) {
    Registers r;
    const bool wide = mode != Mode::bits16;
    r.segment.fill({.selector = 0x10, .attributes = wide ? flat_data : data_16, .limit = wide ? ~0u : 0xffff, .base = 0});
    r[Segment::cs].attributes = wide ? flat_code : code_16;
    r.cr0 = cr0::pe | u64{1} << 31;
    r.cr4 = cr4::osfxsr | cr4::osxsave;
    if (mode == Mode::bits64) {
        r.efer = efer::lma;
        r[Segment::cs].attributes = 0xa9b;
    }
    r.rip = 0x1000;
    r.gpr[rsp] = 0x8000;
    return r;
}

inline Registers real_mode_registers() {
    Registers r = flat_registers(Mode::bits16);
    r.cr0 = 0;
    return r;
}

inline Outcome run_code(FakeMachine& machine, Registers& registers, const char* code) {
    const auto text = bytes(code);
    std::ranges::copy(text, machine.ram.begin() + static_cast<long>(registers[Segment::cs].base + registers.rip));
    machine.begin_run();
    return run(registers, machine);
}

inline bool same(const Registers& a, const Registers& b) { return a.gpr == b.gpr && a.rip == b.rip && a.rflags == b.rflags; }

}  // namespace px::emulate::test

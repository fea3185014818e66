// Fuzz target: the first bytes set mode and registers, the rest is code; the surroundings answer from the
// input as well.
//
// Checked besides the sanitizers: the decoder's bounds and prefix property, and that a run which isn't done
// leaves RIP alone and, unless it repeats, all registers.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "arch/x86/emulate/decoder.hpp"
#include "arch/x86/emulate/emulator.hpp"

namespace {

using namespace px;
using namespace px::emulate;

void require(bool condition) {
    if (!condition) std::abort();
}

class Input {
public:
    explicit Input(std::span<const u8> data) : data_(data) {}

    /// Zeros when the input is used up.
    void fill(std::span<u8> into) {
        const usize have = std::min(into.size(), data_.size());
        std::copy_n(data_.begin(), have, into.begin());
        std::ranges::fill(into.subspan(have), u8{0});
        data_ = data_.subspan(have);
    }
    u64 number() {
        u64 value = 0;
        fill({reinterpret_cast<u8*>(&value), sizeof value});
        return value;
    }

private:
    std::span<const u8> data_;
};

class FuzzedAccess final : public Access {
public:
    explicit FuzzedAccess(Input& input) : input_(input) {}

    Step<> read(u64, std::span<u8> into, Intent) override {
        TRY(verdict());
        input_.fill(into);
        return {};
    }
    Step<> write(u64, std::span<const u8> from) override {
        require(!from.empty() && from.size() <= 32);
        return verdict();
    }
    Step<bool> compare_exchange(u64, std::span<const u8> expected, std::span<const u8> replacement) override {
        require(expected.size() == replacement.size());
        TRY(verdict());
        return (input_.number() & 1) != 0;
    }
    Step<> probe_write(u64, usize) override { return verdict(); }
    Step<> fetch(u64 linear, std::span<u8> into) override {
        require(!into.empty() && linear % page_size + into.size() <= page_size);
        input_.fill(into);
        return {};
    }
    Step<u32> port_in(u16, unsigned size) override {
        require(size == 1 || size == 2 || size == 4);
        TRY(verdict());
        return static_cast<u32>(input_.number());
    }
    Step<> port_out(u16, unsigned, u32) override { return verdict(); }
    Step<> read_vector(unsigned index, std::span<u8> into) override {
        require(index < 16 && (into.size() == 16 || into.size() == 32));
        return verdict();
    }
    Step<> write_vector(unsigned index, std::span<const u8>, bool) override {
        require(index < 16);
        return verdict();
    }
    void committed() override { ++commits; }

    unsigned commits = 0;

private:
    Step<> verdict() {
        u8 byte = 0;
        input_.fill({&byte, 1});
        if (byte == 0xff) return Err{Outcome::retry()};
        if (byte == 0xfe) return Err{Outcome::exception(page_fault, 2, 0x1000)};
        return {};
    }

    Input& input_;
};

void check_decoder(std::span<const u8> code) {
    for (Mode mode : {Mode::bits16, Mode::bits32, Mode::bits64}) {
        const auto in = decode(code, mode);
        if (!in.ok()) {
            require(in.error() != DecodeError::need_more_bytes || code.size() < max_instruction_length);
            continue;
        }
        require(in->length >= 1 && in->length <= max_instruction_length && in->length <= code.size());
        const auto exact = decode(code.first(in->length), mode);
        require(exact.ok() && exact->length == in->length);
        const auto shorter = decode(code.first(in->length - 1u), mode);
        require(!shorter.ok() && shorter.error() == DecodeError::need_more_bytes);
    }
}

Registers fuzzed_registers(Input& input) {
    Registers r;
    input.fill({reinterpret_cast<u8*>(r.gpr.data()), sizeof r.gpr});
    r.rip = input.number();
    r.rflags = input.number();
    r.cr0 = input.number();
    r.cr4 = input.number();
    r.efer = input.number();
    r.cpl = input.number() & 3;
    for (SegmentRegister* s = r.segment.data(); s != r.segment.data() + r.segment.size(); ++s) {
        const u64 bits = input.number();
        *s = {.selector = static_cast<u16>(bits),
              .attributes = static_cast<u16>(bits >> 16 & 0xfff),
              .limit = bits & (u64{1} << 63) ? ~0u : static_cast<u32>(bits >> 32),
              .base = input.number()};
    }
    r.task = r.segment[0];
    return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
    check_decoder({data, size});
    Input input({data, size});
    Registers r = fuzzed_registers(input);
    const Registers before = r;
    FuzzedAccess access(input);
    const Outcome outcome = run(r, access);
    if (outcome.kind == Outcome::Kind::done) {
        require(access.commits >= 1);
    } else {
        require(r.rip == before.rip);
        if (access.commits == 0) require(r.gpr == before.gpr && r.rflags == before.rflags);
    }
    return 0;
}

// The emulator's view of a vCPU: memory through its page tables and physmap, devices through their handlers.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/emulate/decoder.hpp"
#include "arch/x86/emulate/emulator.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/exits.hpp"
#include "arch/x86/hvm/guest_walk.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

using emulate::Intent;
using emulate::Outcome;
using emulate::Step;

emulate::SegmentRegister converted(const SegmentRegister& from) {
    // The emulator's limits have their granularity applied, and so have a control block's.
    return {from.selector, from.attributes, from.limit, from.base};
}

emulate::Registers registers_of(Vcpu& vcpu) {
    emulate::Registers to;
    const GuestRegisters& from = vcpu.arch.registers;
    for (unsigned i = 0; i < to.gpr.size(); ++i) to.gpr[i] = from[i];
    to.rip = from.rip;
    to.rflags = from.rflags;
    for (unsigned i = 0; i < emulate::segment_count; ++i) to.segment[i] = converted(backend()->segment(vcpu, Segment(i)));
    to.task = converted(backend()->segment(vcpu, Segment::tr));
    const ControlRegisters& control = current_control(vcpu);
    to.cr0 = control.cr0;
    to.cr4 = control.cr4;
    to.efer = control.efer;
    to.cpl = static_cast<u8>(backend()->privilege(vcpu));
    return to;
}

class VcpuAccess final : public emulate::Access {
public:
    explicit VcpuAccess(Vcpu& vcpu) : vcpu_(vcpu), user_(backend()->privilege(vcpu) == 3 ? fault_code::user : 0) {}

    Step<> read(u64 linear, std::span<u8> into, Intent intent) override {
        const u32 rights =
            (intent == Intent::system_read ? fault_code::implicit : user_) | (intent == Intent::modify ? fault_code::write : 0);
        return each_page(linear, into.size(), rights,
                         [&](Gpaddr address, usize at, usize size) -> Step<> { return physical_read(address, into.subspan(at, size)); });
    }
    Step<> write(u64 linear, std::span<const u8> from) override {
        TRY(probe_write(linear, from.size()));  // a write that crosses a page happens whole or not at all
        return each_page(linear, from.size(), user_ | fault_code::write,
                         [&](Gpaddr address, usize at, usize size) -> Step<> { return physical_write(address, from.subspan(at, size)); });
    }
    Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) override {
        const auto address = translate(vcpu_, linear, user_ | fault_code::write);
        if (!address) return Err{page_fault(linear, address.error().code)};
        const usize offset = address->raw & (page_size - 1);
        auto frame = vcpu_.domain.physmap.get_frame(to_gfn(*address), true);
        if (!frame) {
            TRY(physical_write(*address, replacement));
            return true;
        }
        if (offset + expected.size() > page_size || offset % expected.size() != 0) return Err{Outcome::unhandled()};
        u8* const place = static_cast<u8*>(frame->data()) + offset;
        switch (expected.size()) {
        case 1: return exchange<u8>(place, expected, replacement);
        case 2: return exchange<u16>(place, expected, replacement);
        case 4: return exchange<u32>(place, expected, replacement);
        case 8: return exchange<u64>(place, expected, replacement);
        default: return Err{Outcome::unhandled()};
        }
    }
    Step<> probe_write(u64 linear, usize size) override {
        return each_page(linear, size, user_ | fault_code::write, [](Gpaddr, usize, usize) -> Step<> { return {}; });
    }
    Step<> fetch(u64 linear, std::span<u8> into) override {
        const auto copied = copy_linear(vcpu_, linear, into, CopyDirection::from_guest, user_ | fault_code::fetch);
        if (copied) return {};
        if (copied.error().no_memory) return Err{Outcome::unhandled()};
        return Err{page_fault(copied.error().linear, copied.error().code)};
    }
    Step<u32> port_in(u16 port, unsigned size) override { return hvm::port_in(vcpu_, port, size); }
    Step<> port_out(u16 port, unsigned size, u32 value) override {
        hvm::port_out(vcpu_, port, size, value);
        return {};
    }

private:
    static Outcome page_fault(u64 linear, u32 code) { return Outcome::exception(emulate::page_fault, code, linear); }

    template <class T>
    static bool exchange(u8* place, std::span<const u8> expected, std::span<const u8> replacement) {
        T want, fresh;
        std::memcpy(&want, expected.data(), sizeof want);
        std::memcpy(&fresh, replacement.data(), sizeof fresh);
        return __atomic_compare_exchange_n(reinterpret_cast<T*>(place), &want, fresh, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }

    template <class Visit>
    Step<> each_page(u64 linear, usize size, u32 rights, Visit visit) {
        for (usize at = 0; at < size;) {
            const usize part = std::min(size - at, page_size - ((linear + at) & (page_size - 1)));
            const auto address = translate(vcpu_, linear + at, rights);
            if (!address) return Err{page_fault(linear + at, address.error().code)};
            TRY(visit(*address, at, part));
            at += part;
        }
        return {};
    }

    Step<> physical_read(Gpaddr address, std::span<u8> into) {
        if (copy_physical(vcpu_, address, into, CopyDirection::from_guest)) return {};
        std::memset(into.data(), 0xff, into.size());  // nothing there: the bus floats
        const auto* region = vcpu_.domain.arch.mmio.find_or_rest(address.raw);
        if (region == nullptr) return {};
        u64 value = region->handler->read(vcpu_, address.raw - region->start, static_cast<unsigned>(std::min<usize>(into.size(), 8)));
        std::memcpy(into.data(), &value, std::min<usize>(into.size(), 8));
        return {};
    }
    Step<> physical_write(Gpaddr address, std::span<const u8> from) {
        if (copy_physical(vcpu_, address, {const_cast<u8*>(from.data()), from.size()}, CopyDirection::to_guest)) return {};
        const auto* region = vcpu_.domain.arch.mmio.find_or_rest(address.raw);
        if (region == nullptr) return {};
        u64 value = 0;
        std::memcpy(&value, from.data(), std::min<usize>(from.size(), 8));
        region->handler->write(vcpu_, address.raw - region->start, static_cast<unsigned>(std::min<usize>(from.size(), 8)), value);
        return {};
    }

    Vcpu& vcpu_;
    u32 user_;
};

void take_over(Vcpu& vcpu, const emulate::Registers& from) {
    GuestRegisters& to = vcpu.arch.registers;
    for (unsigned i = 0; i < from.gpr.size(); ++i) to[i] = from.gpr[i];
    to.rip = from.rip;
    to.rflags = from.rflags;
}

/// MOV to a control register whose writes a back end intercepts. False: #GP.
bool run_control_move(Vcpu& vcpu, const emulate::Instruction& instruction, u64 value) {
    // With a LOCK prefix CR0 means CR8, which code of 32 bits can't name otherwise. [amd/apm3 MOV CRn]
    const unsigned number = instruction.reg == 0 && instruction.lock ? 8 : instruction.reg;
    return static_cast<bool>(write_control(vcpu, number, value));
}

void report_unhandled(Vcpu& vcpu, VcpuAccess& access, const emulate::Registers& registers) {
    u8 bytes[8] = {};
    (void)access.fetch(registers[emulate::Segment::cs].base + registers.rip, {bytes, sizeof bytes}).ok();
    guest_log(LogLevel::error, "dom{} vcpu{}: can't emulate {:02x} {:02x} {:02x} {:02x} {:02x} {:02x} {:02x} {:02x} at {:#x}",
              vcpu.domain.id, vcpu.id, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], registers.rip);
    vcpu.domain.crash("an instruction that can't be emulated");
}

}  // namespace

void emulate_instruction(Vcpu& vcpu) {
    emulate::Registers registers = registers_of(vcpu);
    VcpuAccess access(vcpu);
    const auto fetched = emulate::fetch_instruction(registers, access, backend()->fetched_bytes(vcpu));
    Outcome outcome = fetched.ok() ? Outcome{} : fetched.error();
    if (fetched.ok()) {
        const emulate::Instruction& instruction = *fetched;
        if (instruction.is(emulate::Map::map_0f, 0x22)) {
            if (!run_control_move(vcpu, instruction, registers.gpr[instruction.rm]))
                outcome = Outcome::exception(emulate::general_protection, 0);
            else registers.rip += instruction.length;
        } else {
            outcome = emulate::run(registers, instruction, access);
        }
    }
    switch (outcome.kind) {
    case Outcome::Kind::done:
    case Outcome::Kind::again: return take_over(vcpu, registers);
    case Outcome::Kind::retry: return;
    case Outcome::Kind::unhandled: return report_unhandled(vcpu, access, registers);
    case Outcome::Kind::fault: break;
    }
    take_over(vcpu, registers);
    const emulate::Fault& fault = outcome.fault;
    if (fault.vector == emulate::page_fault) inject_page_fault(vcpu, fault.cr2, fault.error_code);
    else if (fault.has_error_code) inject_exception(vcpu, fault.vector, fault.error_code);
    else inject_exception(vcpu, fault.vector);
}

unsigned instruction_length(Vcpu& vcpu) {
    const SegmentRegister code = backend()->segment(vcpu, Segment::cs);
    const bool wide = (code.attributes & SegmentRegister::long_mode) != 0 && (current_control(vcpu).efer & arch::efer::lma) != 0;
    const u64 linear = wide ? vcpu.arch.registers.rip : (code.base + vcpu.arch.registers.rip) & 0xffffffff;
    const auto mode = wide                                            ? emulate::Mode::bits64
                      : (code.attributes & SegmentRegister::big) != 0 ? emulate::Mode::bits32
                                                                      : emulate::Mode::bits16;
    u8 bytes[emulate::max_instruction_length];
    const usize first = std::min<usize>(sizeof bytes, page_size - (linear & (page_size - 1)));
    const u32 rights = fault_code::fetch | (backend()->privilege(vcpu) == 3 ? fault_code::user : 0);
    if (!copy_linear(vcpu, linear, {bytes, first}, CopyDirection::from_guest, rights)) return 0;
    auto decoded = emulate::decode({bytes, first}, mode);
    if (!decoded.ok() && decoded.error() == emulate::DecodeError::need_more_bytes && first < sizeof bytes) {
        if (!copy_linear(vcpu, linear + first, {bytes + first, sizeof bytes - first}, CopyDirection::from_guest, rights)) return 0;
        decoded = emulate::decode(bytes, mode);
    }
    return decoded.ok() ? decoded->length : 0;
}

}  // namespace px::hvm

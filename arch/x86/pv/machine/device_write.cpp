// Writes to read-only device memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/device_write.hpp"

#include <cstring>

#include "arch/x86/pv/machine/instruction.hpp"
#include "arch/x86/pv/update.hpp"

namespace px::pv {
namespace {

using emulate::Outcome;
using emulate::Step;

class DeviceAccess final : public InstructionAccess {
public:
    DeviceAccess(Vcpu& vcpu, Mfn mfn, u64 page) : InstructionAccess(vcpu), mfn_(mfn), page_(page) {}

    Step<> write(u64 linear, std::span<const u8> from) override {
        if (linear - linear % page_size != page_ || from.size() > sizeof(u64)) return Err{Outcome::unhandled()};
        const u64 machine = to_paddr(mfn_).raw + linear % page_size;
        const auto* const region = vcpu().domain.arch.mmio.find_or_rest(machine);
        if (region == nullptr) return {};
        u64 value = 0;
        std::memcpy(&value, from.data(), from.size());
        region->handler->write(vcpu(), machine - region->start, static_cast<unsigned>(from.size()), value);
        return {};
    }

private:
    Mfn mfn_;
    u64 page_;
};

/// Errors: einval where no such memory is mapped.
Result<Mfn> device_frame_at(VcpuMemory& memory, u64 address) {
    const FrameRef l1 = TRY(find_l1(memory, address));
    const Entry entry = TRY(LockedTable::lock(*l1)).entries().at(slot_of(address, Level::l1));
    REQUIRE(entry.present() && !has_frame(entry.mfn()) && machine::io_is_read_only(entry.mfn()), einval);
    return entry.mfn();
}

}  // namespace

bool write_device(Vcpu& vcpu, u64 address) {
    const auto mfn = device_frame_at(state_of(vcpu).memory, address);
    if (!mfn) return false;
    DeviceAccess access(vcpu, *mfn, address - address % page_size);
    return run_instruction(vcpu, access);
}

}  // namespace px::pv

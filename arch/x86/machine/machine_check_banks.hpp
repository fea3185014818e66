// The banks in which a CPU notes errors of its hardware. [intel/sdm3 15.3; amd/apm2 9.3]
//
// A template over the MSRs of the CPU that runs it, so that the unit tests have banks of their own. AMD's scalable banks answer at
// these addresses too, as far as they are 32 at most.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// What a bank holds.
struct HardwareError {
    unsigned bank;
    u64 status;   ///< MCi_STATUS
    u64 address;  ///< 0 where the bank names none
    u64 misc;     ///< the same

    static constexpr u64 valid = u64{1} << 63, overflow = u64{1} << 62, uncorrected = u64{1} << 61, misc_valid = u64{1} << 59,
                         address_valid = u64{1} << 58, context_corrupt = u64{1} << 57;

    bool is_uncorrected() const { return (status & uncorrected) != 0; }
    u16 code() const { return static_cast<u16>(status); }
    std::string_view severity() const {
        if (!is_uncorrected()) return "corrected";
        return (status & context_corrupt) != 0 ? "uncorrected, the processor's state is lost" : "uncorrected";
    }
    std::string_view others() const { return (status & overflow) != 0 ? ", others were lost" : ""; }
};

template <class Msrs>
class MachineCheckBanks {
public:
    static constexpr u32 global_capabilities = 0x179, global_status = 0x17a, global_control = 0x17b, first_bank = 0x400;
    static constexpr u64 restartable = 1u << 0, in_progress = 1u << 2;  ///< of the global status
    static constexpr unsigned most = 32;

    explicit MachineCheckBanks(Msrs msrs) : msrs_(msrs) {}

    unsigned count() const { return std::min(static_cast<unsigned>(msrs_.read(global_capabilities) & 0xff), most); }

    /// Every error of every bank is reported from now on. `skip_first`: the first bank's control belongs to the firmware.
    void turn_on(bool skip_first) {
        constexpr u64 has_control = 1u << 8;
        if ((msrs_.read(global_capabilities) & has_control) != 0) msrs_.write(global_control, ~u64{0});
        for (unsigned bank = skip_first ? 1 : 0; bank < count(); ++bank) msrs_.write(register_of(bank, control), ~u64{0});
    }

    /// Calls visit(HardwareError) for each bank that holds one.
    template <class Visitor>
    void for_each_error(Visitor visit) const {
        for (unsigned bank = 0; bank < count(); ++bank) {
            const u64 status = msrs_.read(register_of(bank, status_register));
            if ((status & HardwareError::valid) == 0) continue;
            const auto detail = [&](u64 flag, Part part) { return (status & flag) != 0 ? msrs_.read(register_of(bank, part)) : 0; };
            visit(HardwareError{bank, status, detail(HardwareError::address_valid, address), detail(HardwareError::misc_valid, misc)});
        }
    }

    void clear(unsigned bank) { msrs_.write(register_of(bank, status_register), 0); }

    u64 status() const { return msrs_.read(global_status); }
    /// The exception has been dealt with: another may come, which else resets the machine.
    void end_exception() { msrs_.write(global_status, 0); }

    /// Whether the interrupted program can't go on after an exception with these contents.
    bool is_fatal() const {
        bool fatal = (status() & restartable) == 0;
        for_each_error([&](const HardwareError& error) { fatal = fatal || error.is_uncorrected(); });
        return fatal;
    }

private:
    enum Part : u32 { control = 0, status_register = 1, address = 2, misc = 3 };
    static constexpr u32 register_of(unsigned bank, Part part) { return first_bank + 4 * bank + part; }

    Msrs msrs_;
};

}  // namespace px::arch

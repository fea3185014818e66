// A guest's own page tables, walked in software.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/guest_walk.hpp"

#include <algorithm>
#include <cstring>

#include "arch/guest_memory.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

constexpr u64 present = 1, writable = 2, user = 4, accessed = 32, dirty = 64, large = 128, no_execute = u64{1} << 63;
constexpr u64 address_bits = 0x000f'ffff'ffff'f000;

/// The shape of the guest's tables in its current mode.
struct Format {
    unsigned levels;
    unsigned index_bits;
    unsigned entry_bytes;
};

Format format_of(const ControlRegisters& control) {
    if ((control.cr4 & arch::cr4::pae) == 0) return {2, 10, 4};
    return (control.efer & arch::efer::lma) != 0 ? Format{4, 9, 8} : Format{3, 9, 8};
}

class Walk {
public:
    Walk(Vcpu& vcpu, u32 access) : vcpu_(vcpu), control_(current_control(vcpu)), limits_(vcpu.domain.arch.paging), access_(access) {}

    Result<Gpaddr, TranslationFault> run(u64 linear) {
        if ((control_.cr0 & arch::cr0::pg) == 0) return Gpaddr{linear & 0xffff'ffff};
        const Format format = format_of(control_);
        if (format.levels < 4) linear &= 0xffff'ffff;
        else if (static_cast<u64>(static_cast<i64>(linear << 16) >> 16) != linear) return fault(0);  // not canonical
        u64 table = control_.cr3 & (format.levels == 3 ? 0xffff'ffe0 : address_bits);
        u64 rights = user | writable;
        for (unsigned level = format.levels - 1;; --level) {
            const unsigned shift = page_shift + level * format.index_bits;
            const u64 index = linear >> shift & ((u64{1} << format.index_bits) - 1);
            const Gpaddr at{table + index * format.entry_bytes};
            const u64 entry = TRY(read_entry(at, format.entry_bytes));
            if ((entry & present) == 0) return fault(0);
            const bool pae_root = format.levels == 3 && level == 2;
            const bool leaf = level == 0 || (level < 3 && !pae_root && (entry & large) != 0 && large_pages_allowed(format));
            if ((entry & reserved_bits(format, level, leaf)) != 0) return fault(fault_code::present | fault_code::reserved);
            if (!pae_root) rights &= entry;
            if ((entry & no_execute) != 0 && format.entry_bytes == 8 && !pae_root) no_execute_ = true;
            if (leaf) {
                if (const auto allowed = check(rights); !allowed) return Err{allowed.error()};
                TRY(mark(at, entry, format.entry_bytes, true));
                const u64 low = (u64{1} << shift) - 1;
                return Gpaddr{(frame_address(entry, level, format) & ~low) | (linear & low)};
            }
            if (!pae_root) TRY(mark(at, entry, format.entry_bytes, false));
            table = entry & address_bits;
        }
    }

private:
    bool large_pages_allowed(const Format& format) const { return format.entry_bytes == 8 || (control_.cr4 & arch::cr4::pse) != 0; }
    static u64 frame_address(u64 entry, unsigned level, const Format& format) {
        if (format.entry_bytes == 8 || level == 0) return entry & address_bits;
        return (entry & 0xffc0'0000) | (entry >> 13 & 0xff) << 32;  // PSE-36
    }

    /// Bits that must be zero in an entry at `level` [intel/sdm3 4.3, 4.4, 4.5] [amd/apm2 5.3].
    u64 reserved_bits(const Format& format, unsigned level, bool leaf) const {
        constexpr u64 pse_reserved = u64{1} << 21, ignored_in_long_mode = u64{0x7ff} << 52, pae_root_low = 0x1e6;
        if (format.entry_bytes == 4) return leaf && level == 1 ? pse_reserved : 0;
        u64 bits = ~((u64{1} << limits_.physical_bits) - 1) & ~no_execute;
        if (format.levels == 3 && level == 2) return bits | no_execute | pae_root_low;
        if (format.levels == 4) bits &= ~ignored_in_long_mode;
        if ((control_.efer & arch::efer::nxe) == 0) bits |= no_execute;
        if (level == 3 || (level == 2 && !limits_.gigabyte_pages)) return bits | large;
        // Below the frame of a large page lies its PAT bit, and nothing.
        if (leaf && level > 0) bits |= ((u64{1} << (page_shift + level * format.index_bits)) - 1) & ~u64{0x1fff};
        return bits;
    }

    /// As the #PF error code says it: whether it was a fetch, only where that may matter [intel/sdm3 4.7].
    Err<TranslationFault> fault(u32 code) const {
        const bool tells_fetches =
            (control_.cr4 & arch::cr4::smep) != 0 || ((control_.cr4 & arch::cr4::pae) != 0 && (control_.efer & arch::efer::nxe) != 0);
        const u32 said = fault_code::write | fault_code::user | (tells_fetches ? fault_code::fetch : 0);
        return Err{TranslationFault{code | (access_ & said)}};
    }

    /// Supervisor mode on a user page.
    bool supervisor_may_use() const {
        constexpr u64 alignment_check = 1u << 18;
        if ((access_ & fault_code::fetch) != 0) return (control_.cr4 & arch::cr4::smep) == 0;
        if ((control_.cr4 & arch::cr4::smap) == 0) return true;
        return (access_ & fault_code::implicit) == 0 && (vcpu_.arch.registers.rflags & alignment_check) != 0;
    }

    Result<void, TranslationFault> check(u64 rights) const {
        const bool as_user = (access_ & fault_code::user) != 0;
        const bool write = (access_ & fault_code::write) != 0;
        const bool user_page = (rights & user) != 0;
        const bool allowed = (as_user ? user_page : !user_page || supervisor_may_use()) &&
                             (!write || (rights & writable) != 0 || (!as_user && (control_.cr0 & arch::cr0::wp) == 0)) &&
                             ((access_ & fault_code::fetch) == 0 || !no_execute_ || (control_.efer & arch::efer::nxe) == 0);
        if (!allowed) return fault(fault_code::present);
        return {};
    }

    Result<u64, TranslationFault> read_entry(Gpaddr at, unsigned bytes) {
        u64 entry = 0;
        const auto found = vcpu_.domain.physmap.with_page(to_gfn(at), false, [&](const u8* page) {
            const u8* const place = page + (at.raw & (page_size - 1));
            if (bytes == 8) entry = __atomic_load_n(reinterpret_cast<const u64*>(place), __ATOMIC_RELAXED);
            else entry = __atomic_load_n(reinterpret_cast<const u32*>(place), __ATOMIC_RELAXED);
        });
        if (!found) return fault(0);
        return entry;
    }

    /// Sets the accessed (and dirty) bit as the processor would, without losing a concurrent change of the entry.
    Result<void, TranslationFault> mark(Gpaddr at, u64 entry, unsigned bytes, bool leaf) {
        const u64 wanted = accessed | (leaf && (access_ & fault_code::write) != 0 ? dirty : 0);
        if ((entry & wanted) == wanted) return {};
        auto frame = vcpu_.domain.physmap.get_frame(to_gfn(at), true);
        if (!frame) return {};
        void* const place = static_cast<char*>(frame->data()) + (at.raw & (page_size - 1));
        if (bytes == 8) __atomic_fetch_or(static_cast<u64*>(place), wanted, __ATOMIC_RELAXED);
        else __atomic_fetch_or(static_cast<u32*>(place), static_cast<u32>(wanted), __ATOMIC_RELAXED);
        return {};
    }

    Vcpu& vcpu_;
    const ControlRegisters& control_;
    const PagingLimits& limits_;
    u32 access_;
    bool no_execute_ = false;
};

}  // namespace

Result<Gpaddr, TranslationFault> translate(Vcpu& vcpu, u64 linear, u32 access) { return Walk(vcpu, access).run(linear); }

Result<> copy_physical(Vcpu& vcpu, Gpaddr address, std::span<u8> buffer, CopyDirection direction) {
    constexpr usize few_bytes = 256;  // to copy with the physmap locked
    while (!buffer.empty()) {
        const usize offset = address.raw & (page_size - 1);
        const usize part = std::min(buffer.size(), page_size - offset);
        const bool write = direction == CopyDirection::to_guest;
        const auto copy = [&](u8* page) {
            if (write) std::memcpy(page + offset, buffer.data(), part);
            else std::memcpy(buffer.data(), page + offset, part);
        };
        if (part <= few_bytes) {
            TRY(vcpu.domain.physmap.with_page(to_gfn(address), write, copy));
        } else {
            const FrameRef frame = TRY(vcpu.domain.physmap.get_frame(to_gfn(address), write));
            copy(static_cast<u8*>(frame.data()));
        }
        buffer = buffer.subspan(part);
        address += part;
    }
    return {};
}

Result<void, CopyFault> copy_linear(Vcpu& vcpu, u64 linear, std::span<u8> buffer, CopyDirection direction, u32 access) {
    while (!buffer.empty()) {
        const usize part = std::min(buffer.size(), page_size - (linear & (page_size - 1)));
        const auto address = translate(vcpu, linear, access);
        if (!address) return Err{CopyFault{linear, address.error().code, false}};
        if (!copy_physical(vcpu, *address, buffer.first(part), direction)) return Err{CopyFault{linear, 0, true, *address}};
        buffer = buffer.subspan(part);
        linear += part;
    }
    return {};
}

}  // namespace px::hvm

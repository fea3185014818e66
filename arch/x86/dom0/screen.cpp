// The screen that a PV hardware domain inherits.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/screen.hpp"

#include <cstring>

#include "arch/memory.hpp"
#include "arch/x86/machine/efi_runtime.hpp"

namespace px::dom0 {
namespace {

/// The BIOS data area lies in frame 0, which nobody uses as memory. [ibm pc/at technical reference, BIOS data areas]
template <class T>
T bios_data(u64 address) {
    T value;
    std::memcpy(&value, arch::to_virtual(Paddr{address}), sizeof value);
    return value;
}

constexpr u64 video_mode = 0x449, columns = 0x44a, cursor = 0x450, last_row = 0x484, font_height = 0x485;

}  // namespace

std::optional<abi::Dom0VgaConsoleInfo> inherited_screen() {
    constexpr u8 text_mode = static_cast<u8>(abi::VgaType::text_mode_3);
    if (arch::efi_firmware() != nullptr || !arch::is_ram(Mfn{0}) || bios_data<u8>(video_mode) != text_mode) return std::nullopt;
    const u16 position = bios_data<u16>(cursor);
    abi::Dom0VgaConsoleInfo info{};
    info.video_type = text_mode;
    info.u.text_mode_3 = {.font_height = bios_data<u8>(font_height),
                          .cursor_x = static_cast<u16>(position & 0xff),
                          .cursor_y = static_cast<u16>(position >> 8),
                          .rows = static_cast<u16>(bios_data<u8>(last_row) + 1),
                          .columns = bios_data<u16>(columns)};
    return info;
}

}  // namespace px::dom0

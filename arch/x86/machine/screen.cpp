// The machine's screen.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/screen.hpp"

#include <optional>
#include <utility>

#include "arch/memory.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/efi_runtime.hpp"
#include "drivers/framebuffer.hpp"
#include "drivers/vga_text.hpp"
#include "hypervisor/console/console.hpp"

namespace px::arch {
namespace {

using boot::Screen;
using cmdline::VgaOption;

constexpr u64 early_reach = u64{4} << 30;  ///< what boot's page tables map

template <class Text>
class ScreenDevice final : public ConsoleDevice {
public:
    template <class... Arguments>
    explicit ScreenDevice(const Arguments&... arguments) : text_(arguments...) {}
    void write(std::string_view text) override {
        if (shown) text_.write(text);
    }
    void write_emergency(std::string_view text) override {
        if (!std::exchange(shown, true)) text_.restart();  // over what its owner shows
        text_.write(text);
    }
    bool shown = true;

private:
    Text text_;
};

constinit Screen screen;
constinit bool keeps = false;
constinit bool waits_for_mapping = false;
std::optional<ScreenDevice<VgaText>> vga;
std::optional<ScreenDevice<FramebufferText>> framebuffer;

constexpr u64 text_size = VgaCells::columns * VgaCells::rows * sizeof(u16);

/// Nothing is painted into RAM, whatever is said of the screen.
bool overlaps_ram(u64 start, u64 size, const boot::BootInfo& info) {
    for (const boot::MemoryRegion& region : info.memory) {
        if (region.start < start + size && region.end > start && region.kind == boot::MemoryKind::usable) return true;
    }
    return false;
}

/// The boot loader's description, for as long as it can be believed.
Screen believable(const boot::BootInfo& info) {
    constexpr Screen none{Screen::Kind::none, {}};
    const Framebuffer& described = info.screen.framebuffer;
    switch (info.screen.kind) {
    case Screen::Kind::none: return none;
    case Screen::Kind::unknown:
    case Screen::Kind::text: return overlaps_ram(VgaCells::address, text_size, info) ? none : Screen{Screen::Kind::text, {}};
    case Screen::Kind::framebuffer: break;
    }
    const bool fits = check(described).ok() && described.address + described.size() <= direct_map_size;
    if (fits && !overlaps_ram(described.address, described.size(), info)) return info.screen;
    log_warning("vga: a framebuffer of {}x{}x{} at {:#x} can't be used", described.width, described.height, described.bits,
                described.address);
    return none;
}

bool is_as_wanted(const VgaOption& wanted) {
    const Framebuffer& mode = screen.framebuffer;
    switch (wanted.kind) {
    case VgaOption::Kind::current: return true;
    case VgaOption::Kind::text: return screen.kind == Screen::Kind::text && wanted.rows == VgaCells::rows;
    case VgaOption::Kind::graphics:
        return screen.kind == Screen::Kind::framebuffer && wanted.width == mode.width && wanted.height == mode.height &&
               (wanted.depth == 0 || wanted.depth == mode.bits);
    default: return false;
    }
}

void report(const VgaOption& wanted) {
    const Framebuffer& mode = screen.framebuffer;
    switch (screen.kind) {
    case Screen::Kind::text: log_info("vga: text mode, {}x{}", VgaCells::columns, VgaCells::rows); break;
    case Screen::Kind::framebuffer:
        log_info("vga: graphics mode {}x{}, {} bits per pixel, at {:#x}", mode.width, mode.height, mode.bits, mode.address);
        break;
    default: log_info("vga: this machine has no screen that can be used"); break;
    }
    if (!is_as_wanted(wanted)) {
        log_warning(
            "vga=: the screen stays in the mode that it is in: only the boot loader can change it (gfxpayload of GRUB, video= of xen.cfg)");
    }
}

/// The hardware's cursor would stand somewhere else than ours.
void hide_cursor() {
    constexpr u16 crtc_index = 0x3d4, crtc_data = 0x3d5;
    constexpr u8 cursor_start = 0x0a, off = 0x20;
    out8(crtc_index, cursor_start);
    out8(crtc_data, in8(crtc_data) | off);
}

volatile u8* pixels() { return static_cast<volatile u8*>(to_virtual(Paddr{screen.framebuffer.address})); }

void make_device() {
    if (screen.kind == Screen::Kind::framebuffer) {
        const FramebufferCells cells(pixels(), screen.framebuffer);
        framebuffer.emplace(cells, cells.columns(), cells.rows());
        console_add_device(*framebuffer);
    } else {
        constexpr usize count = VgaCells::columns * VgaCells::rows;
        auto* const cells = static_cast<volatile u16*>(to_virtual(Paddr{VgaCells::address}));
        vga.emplace(VgaCells(std::span<volatile u16, count>(cells, count)), VgaCells::columns, VgaCells::rows);
        hide_cursor();
        console_add_device(*vga);
    }
}

}  // namespace

void open_screen(const boot::BootInfo& info, const VgaOption& wanted, bool as_console) {
    screen = believable(info);
    keeps = wanted.keep;
    const bool usable = screen.kind == Screen::Kind::text || screen.kind == Screen::Kind::framebuffer;
    waits_for_mapping = as_console && usable && screen.framebuffer.address + screen.framebuffer.size() > early_reach;
    if (as_console && usable && !waits_for_mapping) make_device();
    report(wanted);
}

ScreenMemory screen_memory() {
    if (!vga && !framebuffer && !waits_for_mapping) return {};
    const bool graphics = screen.kind == Screen::Kind::framebuffer;
    const u64 start = graphics ? screen.framebuffer.address : VgaCells::address;
    const u64 size = graphics ? screen.framebuffer.size() : text_size;
    const u64 first = align_down<u64>(start, page_size);
    return {first, align_up<u64>(start + size, page_size) - first};
}

void screen_is_mapped() {
    if (waits_for_mapping) make_device();
    waits_for_mapping = false;
}

void give_screen_to_owner() {
    if (!vga && !framebuffer) return;
    log_info("vga: {}", keeps ? "goes on showing this (vga=keep)" : "is dom0's from now on");
    if (vga) vga->shown = keeps;
    if (framebuffer) framebuffer->shown = keeps;
}

Result<abi::Dom0VgaConsoleInfo> screen_of_owner() {
    abi::Dom0VgaConsoleInfo told{};
    if (screen.kind == Screen::Kind::text) {
        constexpr u16 font_height = 16;
        told.video_type = static_cast<u8>(abi::VgaType::text_mode_3);
        told.u.text_mode_3 = {font_height, 0, VgaCells::rows - 1, VgaCells::rows, VgaCells::columns};
        return told;
    }
    REQUIRE(screen.kind == Screen::Kind::framebuffer, enodata);
    constexpr unsigned size_unit = 65536;
    const Framebuffer& mode = screen.framebuffer;
    REQUIRE(mode.pitch <= 0xffff, enodata);
    told.video_type = static_cast<u8>(efi_firmware() != nullptr ? abi::VgaType::efi_lfb : abi::VgaType::vesa_lfb);
    auto& lfb = told.u.vesa_lfb;
    lfb.width = static_cast<u16>(mode.width), lfb.height = static_cast<u16>(mode.height);
    lfb.bytes_per_line = static_cast<u16>(mode.pitch), lfb.bits_per_pixel = mode.bits;
    lfb.lfb_base = static_cast<u32>(mode.address), lfb.ext_lfb_base = static_cast<u32>(mode.address >> 32);
    lfb.lfb_size = static_cast<u32>(align_up<u64>(mode.size(), size_unit) / size_unit);
    lfb.red_pos = mode.red.position, lfb.red_size = mode.red.size;
    lfb.green_pos = mode.green.position, lfb.green_size = mode.green.size;
    lfb.blue_pos = mode.blue.position, lfb.blue_size = mode.blue.size;
    return told;
}

}  // namespace px::arch

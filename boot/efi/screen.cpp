// The Graphics Output Protocol. [uefi 12.9]
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/screen.hpp"

#include <bit>

#include "hypervisor/base/number_text.hpp"

namespace px::efi {
namespace {

GraphicsOutput* graphics(const Firmware& firmware) {
    void* found = nullptr;
    if (failed(firmware.boot().locate_protocol(&graphics_output_guid, nullptr, &found))) return nullptr;
    auto* const output = static_cast<GraphicsOutput*>(found);
    return output->state != nullptr && output->state->info != nullptr ? output : nullptr;
}

ColourField field_of(u32 mask) {
    if (mask == 0) return {};
    return {static_cast<u8>(std::countr_zero(mask)), static_cast<u8>(std::popcount(mask))};
}

/// Without its address; bits 0 where the pixels can't be reached.
Framebuffer describe_mode(const GraphicsMode& mode) {
    Framebuffer screen;
    screen.width = mode.width, screen.height = mode.height;
    switch (mode.format) {
    case PixelFormat::rgb: screen.bits = 32, screen.red = {0, 8}, screen.green = {8, 8}, screen.blue = {16, 8}; break;
    case PixelFormat::bgr: screen.bits = 32, screen.red = {16, 8}, screen.green = {8, 8}, screen.blue = {0, 8}; break;
    case PixelFormat::masks: {
        const u32 all = mode.red_mask | mode.green_mask | mode.blue_mask | mode.reserved_mask;
        screen.bits = static_cast<u8>(32 - std::countl_zero(all));
        screen.red = field_of(mode.red_mask), screen.green = field_of(mode.green_mask), screen.blue = field_of(mode.blue_mask);
        break;
    }
    default: return screen;
    }
    screen.pitch = mode.pixels_per_line * screen.pixel_bytes();
    return screen;
}

bool is_as_wanted(const GraphicsMode& mode, const VideoMode& wanted) {
    const Framebuffer screen = describe_mode(mode);
    return screen.bits != 0 && (wanted.width == 0 || wanted.width == mode.width) && (wanted.height == 0 || wanted.height == mode.height) &&
           (wanted.depth == 0 || wanted.depth == screen.bits);
}

}  // namespace

std::optional<VideoMode> parse_video(std::string_view text) {
    constexpr std::string_view prefix = "gfx-";
    constexpr u64 most = 65535;
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    u32 numbers[3] = {};
    for (u32& number : numbers) {
        const auto value = take_unsigned(text);
        if (!value || *value == 0 || *value > most) return std::nullopt;
        number = static_cast<u32>(*value);
        if (text.empty()) return VideoMode{numbers[0], numbers[1], numbers[2]};
        if (text.front() != 'x') return std::nullopt;
        text.remove_prefix(1);
    }
    return std::nullopt;
}

void choose_mode(const Firmware& firmware, const VideoMode& wanted) {
    GraphicsOutput* const output = graphics(firmware);
    if (output == nullptr) return firmware.say("Philoxen: video=: the firmware has no screen");
    if (is_as_wanted(*output->state->info, wanted)) return;
    for (u32 mode = 0; mode < output->state->modes; ++mode) {
        u64 size = 0;
        GraphicsMode* info = nullptr;
        if (failed(output->query_mode(output, mode, &size, &info))) continue;
        const bool right = size >= sizeof *info && is_as_wanted(*info, wanted);
        (void)firmware.boot().free_pool(info);
        if (!right) continue;
        if (const Status status = output->set_mode(output, mode); failed(status)) {
            firmware.say("Philoxen: video=: the firmware can't set mode {}: {}", mode, describe(status));
        }
        return;
    }
    firmware.say("Philoxen: video=: none of the screen's {} modes is {}x{}x{} (0: any); it stays at {}x{}", output->state->modes,
                 wanted.width, wanted.height, wanted.depth, output->state->info->width, output->state->info->height);
}

void note_screen(const Firmware& firmware, boot::EfiHandover& out) {
    out.screen = {};
    const GraphicsOutput* const output = graphics(firmware);
    if (output == nullptr) return;
    Framebuffer screen = describe_mode(*output->state->info);
    if (screen.bits == 0) return;
    screen.address = output->state->framebuffer;
    out.screen = screen;
}

}  // namespace px::efi

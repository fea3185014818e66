// Fuzzes what xen.efi reads: configuration, arguments, names, sections of the image, the firmware's memory map. The first byte chooses.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>
#include <memory>

#include "boot/efi/arguments.hpp"
#include "boot/efi/config.hpp"
#include "boot/efi/sections.hpp"
#include "boot/entry/efi.hpp"

namespace {

using namespace px;

void must(bool condition) {
    if (!condition) std::abort();
}

void fuzz_config(std::string_view text) {
    const auto config = efi::Config::parse(text);
    if (!config.ok()) return;
    const std::string_view section = config->text("global", "default");
    if (const auto kernel = config->value(section, "kernel")) {
        must(section.empty() || config->has_section(section));
        std::string_view arguments = *kernel;
        const std::string_view name = efi::take_word(arguments);
        must(name.size() + arguments.size() <= kernel->size());
    }
}

void fuzz_names(std::string_view image) {
    efi::ConfigNames names(image);
    unsigned count = 0;
    while (const auto name = names.next()) {
        must(name->ends_with(".cfg") && name->size() <= efi::ConfigNames::longest + 4);
        must(++count < efi::ConfigNames::longest + 2);
    }
    must(count > 0);
}

void fuzz_arguments(std::span<const u8> bytes) {
    char text[256];
    const auto line = efi::options_text(bytes, text);
    must(line.size() <= sizeof text);
    (void)efi::parse_arguments(line, "xen.efi").ok();
}

void fuzz_memory_map(std::span<const u8> bytes) {
    auto handover = std::make_unique<boot::EfiHandover>();
    handover->descriptor_size = bytes.empty() ? 0 : bytes[0];
    handover->map_size = bytes.size();
    std::memcpy(handover->map, bytes.data(), std::min(bytes.size(), sizeof handover->map));
    boot::BootInfo info;
    if (!boot::parse_efi_memory(*handover, info)) return;
    for (const auto& region : info.memory) must(region.start < region.end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, usize size) {
    if (size == 0) return 0;
    const std::span<const u8> rest{data + 1, size - 1};
    const std::string_view text{reinterpret_cast<const char*>(rest.data()), rest.size()};
    switch (data[0] % 5) {
    case 0: fuzz_config(text); break;
    case 1: fuzz_names(text); break;
    case 2: fuzz_arguments(rest); break;
    case 3: (void)efi::image_section(rest, ".config"); break;
    case 4: fuzz_memory_map(rest); break;
    }
    return 0;
}

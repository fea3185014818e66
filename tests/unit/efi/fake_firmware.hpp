// EFI firmware as the loader sees it: a console whose text is kept, memory, one volume, variables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "boot/efi/firmware.hpp"

namespace px::efi {

/// One at a time: the firmware's functions find it by `current`.
class FakeFirmware {
public:
    FakeFirmware() {
        current = this;
        output.output = [](TextOutput*, const char16_t* text) -> Status {
            for (; *text != 0; ++text) current->said += *text == '\r' ? "" : std::string(1, static_cast<char>(*text));
            return success;
        };
        boot.allocate_pages = [](Allocate, MemoryType, u64 pages, u64* address) -> Status {
            if (current->pages_left < pages) return out_of_resources;
            current->pages_left -= pages;
            *address = reinterpret_cast<u64>(std::aligned_alloc(4096, pages * 4096));
            current->allocations[*address] = pages;
            return success;
        };
        boot.free_pages = [](u64 address, u64 pages) -> Status {
            if (current->allocations[address] != pages) return invalid_parameter;
            current->allocations.erase(address);
            std::free(reinterpret_cast<void*>(address));
            return success;
        };
        boot.get_memory_map = [](u64* size, void* map, u64* key, u64* descriptor_size, u32*) -> Status {
            if (*size < current->map_size) return buffer_too_small;
            std::memset(map, 0, current->map_size);
            *size = current->map_size;
            *descriptor_size = 48;
            *key = ++current->map_key;
            return success;
        };
        boot.exit_boot_services = [](Handle, u64 key) -> Status {
            if (current->map_changes > 0 && current->map_changes-- > 0) return invalid_parameter;
            return key == current->map_key ? success : invalid_parameter;
        };
        boot.handle_protocol = [](Handle handle, const Guid* guid, void** interface) -> Status {
            if (handle == &current->image && *guid == loaded_image_guid) *interface = &current->image;
            else if (handle == &current->volume && *guid == file_system_guid) *interface = &current->volume;
            else if (handle == &current->offered && *guid == load_file2_guid) *interface = &current->offered;
            else return unsupported;
            return success;
        };
        boot.locate_device_path = [](const Guid* guid, const DevicePath**, Handle* handle) -> Status {
            if (*guid == file_system_guid) {
                *handle = &current->volume;
                return current->path_names_volume ? success : not_found;
            }
            *handle = &current->offered;
            return current->offered_initrd.empty() ? not_found : success;
        };
        boot.locate_protocol = [](const Guid* guid, void*, void** interface) -> Status {
            if (*guid == graphics_output_guid && !current->modes.empty()) *interface = &current->graphics;
            else if (*guid == shim_lock_guid && current->has_shim) *interface = &current->shim;
            else return not_found;
            return success;
        };
        boot.free_pool = [](void* memory) -> Status {
            delete static_cast<GraphicsMode*>(memory);
            return success;
        };
        graphics.query_mode = [](GraphicsOutput*, u32 mode, u64* size, GraphicsMode** info) -> Status {
            if (mode >= current->modes.size()) return invalid_parameter;
            *size = sizeof(GraphicsMode);
            *info = new GraphicsMode(current->modes[mode]);
            return success;
        };
        graphics.set_mode = [](GraphicsOutput*, u32 mode) -> Status {
            if (current->refuses_modes) return device_error;
            current->show_mode(mode);
            return success;
        };
        graphics.state = &graphics_state;
        shim.verify = [](const void* buffer, u32 size) -> Status {
            return std::string(static_cast<const char*>(buffer), size) == current->signed_content ? success : security_violation;
        };
        boot.load_image = [](bool, Handle, const DevicePath*, const void* source, u64 size, Handle* loaded) -> Status {
            *loaded = nullptr;
            return std::string(static_cast<const char*>(source), size) == current->signed_content ? success : access_denied;
        };
        boot.set_watchdog = [](u64, u64, u64, const char16_t*) -> Status { return success; };
        runtime.get_variable = [](const char16_t* name, const Guid*, u32*, u64* size, void* value) -> Status {
            *size = 1;
            *static_cast<u8*>(value) = std::u16string(name) == u"SecureBoot" && current->is_secure;
            return success;
        };
        volume.open_volume = [](FileSystem*, File** root) -> Status {
            *root = &current->root.file;
            return success;
        };
        offered.load = [](LoadFile2*, const DevicePath*, bool, u64* size, void* buffer) -> Status {
            const auto& content = current->offered_initrd;
            const u64 room = std::exchange(*size, content.size());
            if (buffer == nullptr || room < content.size()) return buffer_too_small;
            std::memcpy(buffer, content.data(), content.size());
            return success;
        };
        root.file = methods();
        image.device = &volume;
        system.output = &output;
        system.boot = &boot;
        system.runtime = &runtime;
        system.vendor = u"Fake";
        set_path(u"\\EFI\\xen\\xen-4.17.efi");
    }
    ~FakeFirmware() {
        for (const auto& [address, pages] : allocations) std::free(reinterpret_cast<void*>(address));
    }
    FakeFirmware(const FakeFirmware&) = delete;

    void set_path(const std::u16string& text) {
        path.assign({4, 4, static_cast<u8>(4 + 2 * text.size() + 2), 0});
        for (const char16_t c : text + u'\0') path.insert(path.end(), {static_cast<u8>(c), static_cast<u8>(c >> 8)});
        path.insert(path.end(), {0x7f, 0xff, 4, 0});
        image.file_path = reinterpret_cast<const DevicePath*>(path.data());
    }
    void set_options(const std::u16string& text) {
        options = text;
        image.options = options.c_str();
        image.options_size = static_cast<u32>(2 * options.size() + 2);
    }
    void show_mode(u32 mode) {
        graphics_state = {static_cast<u32>(modes.size()), mode, &modes[mode], sizeof(GraphicsMode), 0x8000'0000, 0x100'0000};
    }
    /// The first is set.
    void set_modes(std::vector<GraphicsMode> all) {
        modes = std::move(all);
        show_mode(0);
    }
    Firmware firmware() { return {&image, system}; }

    static inline FakeFirmware* current = nullptr;
    std::string said;
    std::map<std::string, std::string> files;  ///< by path with backslashes
    std::string offered_initrd, signed_content;
    bool is_secure = false, path_names_volume = false;
    u64 pages_left = 10000, map_size = 480, map_key = 0;
    unsigned map_changes = 0;  ///< so many calls of ExitBootServices find their map changed
    usize bytes_at_once = 5;   ///< of a file
    std::map<u64, u64> allocations;
    LoadedImage image{};
    SystemTable system{};
    std::vector<GraphicsMode> modes;
    GraphicsState graphics_state{};
    bool refuses_modes = false, has_shim = false;

private:
    struct OpenFile {
        File file{};
        std::string content;
        usize position = 0;
    };
    static File methods() {
        File file{};
        file.open = [](File*, File** opened, const char16_t* name, u64, u64) -> Status {
            std::string path;
            for (; *name != 0; ++name) path += static_cast<char>(*name);
            const auto found = current->files.find(path);
            if (found == current->files.end()) return not_found;
            auto* const made = new OpenFile{methods(), found->second, 0};
            *opened = &made->file;
            return success;
        };
        file.close = [](File* self) -> Status {
            delete reinterpret_cast<OpenFile*>(self);
            return success;
        };
        file.read = [](File* self, u64* size, void* buffer) -> Status {
            auto& open = *reinterpret_cast<OpenFile*>(self);
            if (open.content.starts_with("(unreadable)")) return device_error;
            const usize count = std::min({static_cast<usize>(*size), current->bytes_at_once, open.content.size() - open.position});
            std::memcpy(buffer, open.content.data() + open.position, count);
            open.position += count;
            *size = count;
            return success;
        };
        file.get_info = [](File* self, const Guid*, u64* size, void* buffer) -> Status {
            const auto& open = *reinterpret_cast<OpenFile*>(self);
            FileInfo info{};
            info.file_size = open.content.size();
            if (open.content == "(huge)") info.file_size = u64{1} << 40;
            if (open.content == "(directory)") info.attributes = file_is_directory;
            if (open.content == "(shrinks)") info.file_size += 10;
            std::memcpy(buffer, &info, sizeof info);
            *size = sizeof info;
            return success;
        };
        return file;
    }

    BootServices boot{};
    RuntimeServices runtime{};
    TextOutput output{};
    FileSystem volume{};
    LoadFile2 offered{};
    GraphicsOutput graphics{};
    ShimLock shim{};
    OpenFile root;
    std::vector<u8> path;
    std::u16string options;
};

}  // namespace px::efi

// The firmware as the loader sees it: its screen, its memory, files of the volume that the image came from.
//
// Everything here runs before paging is ours, at the address where the image was put: no code of this folder may use a
// table of pointers (virtual functions, arrays of strings); scripts/check_position.sh proves that.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "boot/efi/api.hpp"
#include "hypervisor/base/format.hpp"
#include "hypervisor/base/result.hpp"

namespace px::efi {

class Firmware {
public:
    Firmware(Handle image, SystemTable& system) : image_(image), system_(system) {}

    Handle image() const { return image_; }
    SystemTable& system() const { return system_; }
    BootServices& boot() const { return *system_.boot; }

    void print(std::string_view text) const;
    template <class... Args>
    void say(std::string_view format, const Args&... args) const {
        const FormatArg arguments[sizeof...(Args) + 1] = {FormatArg(args)..., FormatArg(0u)};
        char line[1024];
        print({line, vformat(line, format, std::span(arguments, sizeof...(Args)))});
        print("\n");
    }
    /// Says the sentence; the error to return: the sentence is all that anybody learns.
    template <class... Args>
    Err<Errno> fail(std::string_view format, const Args&... args) const {
        print("Philoxen: ");
        say(format, args...);
        return {Errno::eio};
    }
    /// Returns when a key was pressed, at the latest after `seconds`.
    void wait_for_key(unsigned seconds) const;

    /// Pages of loader data, zeroed by nobody. Errors: enomem.
    Result<std::span<u8>> allocate(u64 bytes) const;
    void free(std::span<const u8> memory) const;

    /// The table with this GUID of the firmware's list, 0 where there is none.
    u64 configuration_table(const Guid& guid) const;
    bool secure_boot() const;

private:
    Handle image_;
    SystemTable& system_;
};

/// "not found", "no media", …; for a number that has no words here, "error".
std::string_view describe(Status status);

/// Where files are read from: the directory of the loaded image on its own volume, or that volume's root.
class Directory {
public:
    static constexpr usize longest_path = 512;
    /// Errors, said nowhere: enodev (the image came from no volume with files, but a network or memory), eio.
    static Result<Directory> of_image(const Firmware& firmware, const LoadedImage& image);

    /// The image's own file name in ASCII, other characters as '?'.
    std::string_view image_name() const { return {image_name_, image_name_length_}; }
    /// The directory's path in ASCII.
    std::string_view name() const { return {name_, name_length_}; }

    enum class Missing : u8 { is_error, is_fine };
    /// The whole file `name` (relative to the directory, or to the root with a leading slash; either slash), for
    /// `purpose` ("kernel"). Empty only with Missing::is_fine. Errors are said: not there, empty, larger than `limit`, unreadable.
    Result<std::span<u8>> read(std::string_view purpose, std::string_view name, u64 limit, Missing missing = Missing::is_error) const;

private:
    explicit Directory(const Firmware& firmware) : firmware_(&firmware) {}
    Result<> add_path(const DevicePath* node);
    Result<> append(char16_t c);
    void split();
    Result<std::span<u8>> read_opened(File& file, std::string_view purpose, std::string_view name, u64 limit) const;

    const Firmware* firmware_;
    File* root_ = nullptr;
    char16_t path_[longest_path] = {};  ///< of the image; after split() of its directory, without a slash at its end
    usize path_length_ = 0;
    char image_name_[128] = {};
    usize image_name_length_ = 0;
    char name_[longest_path] = {};
    usize name_length_ = 0;
};

/// The initrd that a boot loader offers by the LoadFile2 protocol, empty where none is. Errors are said.
Result<std::span<u8>> read_offered_initrd(const Firmware& firmware, u64 limit);

}  // namespace px::efi

// Reading bzImages and plain compressed kernels.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/payload.hpp"

#include <algorithm>

#include "boot/loader/bytes.hpp"

namespace px::loader {
namespace {

using Bytes = std::span<const u8>;

/// Offsets of the setup header's fields in a bzImage [linux boot.rst].
namespace setup {
constexpr u64 sectors = 0x1f1;         // u8: sectors of real-mode code behind the first one; 0 means 4
constexpr u64 paragraphs = 0x1f4;      // u32: 16-byte units of the 32-bit code that follows
constexpr u64 magic = 0x202;           // "HdrS"
constexpr u64 protocol = 0x206;        // u16
constexpr u64 kernel_version = 0x20e;  // u16: of a string, less 0x200
constexpr u64 payload_offset = 0x248;  // u32: from the end of the real-mode code
constexpr u64 payload_length = 0x24c;  // u32
constexpr u64 sector_size = 512;
constexpr u32 magic_value = 0x53726448;
constexpr u16 protocol_with_payload = 0x208;
}  // namespace setup

/// All compressors but gzip, which does it anyway, have the unpacked size appended as 32 bits by Linux's
/// build.
constexpr usize size_trailer = 4;

Loaded<usize> checked_size(u32 size) {
    if (size > max_unpacked_size) return Err{LoadError::unpacked_size_absurd};
    return usize{size};
}

bool is_bzimage(Bytes file) {
    const auto magic = read_at<u32>(file, setup::magic, LoadError::not_a_kernel);
    return magic.ok() && magic.value() == setup::magic_value;
}

std::string_view version_of(Bytes file) {
    const u16 offset = read_at<u16>(file, setup::kernel_version, LoadError::bzimage_truncated).value_or(0);
    if (offset == 0 || offset + 0x200u >= file.size()) return {};
    const auto text = file.subspan(offset + 0x200u).first(std::min<usize>(file.size() - offset - 0x200u, 256));
    const auto end = std::find(text.begin(), text.end(), u8{0});
    return {reinterpret_cast<const char*>(text.data()), static_cast<usize>(end - text.begin())};
}

Loaded<Payload> payload_of_bzimage(Bytes file) {
    constexpr auto truncated = LoadError::bzimage_truncated;
    const auto protocol = TRY(read_at<u16>(file, setup::protocol, truncated));
    if (protocol < setup::protocol_with_payload) return Err{LoadError::bzimage_too_old};
    const auto sectors = TRY(read_at<u8>(file, setup::sectors, truncated));
    const auto offset = TRY(read_at<u32>(file, setup::payload_offset, truncated));
    const auto length = TRY(read_at<u32>(file, setup::payload_length, truncated));

    const u64 start = ((sectors ? sectors : 4) + 1) * setup::sector_size + offset;
    const auto payload = TRY(slice(file, start, length, LoadError::payload_outside_file));
    const auto format = detect_format(payload);
    if (!format.ok()) {
        const bool unknown = format.error() == LoadError::not_a_kernel;
        return Err{unknown ? LoadError::payload_of_unknown_format : format.error()};
    }
    if (payload.size() < size_trailer) return Err{LoadError::compressed_truncated};
    const auto size = TRY(read_at<u32>(payload, payload.size() - size_trailer, LoadError::compressed_truncated));
    const auto packed = format.value() == Format::gzip ? payload : payload.first(payload.size() - size_trailer);
    return Payload{format.value(), packed, TRY(checked_size(size)), version_of(file)};
}

/// Where the certificate table of a PE file lies: offset and size; 0 where there is none. [microsoft pe, optional header]
struct Certificates {
    u32 offset, size;
};
Loaded<Certificates> certificates_of(Bytes file) {
    constexpr auto none = LoadError::not_a_kernel;
    constexpr u32 signature = 0x4550;
    constexpr u16 pe32_plus = 0x20b;
    const u64 header = TRY(read_at<u32>(file, 0x3c, none));
    if (TRY(read_at<u32>(file, header, none)) != signature) return Err{none};
    const u64 optional = header + 24;
    if (TRY(read_at<u16>(file, optional, none)) != pe32_plus || TRY(read_at<u32>(file, optional + 108, none)) <= 4) return Err{none};
    return Certificates{TRY(read_at<u32>(file, optional + 144, none)), TRY(read_at<u32>(file, optional + 148, none))};
}

}  // namespace

std::optional<usize> end_of_bzimage(Bytes file) {
    if (!is_bzimage(file)) return std::nullopt;
    const u64 sectors = file[setup::sectors];
    const u64 code = read_at<u32>(file, setup::paragraphs, LoadError::bzimage_truncated).value_or(0);
    u64 end = ((sectors != 0 ? sectors : 4) + 1) * setup::sector_size + code * 16;
    const auto certificates = certificates_of(file);
    if (certificates.ok() && certificates->offset != 0) end = std::max(end, u64{certificates->offset} + certificates->size);
    return end <= file.size() ? std::optional<usize>(end) : std::nullopt;
}

Loaded<Payload> find_payload(Bytes file) {
    if (is_bzimage(file)) return payload_of_bzimage(file);
    Payload payload{TRY(detect_format(file)), file, {}, {}};
    if (payload.format == Format::elf) payload.unpacked_size = file.size();
    if (payload.format == Format::gzip) {
        if (file.size() < size_trailer) return Err{LoadError::compressed_truncated};
        // What stands last in the file is the size only if the file is whole: when it can't be, unpacking tells why.
        const auto size = checked_size(TRY(read_at<u32>(file, file.size() - size_trailer, LoadError::compressed_truncated)));
        if (size.ok()) payload.unpacked_size = *size;
    }
    return payload;
}

Loaded<Bytes> unpack(const Payload& payload, std::span<u8> output, Arena& scratch) {
    if (payload.format == Format::elf) return payload.bytes;
    if (payload.unpacked_size && *payload.unpacked_size > output.size()) return Err{LoadError::output_too_small};
    const auto expected = payload.unpacked_size;
    const auto room = expected ? output.first(*expected) : output;
    const auto size = decompress(payload.format, payload.bytes, room, scratch);
    if (!size.ok()) {
        const bool longer_than_said = expected && size.error() == LoadError::output_too_small;
        return Err{longer_than_said ? LoadError::unpacked_size_differs : size.error()};
    }
    if (expected && size.value() != *expected) return Err{LoadError::unpacked_size_differs};
    return Bytes{output.first(size.value())};
}

}  // namespace px::loader

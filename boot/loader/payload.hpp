// Payload: where in a kernel's file its ELF image is, and how it is packed [linux boot.rst].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "boot/loader/decompress.hpp"

namespace px::loader {

/// The kernel within a file. Views of the file.
struct Payload {
    Format format{};
    std::span<const u8> bytes;  ///< packed as `format` says, or the ELF file itself
    /// What the file says that it unpacks to, in bytes, at most max_unpacked_size; nullopt where it doesn't
    /// say (a plain xz, lzma, zstd or lz4 file, a gzip file that is cut off).
    std::optional<usize> unpacked_size;
    std::string_view version;  ///< of a bzImage, as "6.1.0-56-amd64 (…) #1 SMP …"; else empty
};

/// Finds the kernel in `file`: a bzImage, an ELF file, or a compressed ELF file. Nothing is unpacked yet.
/// Errors: not_a_kernel, bzimage_*, payload_*, *_unsupported, unpacked_size_absurd.
Loaded<Payload> find_payload(std::span<const u8> file);

/// The end of the bzImage at the front of `file`, with a signature that follows it [linux boot.rst; microsoft pe, attribute
/// certificate table]; nullopt for other kernels, whose end isn't told, and where it would lie outside the file.
std::optional<usize> end_of_bzimage(std::span<const u8> file);

/// The ELF file of `payload`: a view of the payload if it isn't compressed, else the front of `output`.
/// `output` must hold payload.unpacked_size bytes (or, if that is unknown, as many as the caller allows),
/// `scratch` scratch_size(payload.format, output.size()). Errors: those of decompress(),
/// unpacked_size_differs.
Loaded<std::span<const u8>> unpack(const Payload& payload, std::span<u8> output, Arena& scratch);

}  // namespace px::loader

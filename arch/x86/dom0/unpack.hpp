// Unpacking dom0's kernel with Debian's decompressor libraries.
//
// They were compiled for user space: they use the red zone, SSE and a stack protector. So they run once, at boot, on a stack
// of their own, with interrupts off, and with the FS base at a page whose canary doesn't change. [docs design 2]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "boot/loader/payload.hpp"

namespace px::dom0 {

/// The ELF file within `file`: a view of it where it isn't packed, else unpacked into `memory`, which holds the stack and
/// the libraries' working memory as well. Errors: those of find_payload() and unpack(), output_too_small where `memory` is.
loader::Loaded<std::span<const u8>> unpack_kernel(std::span<const u8> file, std::span<u8> memory, std::string_view* version);

}  // namespace px::dom0

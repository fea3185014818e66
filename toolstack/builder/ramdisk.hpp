// Whether a ramdisk is whole: a guest finds out much later, and says it less clearly.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "toolstack/call/error.hpp"

namespace px::builder {

/// Walks through the archives that Linux would unpack one behind the other: cpio (newc), plain or as gzip, xz, zstd or
/// lz4 (legacy) streams, with zeros between them. Error: one of them is cut off or damaged; the sentence goes on behind
/// "can't use the ramdisk FILE: ". What begins in another way isn't judged: it is the guest's own business.
call::Outcome<> check_ramdisk(std::span<const u8> ramdisk);

}  // namespace px::builder

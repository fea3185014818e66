// Disks of guests, by Linux's block back end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/disk.hpp"
#include "toolstack/device/device.hpp"

namespace px::device {

/// Error: there is no back end for such a disk yet; the sentence says what isn't served. Looks at nothing but `disk`.
call::Outcome<> check_supported(const xlcfg::Disk& disk);

/// Also looks at the target: error when it doesn't exist, or is neither a block device nor a file, or may not be written
/// but is to be. A file gets its loop device by the script.
call::Outcome<NewDevice> new_disk(const xlcfg::Disk& disk, DomId guest);

/// Error: another running guest has the same target, and one of the two may write: that destroys file systems.
call::Outcome<> refuse_shared(store::Client& store, const NewDevice& disk);

}  // namespace px::device

// The kernel's name, compiled for each of them with its own.
//
// SPDX-License-Identifier: Apache-2.0
namespace px::guest {

extern const char guest_name[];
const char guest_name[] = PX_GUEST_NAME;

}  // namespace px::guest

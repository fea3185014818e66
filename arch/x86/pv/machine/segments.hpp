// Segment registers of the current PV vCPU, which the guest changes by itself.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// What can't be loaded becomes a null selector.
void load_segments(const SegmentState& segments);
inline void load_segments(const VcpuState& state) { load_segments(state.segments); }
void save_segments(VcpuState& state);

/// The selector of the user's GS, its base given by the descriptor. Of the guest's kernel. False: it can't be loaded, and is null.
bool load_user_gs_selector(u16 selector);

}  // namespace px::pv

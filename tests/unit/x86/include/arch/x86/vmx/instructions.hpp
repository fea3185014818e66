// VT-x on the build host: a VMCS is a table of what was written.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "arch/x86/vmx/vmcs.hpp"

namespace px::vmx {

/// The current VMCS; fields never written are 0.
inline std::map<u32, u64> fake_vmcs;
inline u64 fake_cr2 = 0;

inline u16 read(Field16 field) { return static_cast<u16>(fake_vmcs[static_cast<u32>(field)]); }
inline u32 read(Field32 field) { return static_cast<u32>(fake_vmcs[static_cast<u32>(field)]); }
inline u64 read(Field64 field) { return fake_vmcs[static_cast<u32>(field)]; }
inline u64 read(FieldNatural field) { return fake_vmcs[static_cast<u32>(field)]; }
inline void write(Field16 field, u16 value) { fake_vmcs[static_cast<u32>(field)] = value; }
inline void write(Field32 field, u32 value) { fake_vmcs[static_cast<u32>(field)] = value; }
inline void write(Field64 field, u64 value) { fake_vmcs[static_cast<u32>(field)] = value; }
inline void write(FieldNatural field, u64 value) { fake_vmcs[static_cast<u32>(field)] = value; }
inline u64 read_guest_cr2() { return fake_cr2; }
inline void write_guest_cr2(u64 value) { fake_cr2 = value; }

}  // namespace px::vmx

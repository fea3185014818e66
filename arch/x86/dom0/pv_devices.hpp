// What a PV hardware domain has of the machine's devices: ports, device memory, PCI configuration space. Interrupts: pirqs.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

/// Before the first vCPU exists. Panics where it can't be done.
void give_pv_devices(Domain& domain);

/// Whether the domain may map a frame that isn't RAM: the hardware domain may, but for interrupt controllers.
bool may_map(const Domain& domain, Mfn mfn);
/// The same of the hardware domain itself.
bool may_map_machine_frame(Mfn mfn);
/// Device memory that only the hypervisor writes: configuration windows, MSI-X tables, its clock.
bool is_read_only(Mfn mfn);

}  // namespace px::dom0

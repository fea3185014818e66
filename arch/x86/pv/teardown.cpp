// The end of a PV domain's memory, and LDTs that are forgotten.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/descriptor_tables.hpp"
#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::pv {
namespace {

/// The vCPU doesn't run and never will.
Progress drop_vcpu(VcpuMemory& memory) {
    drop_gdt(memory);
    forget_ldt(memory);
    for (Frame** root : {&memory.kernel_root, &memory.user_root}) {
        if (finish(memory) == Progress::more) return Progress::more;
        if (Frame* const old = std::exchange(*root, nullptr)) give_use(memory, *old);
    }
    return finish(memory);
}

}  // namespace

void Guest::forget_ldts() {
    for (const Box<VcpuMemory>& memory : vcpus_) {
        if (memory != nullptr) forget_ldt(*memory);
    }
}

/// One visit to each frame: its pin is taken away, what an interrupted validation left is dissolved.
Progress Guest::drop_pins() {
    for (;;) {
        if (!visited_) visited_ = domain_.memory.visit_next();
        if (!visited_) return Progress::done;
        if (clear_pinned(*visited_)) {
            const Progress progress = release(*visited_);
            put_frame(*visited_);  // the pin's
            if (progress == Progress::more) return Progress::more;
        }
        if (dissolve(*visited_) == Progress::more) return Progress::more;
        // Another domain's operation, which began before this one was dying, ends as a use of some table, a pin or a partial table.
        if (use_of(*visited_).busy()) return Progress::more;
        visited_.reset();
        if (machine::pause_wanted()) return Progress::more;
    }
}

Progress Guest::relinquish() {
    for (const Box<VcpuMemory>& memory : vcpus_) {
        if (memory != nullptr && drop_vcpu(*memory) == Progress::more) return Progress::more;
    }
    return drop_pins();
}

}  // namespace px::pv

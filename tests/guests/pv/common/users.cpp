// Users of a tiny PV kernel.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/guests/pv/common/pv.hpp"

extern "C" void enter_user(const px::guest::UserFrame* frame);
extern "C" [[noreturn]] void leave_user();

namespace px::guest {

namespace {

alignas(page_size) constinit u8 root[page_size]{};
alignas(page_size) constinit u8 user_stack[page_size]{};
alignas(16) constinit u8 kernel_stack[4 * page_size]{};
constinit Frame left{};

/// What entered the kernel is kept, and the kernel goes on where it went to its users.
void leave(Frame& frame) {
    left = frame;
    leave_user();
}

}  // namespace

void init_users() {
    // Every slot but the hypervisor's own.
    const u64* const kernel_root = reinterpret_cast<const u64*>(pv_start_info().pt_base);
    u64* const to = reinterpret_cast<u64*>(root);
    for (unsigned slot = 0; slot < 512; ++slot) {
        if (slot < 256 || slot >= 272) to[slot] = kernel_root[slot];
    }
    if (set_writable(root, false)) give_up("the users' root can't be made read-only");
    if (mmuext(abi::MmuextOpCmd::pin_l4_table, mfn_of(root))) give_up("the users' root can't be pinned");
    if (reload_users()) give_up("the users' root can't be loaded");
    if (hypercall(abi::hypercall::stack_switch, 0, reinterpret_cast<u64>(kernel_stack + sizeof kernel_stack))) give_up("stack_switch");
}

i64 reload_users() { return mmuext(abi::MmuextOpCmd::new_user_baseptr, mfn_of(root)); }

UserFrame user_frame(u64 entry, u64 rflags) {
    UserFrame frame;
    frame.rip = entry;
    frame.rflags |= rflags;
    frame.rsp = reinterpret_cast<u64>(user_stack + sizeof user_stack);
    return frame;
}

void run_user_with_handlers(u64 entry, u64 rflags) {
    const UserFrame frame = user_frame(entry, rflags);
    enter_user(&frame);
}

Frame run_user(u64 entry, u64 rflags) { return run_user(user_frame(entry, rflags)); }

Frame run_user(const UserFrame& frame) {
    constexpr unsigned exceptions = 32, int80 = 0x80;
    for (unsigned vector = 0; vector < exceptions; ++vector) set_handler(vector, leave);
    for (const unsigned vector : {int80, vector_syscall, vector_failsafe}) set_handler(vector, leave);
    enter_user(&frame);
    for (unsigned vector = 0; vector < exceptions; ++vector) set_handler(vector, nullptr);
    return left;
}

}  // namespace px::guest

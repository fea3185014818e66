// Start info and first registers of a PV kernel [xen/public xen.h start_info, arch-x86/xen-x86_64.h].
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/pv_start_info.hpp"

#include <algorithm>
#include <cstring>

namespace px::loader {
namespace {
constexpr std::string_view magic = "xen-3.0-x86_64";
constexpr u64 interrupts_enabled = 1u << 9;
}  // namespace

Loaded<> write_pv_start_info(const PvStart& plan, const PvStartInfoRequest& request, std::span<u8, page_size> page) {
    abi::StartInfo info{};
    if (request.command_line.size() >= sizeof info.cmd_line) return Err{LoadError::pv_command_line_too_long};
    std::ranges::copy(magic, info.magic);
    info.nr_pages = request.pages;
    info.shared_info = request.shared_info;
    info.flags = request.flags | abi::sif::virt_p2m_4tools;
    info.store_mfn = request.store.mfn;
    info.store_evtchn = request.store.port;
    info.pt_base = plan.to_virtual(plan.tables.first);
    info.nr_pt_frames = plan.tables.count;
    info.mfn_list = plan.p2m_address;
    if (request.ramdisk_size != 0) {
        info.mod_start = plan.ramdisk_by_pfn ? plan.ramdisk.first : plan.to_virtual(plan.ramdisk.first);
        info.mod_len = request.ramdisk_size;
        if (plan.ramdisk_by_pfn) info.flags |= abi::sif::mod_start_pfn;
    }
    if (plan.p2m_apart) {
        info.first_p2m_pfn = plan.p2m.first;
        info.nr_p2m_frames = plan.p2m.count + plan.p2m_tables.count;
    }
    std::ranges::copy(request.command_line, info.cmd_line);
    std::ranges::fill(page, u8{0});
    if (request.screen) {
        info.console.dom0 = {sizeof info, sizeof *request.screen};
        std::memcpy(&page[sizeof info], &*request.screen, sizeof *request.screen);
    } else {
        info.console.domU = {request.console.mfn, request.console.port};
    }
    std::memcpy(page.data(), &info, sizeof info);
    return {};
}

void fill_pv_context(const PvStart& plan, u64 root, abi::x86::VcpuGuestContext& out) {
    using namespace abi::x86;
    std::memset(&out, 0, sizeof out);
    out.flags = vgcf::in_kernel | vgcf::online;
    out.user_regs.rip = plan.entry;
    out.user_regs.rsp = plan.to_virtual(plan.stack + 1);
    out.user_regs.rsi = plan.to_virtual(plan.start_info);
    out.user_regs.rflags = interrupts_enabled;
    out.user_regs.cs = flat_ring3::cs64;
    out.user_regs.ss = flat_ring3::ss64;
    out.kernel_ss = flat_ring3::ss64;
    out.kernel_sp = out.user_regs.rsp;
    out.ctrlreg[3] = root << page_shift;
}

}  // namespace px::loader

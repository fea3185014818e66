// From the ways in to the loop of every CPU: the order in which the machine comes up.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "arch/x86/boot/efi_start.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/cpu/runtime.hpp"
#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "arch/x86/dom0/dom0.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/machine/efi_runtime.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/machine/machine_check.hpp"
#include "arch/x86/machine/nodes.hpp"
#include "arch/x86/machine/screen.hpp"
#include "arch/x86/machine/serial.hpp"
#include "arch/x86/machine/smp.hpp"
#include "arch/x86/microcode/microcode.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "drivers/pic_8259.hpp"
#include "drivers/pit.hpp"
#include "hypervisor/cmdline/parse.hpp"
#include "hypervisor/cmdline/values.hpp"
#include "hypervisor/console/console.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/domain/debug_keys.hpp"
#include "hypervisor/domain/default_limits.hpp"
#include "hypervisor/hypercall/xen_version.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

enum class Protocol : u32 { multiboot1 = 1, multiboot2 = 2, pvh = 3, efi = 4 };  // of head.S

boot::BootInfo info;
cmdline::BootOptions options;
/// The loader's texts lie in memory that is reused: copies.
constinit char texts[16384] = {};
constinit usize texts_used = 0;

class LowMemory final : public boot::BootMemory {
public:
    std::span<const u8> view(u64 address, usize size) const override {
        constexpr u64 mapped = u64{4} << 30;
        if (address >= mapped || size > mapped) return {};
        return {static_cast<const u8*>(to_virtual(Paddr{address})), std::min<usize>(size, mapped - address)};
    }
};

std::string_view keep(std::string_view text) {
    const usize length = std::min(text.size(), sizeof texts - texts_used);
    char* const copy = texts + texts_used;
    std::memcpy(copy, text.data(), length);
    texts_used += length;
    return {copy, length};
}

/// Multiboot 2 brings a copy of the ACPI root pointer, in memory that is reused as well.
void keep_root_pointer(const LowMemory& memory) {
    alignas(16) static constinit u8 copy[36];  // [acpi 5.2.5.3]
    const auto given = memory.view(info.rsdp, sizeof copy);
    if (given.size() < sizeof copy) return;
    std::ranges::copy(given, copy);
    info.rsdp = machine_address(copy);
}

Result<> parse_boot_info(Protocol protocol, u64 address) {
    const LowMemory memory;
    switch (protocol) {
    case Protocol::multiboot1: TRY(boot::parse_multiboot1(memory, address, info)); break;
    case Protocol::multiboot2: TRY(boot::parse_multiboot2(memory, address, info)); break;
    case Protocol::pvh: TRY(boot::parse_pvh(memory, address, info)); break;
    case Protocol::efi: TRY(boot::parse_efi(efi_handover, info)); break;
    }
    if (protocol == Protocol::multiboot2 && info.rsdp != 0) keep_root_pointer(memory);
    // GRUB made its map while the firmware still used memory.
    if (efi_handover.system_table != 0 && protocol == Protocol::multiboot2) {
        if (efi_handover.rsdp != 0) info.rsdp = efi_handover.rsdp;
        info.screen = boot::parse_efi_screen(efi_handover);
        TRY(boot::parse_efi_memory(efi_handover, info));
    }
    info.loader = keep(info.loader);
    info.command_line = keep(info.command_line);
    set_command_line_text(info.command_line);
    for (boot::BootModule& module : info.modules) module.arguments = keep(module.arguments);
    return {};
}

LogThresholds thresholds(const cmdline::LogFilter& filter) {
    const auto level = [](cmdline::Verbosity v) { return LogLevel(static_cast<i8>(v) - 1); };
    return {level(filter.always), level(filter.rate_limited)};
}

void report_option(const cmdline::Diagnostic& diagnostic) {
    if (diagnostic.severity == cmdline::Diagnostic::Severity::note)
        log_info("command line: '{}': {}", diagnostic.option, diagnostic.reason);
    else
        log_warning("command line: '{}': {}{}{}", diagnostic.option, diagnostic.reason, diagnostic.culprit.empty() ? "" : ": ",
                    diagnostic.culprit);
}

/// `cpuid=`, and `smep=` and `smap=` where they are off for guests as well.
void hide_features() {
    HiddenFeatures hidden;
    for (std::string_view list : options.cpuid.all()) {
        while (const auto flag = cmdline::next_flag(list)) {
            const char* const refusal = flag->value ? hidden.say(flag->name, *flag->value) : "is neither on nor off";
            if (refusal != nullptr) report_option({cmdline::Diagnostic::Severity::problem, "cpuid", flag->item, refusal});
        }
    }
    if (options.smep == cmdline::Prevention::off) hidden.say("smep", false);
    if (options.smap == cmdline::Prevention::off) hidden.say("smap", false);
    hidden.close();
    hide_host_features(hidden);
}

void apply_options() {
    console_set_levels(thresholds(options.loglvl), thresholds(options.guest_loglvl));
    console_set_timestamps(options.console_timestamps != cmdline::Timestamps::none);
    open_serial_consoles(options);
    open_screen(info, options.vga, options.console.contains(cmdline::ConsoleDevice::vga));
    console_keep_owner_text(options.console_to_ring);
    console_set_switch(options.switch_letter, options.input_to_hypervisor);
    default_limits = {options.gnttab_max_frames, options.gnttab_max_maptrack_frames};
    hide_features();
    choose_host_features({options.smep == cmdline::Prevention::on, options.smap == cmdline::Prevention::on});
    const auto method = [&] {
        switch (options.reboot) {
        case cmdline::RebootMethod::triple_fault: return RebootMethod::triple_fault;
        case cmdline::RebootMethod::keyboard: return RebootMethod::keyboard;
        case cmdline::RebootMethod::pci: return RebootMethod::pci;
        default: return RebootMethod::acpi;
        }
    };
    set_reboot_policy(!options.noreboot, method());
}

/// What of RAM is set aside for the hardware domain, at its own addresses: a PV one takes its share from the allocator.
u64 dom0_frames(u64 ram_frames) { return dom0::wants_own_addresses(options) ? dom0::share_of(options, ram_frames) : 0; }

void log_protections() {
    const u64 on = read_cr<4>();
    log_info("CPU: {}{}{}{}", (on & cr4::smep) != 0 ? "SMEP, " : "", (on & cr4::smap) != 0 ? "SMAP, " : "",
             (on & cr4::umip) != 0 ? "UMIP, " : "", local_apic_is_x2() ? "x2APIC" : "xAPIC");
}

/// On the boot CPU's own stack.
[[noreturn]] void start_machine() {
    init_traps();
    load_descriptors(this_cpu().arch);
    init_microcode(info, options.ucode);
    read_acpi_tables(info.rsdp);
    find_nodes(options.numa);
    Pic8259<Ports>{Ports{}}.remap_and_mask(0x20);
    if (!init_local_apic(options.x2apic)) panic("the local APIC can't be reached");
    enable_host_features();
    log_protections();
    init_clock(options.clocksource);
    if (options.tsc_unstable) note_tsc_unstable();
    if (!options.pv) turn_pv_off();
    set_up_this_cpu();
    hvm::init_host_policy();
    Pit<Ports>{Ports{}}.silence_channel0();
    init_efi_runtime();
    const MemoryTotals totals = memory_totals();
    log_info("memory: {} MiB of RAM, {} MiB set aside for dom0, {} MiB free", memory_layout().ram_frames >> 8,
             memory_layout().dom0_frames >> 8, totals.free_frames >> 8);
    start_other_cpus(options.nosmp ? 1 : options.maxcpus != 0 ? options.maxcpus : max_cpus);
    drop_identity_map();
    watch_for_corrected_errors();
    init_scheduler(options.sched);
    scheduler_add_online_cpus();
    register_debug_keys();
    register_machine_keys();
    enable_console_input();
    give_screen_to_owner();
    create_dom0(info, options);
    cpu_loop();
}

std::string_view name_of(Protocol protocol) {
    const bool efi = efi_handover.system_table != 0;
    switch (protocol) {
    case Protocol::multiboot1: return "Multiboot";
    case Protocol::multiboot2: return efi ? "Multiboot 2 EFI" : "Multiboot 2";
    case Protocol::pvh: return "PVH";
    case Protocol::efi: return "EFI";
    }
    return "unknown";
}

}  // namespace

extern "C" [[noreturn]] void boot_start(u32 protocol, u32 address) {
    run_constructors();
    const auto parsed = parse_boot_info(Protocol{protocol}, address);
    cmdline::parse(info.command_line, options, [](const cmdline::Diagnostic&) {});
    apply_options();
    log_info("Philoxen 4.17 ({} boot, loader {})", name_of(Protocol{protocol}), info.loader);
    log_info("command line: {}", info.command_line);
    cmdline::parse(info.command_line, options, report_option);
    if (!parsed) panic("the boot loader's information is broken (error {})", parsed.error());
    if (options.mem != 0) boot::limit_memory(info.memory, options.mem);
    init_mitigations(options.spec_ctrl);
    set_up_memory(info, dom0_frames);
    screen_is_mapped();
    become_boot_cpu(start_machine);
}

}  // namespace px::arch

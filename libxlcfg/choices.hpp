// The values of the keys that take one word of a few: enumerations, and their names in the same order.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "libxlcfg/reader.hpp"

namespace px::xlcfg {

enum class GuestType { pv, pvh, hvm };
inline constexpr std::string_view guest_type_names[] = {"pv", "pvh", "hvm"};
constexpr Choices names_of(GuestType) { return guest_type_names; }

enum class ShutdownAction { destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart, soft_reset };
inline constexpr std::string_view shutdown_action_names[] = {"destroy",          "restart",          "rename-restart", "preserve",
                                                             "coredump-destroy", "coredump-restart", "soft-reset"};
constexpr Choices names_of(ShutdownAction) { return shutdown_action_names; }

enum class Bios { rombios, seabios, ovmf };
inline constexpr std::string_view bios_names[] = {"rombios", "seabios", "ovmf"};
constexpr Choices names_of(Bios) { return bios_names; }

enum class Altp2m { disabled, mixed, external, limited };
inline constexpr std::string_view altp2m_names[] = {"disabled", "mixed", "external", "limited"};
constexpr Choices names_of(Altp2m) { return altp2m_names; }

enum class GenerationId { generate, none };
inline constexpr std::string_view generation_id_names[] = {"generate", "none"};
constexpr Choices names_of(GenerationId) { return generation_id_names; }

enum class TscMode { automatic, always_emulate, native, native_paravirt };
inline constexpr std::string_view tsc_mode_names[] = {"default", "always_emulate", "native", "native_paravirt"};
constexpr Choices names_of(TscMode) { return tsc_mode_names; }

enum class TimerMode { delay_for_missed_ticks, no_delay_for_missed_ticks, no_missed_ticks_pending, one_missed_tick_pending };
inline constexpr std::string_view timer_mode_names[] = {"delay_for_missed_ticks", "no_delay_for_missed_ticks", "no_missed_ticks_pending",
                                                        "one_missed_tick_pending"};
constexpr Choices names_of(TimerMode) { return timer_mode_names; }

enum class VendorDevice { none, xenserver };
inline constexpr std::string_view vendor_device_names[] = {"none", "xenserver"};
constexpr Choices names_of(VendorDevice) { return vendor_device_names; }

enum class GicVersion { automatic, v2, v3 };
inline constexpr std::string_view gic_version_names[] = {"default", "v2", "v3"};
constexpr Choices names_of(GicVersion) { return gic_version_names; }

enum class Vuart { sbsa_uart };
inline constexpr std::string_view vuart_names[] = {"sbsa_uart"};
constexpr Choices names_of(Vuart) { return vuart_names; }

enum class Tee { none, optee };
inline constexpr std::string_view tee_names[] = {"none", "optee"};
constexpr Choices names_of(Tee) { return tee_names; }

enum class Vga { cirrus, stdvga, none, qxl };
inline constexpr std::string_view vga_names[] = {"cirrus", "stdvga", "none", "qxl"};
constexpr Choices names_of(Vga) { return vga_names; }

enum class SpiceCompression { auto_glz, auto_lz, quic, glz, lz, off };
inline constexpr std::string_view spice_compression_names[] = {"auto_glz", "auto_lz", "quic", "glz", "lz", "off"};
constexpr Choices names_of(SpiceCompression) { return spice_compression_names; }

enum class SpiceVideo { filter, all, off };
inline constexpr std::string_view spice_video_names[] = {"filter", "all", "off"};
constexpr Choices names_of(SpiceVideo) { return spice_video_names; }

enum class DiskController { ide, ahci };
inline constexpr std::string_view disk_controller_names[] = {"ide", "ahci"};
constexpr Choices names_of(DiskController) { return disk_controller_names; }

enum class DeviceModelVersion { qemu_xen, qemu_xen_traditional };
inline constexpr std::string_view device_model_version_names[] = {"qemu-xen", "qemu-xen-traditional"};
constexpr Choices names_of(DeviceModelVersion) { return device_model_version_names; }

enum class PassthroughMode { automatic, disabled, enabled, sync_pt, share_pt };
inline constexpr std::string_view passthrough_mode_names[] = {"default", "disabled", "enabled", "sync_pt", "share_pt"};
constexpr Choices names_of(PassthroughMode) { return passthrough_mode_names; }

enum class GfxPassthru { off, automatic, igd };
inline constexpr std::string_view gfx_passthru_names[] = {"0", "default", "igd"};
constexpr Choices names_of(GfxPassthru) { return gfx_passthru_names; }

enum class ViridianGroup : unsigned {
    base,
    freq,
    time_ref_count,
    reference_tsc,
    hcall_remote_tlb_flush,
    apic_assist,
    crash_ctl,
    synic,
    stimer,
    hcall_ipi,
    ex_processor_masks,
    no_vp_limit,
    cpu_hotplug
};
inline constexpr std::string_view viridian_group_names[] = {
    "base",       "freq",  "time_ref_count", "reference_tsc", "hcall_remote_tlb_flush", "apic_assist",
    "crash_ctl",  "synic", "stimer",         "hcall_ipi",     "ex_processor_masks",     "no_vp_limit",
    "cpu_hotplug"};
constexpr Choices names_of(ViridianGroup) { return viridian_group_names; }

}  // namespace px::xlcfg

// ABI comparison: platform.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/platform.h>

#include "hypervisor/abi/platform.hpp"

// platform.hpp
SAME(platform_interface_version, XENPF_INTERFACE_VERSION);
SAME(efi_misc::get_time_set_clears_ns, XEN_EFI_GET_TIME_SET_CLEARS_NS);
SAME(efi_misc::get_wakeup_time_enabled, XEN_EFI_GET_WAKEUP_TIME_ENABLED);
SAME(efi_misc::get_wakeup_time_pending, XEN_EFI_GET_WAKEUP_TIME_PENDING);
SAME(efi_misc::set_wakeup_time_enable, XEN_EFI_SET_WAKEUP_TIME_ENABLE);
SAME(efi_misc::set_wakeup_time_enable_only, XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY);
SAME(efi_misc::variable_non_volatile, XEN_EFI_VARIABLE_NON_VOLATILE);
SAME(efi_misc::variable_bootservice_access, XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS);
SAME(efi_misc::variable_runtime_access, XEN_EFI_VARIABLE_RUNTIME_ACCESS);
SAME(efi_misc::varinfo_boot_snapshot, XEN_EFI_VARINFO_BOOT_SNAPSHOT);
SAME(acpi_sleep_extended, XENPF_ACPI_SLEEP_EXTENDED);
SAME(processor_pm::bits_cx, XEN_PROCESSOR_PM_CX);
SAME(processor_pm::bits_px, XEN_PROCESSOR_PM_PX);
SAME(processor_pm::bits_tx, XEN_PROCESSOR_PM_TX);
SAME(processor_pm::type_cx, XEN_PM_CX);
SAME(processor_pm::type_px, XEN_PM_PX);
SAME(processor_pm::type_tx, XEN_PM_TX);
SAME(processor_pm::type_pdc, XEN_PM_PDC);
SAME(processor_pm::px_pct, XEN_PX_PCT);
SAME(processor_pm::px_pss, XEN_PX_PSS);
SAME(processor_pm::px_ppc, XEN_PX_PPC);
SAME(processor_pm::px_psd, XEN_PX_PSD);
SAME(processor_pm::shared_type_hw, XEN_CPUPERF_SHARED_TYPE_HW);
SAME(processor_pm::shared_type_all, XEN_CPUPERF_SHARED_TYPE_ALL);
SAME(processor_pm::shared_type_any, XEN_CPUPERF_SHARED_TYPE_ANY);
SAME(pcpu_flags_online, XEN_PCPU_FLAGS_ONLINE);
SAME(pcpu_flags_invalid, XEN_PCPU_FLAGS_INVALID);
SAME(core_parking_set, XEN_CORE_PARKING_SET);
SAME(core_parking_get, XEN_CORE_PARKING_GET);
SAME(resource_op_msr_read, XEN_RESOURCE_OP_MSR_READ);
SAME(resource_op_msr_write, XEN_RESOURCE_OP_MSR_WRITE);
SAME_ENUM(PlatformOpCmd, XENPF_, settime32, add_memtype, del_memtype, read_memtype, microcode_update, platform_quirk, get_cpu_version,
          efi_runtime_call, firmware_info, enter_acpi_sleep, change_freq, getidletime, set_processor_pminfo, get_cpuinfo, cpu_online,
          cpu_offline, cpu_hotadd, mem_hotadd, core_parking, resource_op, settime64, get_symbol);
SAME(PlatformQuirkId::noirqbalancing, QUIRK_NOIRQBALANCING);
SAME(PlatformQuirkId::ioapic_bad_regsel, QUIRK_IOAPIC_BAD_REGSEL);
SAME(PlatformQuirkId::ioapic_good_regsel, QUIRK_IOAPIC_GOOD_REGSEL);
SAME_ENUM(EfiFunction, XEN_EFI_, get_time, set_time, get_wakeup_time, set_wakeup_time, get_next_high_monotonic_count, get_variable,
          set_variable, get_next_variable_name, query_variable_info, query_capsule_capabilities, update_capsule);
SAME(FirmwareInfoType::disk_info, XEN_FW_DISK_INFO);
SAME(FirmwareInfoType::disk_mbr_signature, XEN_FW_DISK_MBR_SIGNATURE);
SAME(FirmwareInfoType::vbeddc_info, XEN_FW_VBEDDC_INFO);
SAME(FirmwareInfoType::efi_info, XEN_FW_EFI_INFO);
SAME(FirmwareInfoType::kbd_shift_flags, XEN_FW_KBD_SHIFT_FLAGS);
SAME(FirmwareEfiIndex::version, XEN_FW_EFI_VERSION);
SAME(FirmwareEfiIndex::config_table, XEN_FW_EFI_CONFIG_TABLE);
SAME(FirmwareEfiIndex::vendor, XEN_FW_EFI_VENDOR);
SAME(FirmwareEfiIndex::mem_info, XEN_FW_EFI_MEM_INFO);
SAME(FirmwareEfiIndex::rt_version, XEN_FW_EFI_RT_VERSION);
SAME(FirmwareEfiIndex::pci_rom, XEN_FW_EFI_PCI_ROM);
SAME(FirmwareEfiIndex::apple_properties, XEN_FW_EFI_APPLE_PROPERTIES);
SAME_STRUCT(PlatformSettime32, xenpf_settime32, secs, nsecs, system_time);
SAME_STRUCT(PlatformSettime64, xenpf_settime64, secs, nsecs, mbz, system_time);
SAME_STRUCT(PlatformAddMemtype, xenpf_add_memtype, mfn, nr_mfns, type, handle, reg);
SAME_STRUCT(PlatformDelMemtype, xenpf_del_memtype, handle, reg);
SAME_STRUCT(PlatformReadMemtype, xenpf_read_memtype, reg, mfn, nr_mfns, type);
SAME_STRUCT(PlatformMicrocodeUpdate, xenpf_microcode_update, data, length);
SAME_STRUCT(PlatformQuirk, xenpf_platform_quirk, quirk_id);
SAME_STRUCT(EfiTime, xenpf_efi_time, year, month, day, hour, min, sec, ns, tz, daylight);
SAME_STRUCT(EfiGuid, xenpf_efi_guid, data1, data2, data3, data4);
SAME_STRUCT(PlatformEfiRuntimeCall, xenpf_efi_runtime_call, function, misc, status, u, u.get_time, u.get_time.time, u.get_time.resolution,
            u.get_time.accuracy, u.set_time, u.get_wakeup_time, u.set_wakeup_time, u.get_variable, u.set_variable, u.get_next_variable_name,
            u.get_next_variable_name.size, u.get_next_variable_name.name, u.get_next_variable_name.vendor_guid, u.query_variable_info,
            u.query_variable_info.attr, u.query_variable_info.max_store_size, u.query_variable_info.remain_store_size,
            u.query_variable_info.max_size, u.query_capsule_capabilities, u.query_capsule_capabilities.capsule_header_array,
            u.query_capsule_capabilities.capsule_count, u.query_capsule_capabilities.max_capsule_size,
            u.query_capsule_capabilities.reset_type, u.update_capsule, u.update_capsule.capsule_header_array,
            u.update_capsule.capsule_count, u.update_capsule.sg_list);
SAME_STRUCT(PlatformFirmwareInfo, xenpf_firmware_info, type, index, u, u.disk_info, u.disk_info.device, u.disk_info.version,
            u.disk_info.interface_support, u.disk_info.legacy_max_cylinder, u.disk_info.legacy_max_head,
            u.disk_info.legacy_sectors_per_track, u.disk_info.edd_params, u.disk_mbr_signature, u.disk_mbr_signature.device,
            u.disk_mbr_signature.mbr_signature, u.vbeddc_info, u.vbeddc_info.capabilities, u.vbeddc_info.edid_transfer_time,
            u.vbeddc_info.edid, u.efi_info, u.efi_info.version, u.efi_info.cfg, u.efi_info.cfg.addr, u.efi_info.cfg.nent, u.efi_info.vendor,
            u.efi_info.vendor.revision, u.efi_info.vendor.bufsz, u.efi_info.vendor.name, u.efi_info.mem, u.efi_info.mem.addr,
            u.efi_info.mem.size, u.efi_info.mem.attr, u.efi_info.mem.type, u.efi_info.pci_rom, u.efi_info.pci_rom.segment,
            u.efi_info.pci_rom.bus, u.efi_info.pci_rom.devfn, u.efi_info.pci_rom.vendor, u.efi_info.pci_rom.devid,
            u.efi_info.pci_rom.address, u.efi_info.pci_rom.size, u.efi_info.apple_properties, u.efi_info.apple_properties.address,
            u.efi_info.apple_properties.size, u.kbd_shift_flags);
SAME_STRUCT(PlatformEnterAcpiSleep, xenpf_enter_acpi_sleep, val_a, val_b, sleep_state, flags);
SAME_STRUCT(PlatformChangeFreq, xenpf_change_freq, flags, cpu, freq);
SAME_STRUCT(PlatformGetidletime, xenpf_getidletime, cpumap_bitmap, cpumap_nr_cpus, idletime, now);
SAME_STRUCT(PowerRegister, xen_power_register, space_id, bit_width, bit_offset, access_size, address);
SAME_STRUCT(ProcessorCsd, xen_processor_csd, domain, coord_type, num);
SAME_STRUCT(ProcessorCx, xen_processor_cx, reg, type, latency, power, dpcnt, dp);
SAME_STRUCT(ProcessorFlags, xen_processor_flags);
SAME_STRUCT(ProcessorPower, xen_processor_power, count, flags, states);
SAME_STRUCT(PctRegister, xen_pct_register, descriptor, length, space_id, bit_width, bit_offset, reserved, address);
SAME_STRUCT(ProcessorPx, xen_processor_px, core_frequency, power, transition_latency, bus_master_latency, control, status);
SAME_STRUCT(PsdPackage, xen_psd_package, num_entries, revision, domain, coord_type, num_processors);
SAME_STRUCT(ProcessorPerformance, xen_processor_performance, flags, platform_limit, control_register, status_register, state_count, states,
            domain_info, shared_type);
SAME_STRUCT(PlatformSetProcessorPminfo, xenpf_set_processor_pminfo, id, type, u, u.power, u.perf, u.pdc);
SAME_STRUCT(PlatformPcpuinfo, xenpf_pcpuinfo, xen_cpuid, max_present, flags, apic_id, acpi_id);
SAME_STRUCT(PlatformPcpuVersion, xenpf_pcpu_version, xen_cpuid, max_present, vendor_id, family, model, stepping);
SAME_STRUCT(PlatformCpuOl, xenpf_cpu_ol, cpuid);
SAME_STRUCT(PlatformCpuHotadd, xenpf_cpu_hotadd, apic_id, acpi_id, pxm);
SAME_STRUCT(PlatformMemHotadd, xenpf_mem_hotadd, spfn, epfn, pxm, flags);
SAME_STRUCT(PlatformCoreParking, xenpf_core_parking, type, idle_nums);
SAME_STRUCT(PlatformResourceEntry, xenpf_resource_entry, u, u.cmd, u.ret, rsvd, idx, val);
SAME_STRUCT(PlatformResourceOp, xenpf_resource_op, nr_entries, cpu, entries);
SAME_STRUCT(PlatformSymdata, xenpf_symdata, namelen, symnum, name, address, type);
SAME_STRUCT(PlatformOp, xen_platform_op, cmd, interface_version, u, u.settime, u.settime32, u.settime64, u.add_memtype, u.del_memtype,
            u.read_memtype, u.microcode, u.platform_quirk, u.efi_runtime_call, u.firmware_info, u.enter_acpi_sleep, u.change_freq,
            u.getidletime, u.set_pminfo, u.pcpu_info, u.pcpu_version, u.cpu_ol, u.cpu_add, u.mem_add, u.core_parking, u.resource_op,
            u.symdata, u.pad);

// One type of ours for two unnamed ones.
SAME_STRUCT(PlatformEfiRuntimeCall, xenpf_efi_runtime_call, u.get_variable.name, u.get_variable.size, u.get_variable.data,
            u.get_variable.vendor_guid);
SAME_STRUCT(PlatformEfiRuntimeCall, xenpf_efi_runtime_call, u.set_variable.name, u.set_variable.size, u.set_variable.data,
            u.set_variable.vendor_guid);

TEST(AbiPlatform, BitFieldsLieWhereTheABIHasThem) {
    SAME_BITS(ProcessorFlags, xen_processor_flags, bm_control);
    SAME_BITS(ProcessorFlags, xen_processor_flags, bm_check);
    SAME_BITS(ProcessorFlags, xen_processor_flags, has_cst);
    SAME_BITS(ProcessorFlags, xen_processor_flags, power_setup_done);
    SAME_BITS(ProcessorFlags, xen_processor_flags, bm_rld_set);
}

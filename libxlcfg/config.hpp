// DomainConfig: what a configuration file says, typed. Plain data; an absent Field means the key's default.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libxlcfg/choices.hpp"
#include "libxlcfg/cpuid.hpp"
#include "libxlcfg/cpus.hpp"
#include "libxlcfg/devices.hpp"
#include "libxlcfg/disk.hpp"
#include "libxlcfg/field.hpp"
#include "libxlcfg/nested.hpp"
#include "libxlcfg/pci.hpp"
#include "libxlcfg/vif.hpp"

namespace px::xlcfg {

using Flag = Field<bool>;
using Number = Field<std::int64_t>;
using Text = Field<std::string>;
using Texts = Field<std::vector<std::string>>;

/// viridian=: groups of Hyper-V enlightenments, as bits of ViridianGroup.
struct Viridian {
    std::uint32_t enabled = 0;
    std::uint32_t disabled = 0;

    std::uint32_t groups() const { return enabled & ~disabled; }
};
bool read(Viridian& viridian, const Value& value, Diagnostics& out);
Json show(const Viridian& viridian);

/// boot=: letters of c (disk), d (CD-ROM) and n (network).
struct BootOrder {
    std::string letters;
};
bool read(BootOrder& order, const Value& value, Diagnostics& out);
Json show(const BootOrder& order);

/// Scheduling and placement.
struct Cpu {
    Number vcpus, maxvcpus;
    Field<Affinity> hard, soft;
    Number weight, cap;                        // credit, credit2
    Number period, slice, latency, extratime;  // rtds
    Text pool;
    Field<CpuidPolicy> cpuid;
};

struct Memory {
    Number memory_kib, maxmem_kib, shadow_kib, mmio_hole_kib, rdm_boundary_kib;
    std::vector<VirtualNode> vnuma;
};

/// What is booted, and how.
struct Boot {
    Text kernel, ramdisk, cmdline, root, extra, firmware;
    Text bootloader;
    Texts bootloader_args;
    Flag pvshim;
    Text pvshim_path, pvshim_cmdline, pvshim_extra;
    Field<BootOrder> order;
    Field<Bios> bios;
    Text bios_path, hvmloader_path, acpi_tables_path, smbios_tables_path;
};

struct Actions {
    Field<ShutdownAction> poweroff, reboot, crash, watchdog, soft_reset;
};

/// Limits and rights within the hypervisor.
struct Security {
    Text seclabel, init_seclabel;
    Number max_grant_frames, max_maptrack_frames, max_grant_version, max_event_channels;
    Flag nomigrate, driver_domain, xend_suspend_evtchn_compat;
    Number vmtrace_buf_kb;
    Flag vpmu;
};

/// The virtual platform of PVH and HVM guests, and a few bits of PV's.
struct Platform {
    Flag hap, oos, pae, acpi, acpi_s3, acpi_s4, acpi_laptop_slate, apic, nx, hpet, nestedhvm, vpt_align, localtime;
    Flag e820_host, msr_relaxed, xen_platform_pci;
    Field<Altp2m> altp2m;
    Field<Viridian> viridian;
    Field<GenerationId> generation_id;
    Field<TscMode> tsc_mode;
    Field<TimerMode> timer_mode;
    Number rtc_timeoffset;  ///< seconds
    Texts mca_caps;
    Field<VendorDevice> vendor_device;
};

/// Only for Arm guests.
struct Arm {
    Text device_tree;
    Texts dtdev;
    Field<GicVersion> gic_version;
    Field<Vuart> vuart;
    Field<Tee> tee;
};

/// The emulated display and SPICE.
struct Display {
    Vfb vfb;          ///< the keys that it shares with a paravirtual framebuffer
    Number videoram;  ///< MiB
    Field<Vga> vga;
    Flag nographic;
    Flag spice, spice_disable_ticketing, spice_agent_mouse, spice_vdagent, spice_clipboard_sharing;
    Text spice_host, spice_password;
    Number spice_port, spice_tls_port, spice_usb_redirection;
    Field<SpiceCompression> spice_image_compression;
    Field<SpiceVideo> spice_streaming_video;
    Flag vncviewer;
};

/// Other emulated hardware, and the device model itself.
struct DeviceModel {
    Texts serial, usbdevice;
    Flag usb, vkb_device;
    Number usbversion;
    Text soundhw;
    Field<DiskController> hdtype;
    Field<DeviceModelVersion> version;
    Text path, user;
    Flag restricted;
    Texts args, args_pv, args_hvm;
    Flag stubdomain;
    Text stubdomain_kernel, stubdomain_cmdline, stubdomain_ramdisk, stubdomain_seclabel;
    Number stubdomain_memory_kib;
};

/// Host hardware that is passed through.
struct Passthrough {
    Field<PassthroughMode> mode;
    std::vector<PciDevice> pci;
    Flag permissive, msitranslate, seize, power_mgmt;
    Field<GfxPassthru> gfx;
    Field<Rdm> rdm;
    std::vector<IoPorts> ioports;
    std::vector<IoMemory> iomem;
    std::vector<Irq> irqs;
};

struct DomainConfig {
    Text name;
    Field<GuestType> type_field;  ///< as written; type() decides
    Field<Uuid> uuid;
    Cpu cpu;
    Memory memory;
    Boot boot;
    Actions on;
    Security security;
    Platform platform;
    Arm arm;
    Display display;
    DeviceModel device_model;
    Passthrough passthrough;

    std::vector<Disk> disks;
    std::vector<Vif> vifs;
    std::vector<Vfb> vfbs;
    std::vector<Vkb> vkbs;
    std::vector<Channel> channels;
    std::vector<Vtpm> vtpms;
    std::vector<P9> p9s;
    std::vector<Pvcalls> pvcalls;
    std::vector<Vdispl> vdispls;
    std::vector<SoundCard> vsnds;
    std::vector<UsbController> usb_controllers;
    std::vector<UsbDevice> usb_devices;

    /// PV is the default on x86 [xl.cfg(5)].
    GuestType type() const { return type_field.value_or(GuestType::pv); }
    /// The kernel's command line: cmdline, or root and extra joined.
    std::string command_line() const;
    std::int64_t vcpus() const { return cpu.vcpus.value_or(1); }
    std::int64_t maxvcpus() const { return cpu.maxvcpus.value_or(vcpus()); }
    /// What the guest starts with and what it may grow to, KiB. Each defaults to the other (maxmem first to the sum of
    /// the virtual NUMA nodes), both to 32 MiB.
    std::int64_t memory_kib() const;
    std::int64_t maxmem_kib() const;
    /// The framebuffers of a PV or PVH guest: those of vfb=, or one made of the display keys when they ask for one.
    std::vector<Vfb> framebuffers() const;
};

}  // namespace px::xlcfg

// The schema is complete and sound, and what is made from it is too.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "libxlcfg/manual.hpp"
#include "libxlcfg/schema.hpp"
#include "libxlcfg/suggest.hpp"
#include "tests/unit/xlcfg/helpers.hpp"

namespace px::xlcfg {
namespace {

// Every key that Xen 4.17's xl reads: 150 of xl.cfg(5), and 8 that it doesn't document.
constexpr std::string_view all_keys = R"(
name type builder uuid memory maxmem vcpus maxvcpus cpus disk vif kernel ramdisk cmdline root extra bootloader
bootloader_args firmware boot vnc vnclisten vncdisplay vncunused vncpasswd keymap vfb serial usb usbdevice on_poweroff
on_reboot on_crash localtime acpi apic pae hap vga stdvga videoram sdl nographic bios xen_platform_pci
device_model_version
cpus_soft cpu_weight cap pool on_watchdog on_soft_reset nomigrate max_grant_frames max_maptrack_frames
max_grant_version max_event_channels passthrough driver_domain pci pci_msitranslate pci_permissive pci_power_mgmt
pci_seize gfx_passthru e820_host ioports iomem irqs cpuid nestedhvm viridian hpet nx acpi_s3 acpi_s4 tsc_mode
timer_mode rtc_timeoffset vpt_align shadow_memory mmio_hole msr_relaxed ms_vm_genid hdtype soundhw usbversion
vkb_device device_model_override device_model_args device_model_args_pv device_model_args_hvm bios_path_override
pvshim pvshim_path pvshim_cmdline pvshim_extra channel vnuma usbctrl usbdev dm_restrict device_model_user spice
spicehost spiceport spicedisable_ticketing spicepasswd
spicetls_port spiceagent_mouse spicevdagent spice_clipboard_sharing spiceusbredirection spice_image_compression
spice_streaming_video oos acpi_laptop_slate acpi_firmware smbios_firmware altp2m altp2mhvm mca_caps opengl display
xauthority seclabel init_seclabel device_tree dtdev gic_version vuart tee xend_suspend_evtchn_compat vmtrace_buf_kb
vpmu vtpm p9 pvcalls vkb vdispl vsnd rdm rdm_mem_boundary vendor_device stubdomain_kernel stubdomain_cmdline
stubdomain_ramdisk stubdomain_memory device_model_stubdomain_override device_model_stubdomain_seclabel device_model
firmware_override vncviewer vif2 period slice latency extratime)";

std::set<std::string> known_keys() {
    std::istringstream words{std::string(all_keys)};
    return {std::istream_iterator<std::string>(words), {}};
}

std::set<std::string> schema_keys() {
    std::set<std::string> keys;
    for (const KeyGroup& group : key_groups())
        for (const KeyRow& row : group.rows) EXPECT_TRUE(keys.insert(std::string(row.name)).second) << row.name;
    return keys;
}

TEST(Schema, HasEveryKeyOnce) {
    EXPECT_EQ(known_keys().size(), 158u);
    EXPECT_EQ(schema_keys(), known_keys());
}

void expect_sound(const RowView& row, const std::string& where) {
    EXPECT_FALSE(row.details->doc.empty()) << where;
    EXPECT_TRUE(row.details->doc.ends_with('.')) << where;
    EXPECT_LE(row.details->doc.size(), 100u) << where;
    EXPECT_EQ(row.shape == Shape::choice, !row.choices.empty()) << where;
    EXPECT_LE(row.details->min, row.details->max) << where;
    if (row.spec)
        for (const RowView& key : row.spec()) expect_sound(key, where + "." + std::string(key.name));
}

TEST(Schema, RowsAreSound) {
    for (const KeyGroup& group : key_groups())
        for (const KeyRow& row : group.rows) {
            expect_sound(row.view(), std::string(row.name));
            if (!row.details.replaced_by.empty()) { EXPECT_NE(find_key(row.details.replaced_by), nullptr) << row.name; }
        }
}

// No key is ignored: a list within a list suits none but vnuma and vsnd, so that everything else must complain of it.
TEST(Schema, NoKeyIsIgnored) {
    for (const std::string& key : known_keys()) {
        Loaded loaded(minimal(key + "=[[['x']]]"));
        EXPECT_GE(loaded.out.errors(), 1u) << key;
    }
}

TEST(Schema, RefusedKeysSayWhy) {
    for (const KeyGroup& group : key_groups())
        for (const KeyRow& row : group.rows) {
            if (row.details.refused.empty()) continue;
            const bool list = row.access.shape == Shape::texts || row.access.shape == Shape::items;
            Loaded loaded(minimal(std::string(row.name) + (list ? "=['x']" : row.details.fallback == "1" ? "=0" : "=1")));
            EXPECT_NE(loaded.complaints().find(std::string(row.details.refused)), std::string::npos) << row.name;
        }
}

TEST(Schema, JsonSchemaHasTheKeys) {
    const Json schema = json_schema();
    for (const std::string& key : known_keys()) {
        const bool deprecated = !find_key(key)->details.replaced_by.empty();
        EXPECT_EQ(schema["properties"].contains(key), !deprecated) << key;
    }
    EXPECT_EQ(schema["properties"]["on_crash"]["enum"].size(), 7u);
    EXPECT_EQ(schema["properties"]["memory"]["type"], "integer");
    EXPECT_TRUE(schema["properties"]["disk"]["items"]["anyOf"][1]["properties"].contains("vdev"));
    EXPECT_FALSE(schema["properties"]["disk"]["items"]["anyOf"][1]["properties"].contains("colo-host"));
}

TEST(Schema, ManualHasEveryKey) {
    const std::string manual = manual_keys();
    for (const std::string& key : known_keys()) {
        std::string entry = "\\fB" + key + "=\\fR";
        EXPECT_NE(manual.find(entry), std::string::npos) << key;
    }
    EXPECT_NE(manual.find("The opposite is \\fBno\\-discard\\fR."), std::string::npos);
    EXPECT_EQ(manual.find("\n\n"), std::string::npos);
}

TEST(Suggest, Distances) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("memory", "memroy"), 1u);
    EXPECT_EQ(edit_distance("kernel", "kernal"), 1u);
    EXPECT_EQ(edit_distance("vif", "vifs"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Suggest, Keys) {
    struct {
        std::string_view word, key;
    } cases[] = {{"memroy", "memory"},
                 {"kernal", "kernel"},
                 {"vcups", "vcpus"},
                 {"on_reboots", "on_reboot"},
                 {"bootlader", "bootloader"},
                 {"max_mem", "maxmem"},
                 {"vnc_listen", "vnclisten"},
                 {"nmae", "name"},
                 {"cpu_weigth", "cpu_weight"},
                 {"xyzzy", ""},
                 {"q", ""}};
    for (const auto& test : cases) EXPECT_EQ(closest(test.word, suggested_keys()), test.key) << test.word;
    EXPECT_EQ(known_alias("initrd"), "ramdisk");
    EXPECT_EQ(known_alias("memory"), "");
}

TEST(Suggest, AliasesNameRealKeysAndHideNone) {
    for (std::string_view word : {"initrd", "append", "mem", "nic", "vcpu", "smp", "weight", "sound", "on_shutdown"}) {
        EXPECT_NE(find_key(known_alias(word)), nullptr) << word;
        EXPECT_EQ(find_key(word), nullptr) << word;
    }
}

}  // namespace
}  // namespace px::xlcfg

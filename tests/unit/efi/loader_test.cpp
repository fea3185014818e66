// xen.efi started on a fake firmware: what it loads, and what it says when it can't.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/loader.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "boot/efi/config.hpp"
#include "tests/unit/efi/fake_firmware.hpp"
#include "tests/unit/efi/pe_image.hpp"

namespace px::efi {
namespace {

constexpr char good_config[] =
    "[global]\ndefault=debian\n[debian]\noptions=console=com1\nkernel=vmlinuz root=/dev/sda1\nramdisk=/boot/initrd\n"
    "[tiny]\nkernel=tiny\n";

class LoaderTest : public testing::Test {
protected:
    LoaderTest() {
        fake.files = {{"\\EFI\\xen\\xen.cfg", good_config},
                      {"\\EFI\\xen\\vmlinuz",
                       "\x7f"
                       "ELF the kernel"},
                      {"\\boot\\initrd", "the initrd"},
                      {"\\EFI\\xen\\tiny",
                       "\x7f"
                       "ELF a tiny kernel"}};
    }
    Result<bool> run() {
        *out = {};
        fake.said.clear();
        return load(fake.firmware(), *out);
    }
    void expect_failure(const std::string& sentence) {
        ASSERT_FALSE(run().ok());
        EXPECT_NE(fake.said.find(sentence), std::string::npos) << "it said: " << fake.said;
    }
    std::string module(usize index) const { return {reinterpret_cast<const char*>(out->modules[index].start), out->modules[index].size}; }
    std::string text(boot::EfiHandover::Text kept) const { return {out->texts + kept.offset, kept.length}; }

    FakeFirmware fake;
    std::unique_ptr<boot::EfiHandover> out = std::make_unique<boot::EfiHandover>();
};

TEST_F(LoaderTest, LoadsTheDefaultSection) {
    ASSERT_TRUE(run().ok()) << fake.said;
    ASSERT_EQ(out->modules_count, 2u);
    EXPECT_EQ(module(0),
              "\x7f"
              "ELF the kernel");
    EXPECT_EQ(text(out->modules[0].arguments), "root=/dev/sda1");
    EXPECT_EQ(module(1), "the initrd");
    EXPECT_EQ(text(out->command_line), "console=com1");
}

TEST_F(LoaderTest, ArgumentsChooseFileSectionAndOptions) {
    fake.set_options(u"xen-4.17.efi tiny -- noreboot");
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->modules_count, 1u);
    EXPECT_EQ(module(0),
              "\x7f"
              "ELF a tiny kernel");
    EXPECT_EQ(text(out->command_line), "noreboot");

    fake.files["\\other.cfg"] = good_config;
    EXPECT_EQ(out->keeps_boot_services, 0u);
    fake.set_options(u"-cfg=/other.cfg -mapbs -- noreboot");
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->keeps_boot_services, 1u);
    EXPECT_EQ(text(out->command_line), "console=com1 noreboot");

    fake.set_options(u"-help");
    const auto helped = run();
    ASSERT_TRUE(helped.ok());
    EXPECT_FALSE(*helped);
    EXPECT_NE(fake.said.find("-cfg=FILE"), std::string::npos);
}

TEST_F(LoaderTest, ChainsToAnotherFile) {
    fake.files["\\EFI\\xen\\xen-4.17.cfg"] = "[global]\ndefault=debian\nchain=xen.cfg";
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(module(0),
              "\x7f"
              "ELF the kernel");
    fake.files["\\EFI\\xen\\xen-4.17.cfg"] = "[global]\ndefault=debian\nchain=xen-4.17.cfg";
    expect_failure("more than 8 configurations are chained");
}

TEST_F(LoaderTest, TakesTheLoadersInitrdWhereTheConfigurationNamesNone) {
    fake.offered_initrd = "from the boot loader";
    fake.set_options(u"tiny");
    ASSERT_TRUE(run().ok()) << fake.said;
    ASSERT_EQ(out->modules_count, 2u);
    EXPECT_EQ(module(1), "from the boot loader");
    fake.set_options(u"debian");
    ASSERT_TRUE(run().ok());
    EXPECT_EQ(module(1), "the initrd");
}

TEST_F(LoaderTest, AUnifiedImageBringsItsFiles) {
    PeImage pe;
    pe.section(".config", "[global]\ndefault=a\n[a]\nkernel=inside quiet");
    pe.section(".kernel",
               "\x7f"
               "ELF built-in kernel");
    pe.section(".ramdisk", "built-in initrd");
    auto bytes = pe.bytes();
    fake.image.base = bytes.data();
    fake.image.size = bytes.size();
    for (const bool has_volume : {true, false}) {
        if (!has_volume) fake.image.device = nullptr;
        ASSERT_TRUE(run().ok()) << fake.said;
        EXPECT_EQ(module(0),
                  "\x7f"
                  "ELF built-in kernel");
        EXPECT_EQ(text(out->modules[0].arguments), "quiet");
        EXPECT_EQ(module(1), "built-in initrd");
    }
    fake.is_secure = true;
    fake.set_options(u"-cfg=evil.cfg");
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_NE(fake.said.find("arguments are ignored"), std::string::npos);
}

TEST_F(LoaderTest, MicrocodeOfTheSectionOrOfAll) {
    fake.files["\\EFI\\xen\\ucode.bin"] = "update";
    fake.files["\\EFI\\xen\\xen.cfg"] = "[global]\ndefault=a\nucode=ucode.bin\n[a]\nkernel=vmlinuz\n[b]\nkernel=vmlinuz\nucode=gone";
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->modules_count, 1u);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(out->microcode_start), out->microcode_size), "update");
    fake.set_options(u"b");
    expect_failure("the microcode 'gone' can't be opened in \\EFI\\xen");
}

TEST_F(LoaderTest, ASealedImageTakesNothingFromOutside) {
    PeImage pe;
    pe.section(".config", "[global]\ndefault=a\nchain=xen.cfg\n[a]\noptions=x");
    auto bytes = pe.bytes();
    fake.image.base = bytes.data();
    fake.image.size = bytes.size();
    fake.files["\\EFI\\xen\\xen.cfg"] = "[a]\nkernel=tiny\n[global]\ndefault=a";
    fake.offered_initrd = "from the boot loader";
    fake.signed_content = fake.files["\\EFI\\xen\\tiny"];
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->modules_count, 2u);
    fake.is_secure = true;
    expect_failure("section [a] of the configuration has no kernel=");

    PeImage whole;
    whole.section(".config", "[global]\ndefault=a\n[a]\nkernel=k");
    whole.section(".kernel",
                  "\x7f"
                  "ELF built-in kernel");
    bytes = whole.bytes();
    fake.image.base = bytes.data();
    fake.image.size = bytes.size();
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->modules_count, 1u) << "the boot loader's initrd wasn't signed with it";
}

TEST_F(LoaderTest, AUnifiedImageBringsItsMicrocode) {
    PeImage pe;
    pe.section(".config", "[global]\ndefault=a\n[a]\nkernel=inside");
    pe.section(".kernel",
               "\x7f"
               "ELF built-in kernel");
    pe.section(".ucode", "built-in update");
    auto bytes = pe.bytes();
    fake.image.base = bytes.data();
    fake.image.size = bytes.size();
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(out->microcode_start), out->microcode_size), "built-in update");
}

TEST_F(LoaderTest, ASecurityPolicyIsLookedForAndNotUsed) {
    fake.files["\\EFI\\xen\\xen.cfg"] = "[global]\ndefault=a\n[a]\nkernel=vmlinuz\nxsm=policy";
    expect_failure("the security policy 'policy' can't be opened in \\EFI\\xen");
    fake.files["\\EFI\\xen\\policy"] = "allow";
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(out->modules_count, 1u);
    EXPECT_NE(fake.said.find("the security policy isn't used: this hypervisor has no XSM"), std::string::npos);
}

TEST_F(LoaderTest, WithoutADefaultTheFirstOfEachKeyCounts) {
    fake.files["\\EFI\\xen\\xen.cfg"] = "options=console=com1\n[a]\nkernel=tiny one\n[b]\nkernel=vmlinuz two\nramdisk=/boot/initrd\n";
    ASSERT_TRUE(run().ok()) << fake.said;
    EXPECT_EQ(module(0),
              "\x7f"
              "ELF a tiny kernel");
    EXPECT_EQ(module(1), "the initrd");
    EXPECT_EQ(text(out->command_line), "console=com1");
}

TEST_F(LoaderTest, VideoChoosesAModeUnlessBasevideo) {
    const GraphicsMode small{0, 640, 480, PixelFormat::bgr, 0, 0, 0, 0, 640}, large{0, 1024, 768, PixelFormat::bgr, 0, 0, 0, 0, 1024};
    fake.set_modes({small, large});
    const auto with = [&](const std::string& video, const std::u16string& options = u"") {
        fake.files["\\EFI\\xen\\xen.cfg"] = "[global]\ndefault=a\nvideo=" + video + "\n[a]\nkernel=vmlinuz";
        fake.set_options(options);
        fake.show_mode(0);
        EXPECT_TRUE(run().ok()) << fake.said;
        return fake.graphics_state.mode;
    };
    EXPECT_EQ(with("gfx-1024x768x32"), 1u);
    EXPECT_EQ(with("gfx-1024"), 1u);
    EXPECT_EQ(with("gfx-640x480"), 0u);
    EXPECT_EQ(with("gfx-1024x768x32", u"-basevideo"), 0u);
    EXPECT_EQ(with("gfx-1024x768x16"), 0u);
    EXPECT_NE(fake.said.find("none of the screen's 2 modes is 1024x768x16 (0: any); it stays at 640x480"), std::string::npos) << fake.said;
    EXPECT_EQ(with("text-80x25"), 0u);
    EXPECT_NE(fake.said.find("video=text-80x25 isn't understood"), std::string::npos) << fake.said;
    fake.refuses_modes = true;
    EXPECT_EQ(with("gfx-1024x768"), 0u);
    EXPECT_NE(fake.said.find("the firmware can't set mode 1: device error"), std::string::npos) << fake.said;
    fake.modes.clear();
    fake.files["\\EFI\\xen\\xen.cfg"] = "[global]\ndefault=a\nvideo=gfx-1x1\n[a]\nkernel=vmlinuz";
    EXPECT_TRUE(run().ok());
    EXPECT_NE(fake.said.find("video=: the firmware has no screen"), std::string::npos) << fake.said;
}

TEST_F(LoaderTest, ShimsWordCountsWhereThereIsOne) {
    fake.is_secure = fake.has_shim = true;
    expect_failure("the kernel 'vmlinuz' isn't signed by a key of this machine: security violation");
    fake.signed_content =
        "\x7f"
        "ELF the kernel";
    EXPECT_TRUE(run().ok()) << fake.said;
}

TEST_F(LoaderTest, SecureBootWantsASignedKernel) {
    fake.is_secure = true;
    expect_failure("the kernel 'vmlinuz' isn't signed by a key of this machine: access denied");
    fake.signed_content =
        "\x7f"
        "ELF the kernel";
    EXPECT_TRUE(run().ok()) << fake.said;
}

TEST_F(LoaderTest, EachFailureIsASentence) {
    fake.set_options(u"-cgf=x");
    expect_failure("argument '-cgf=x' isn't understood");
    fake.set_options(u"nowhere");
    expect_failure("the configuration has no section [nowhere]");
    fake.set_options(u"global");
    expect_failure("section [global] of the configuration has no kernel=");
    fake.set_options(u"-cfg=gone.cfg");
    expect_failure("the configuration 'gone.cfg' can't be opened in \\EFI\\xen of the volume that this image came from: not found");
    fake.set_options(u"");

    const auto with = [&](const std::string& path, const std::string& content, const std::string& sentence) {
        const auto before = fake.files;
        fake.files[path] = content;
        expect_failure(sentence);
        fake.files = before;
    };
    with("\\EFI\\xen\\vmlinuz", "", "the kernel 'vmlinuz' is empty");
    with("\\EFI\\xen\\vmlinuz", "(huge)", "the kernel 'vmlinuz' is too large: 1099511627776 bytes");
    with("\\EFI\\xen\\vmlinuz", "(directory)", "the kernel 'vmlinuz' is a directory");
    with("\\EFI\\xen\\vmlinuz", "(unreadable)", "the kernel 'vmlinuz' can't be read beyond 0 of 12 bytes: device error");
    with("\\EFI\\xen\\vmlinuz", "(shrinks)", "can't be read beyond 9 of 19 bytes: it ends there");
    with("\\EFI\\xen\\vmlinuz", "#!/bin/sh", "the file 'vmlinuz' isn't a kernel: neither a bzImage nor an ELF file");
    with("\\boot\\initrd", "", "the ramdisk '/boot/initrd' is empty");
    with("\\EFI\\xen\\xen.cfg", std::string(longest_config + 1, '#'), "the configuration 'xen.cfg' is too large");
    with("\\EFI\\xen\\xen.cfg", "\xff\xfe[", "the configuration 'xen.cfg' isn't plain ASCII text: its line 1 has the byte 0xff");
    with("\\EFI\\xen\\xen.cfg", "[debian]", "the configuration has no kernel=, nor a default= in its [global]");
    with("\\EFI\\xen\\xen.cfg", "[global]\ndefault=a\n[a]\nkernel=", "kernel= of section [a] is empty");
    with("\\EFI\\xen\\xen.cfg", "[global]\ndefault=a\n[a]\nkernel=" + std::string(600, 'x'), "the name of the kernel is too long");
    with("\\EFI\\xen\\xen.cfg", "[global]\ndefault=a\n[a]\nkernel=vmlinuz " + std::string(20000, 'x'), "the kernel's arguments are longer");

    fake.files.erase("\\EFI\\xen\\xen.cfg");
    expect_failure("no configuration; looked for xen-4.17.cfg xen-4.cfg xen.cfg in \\EFI\\xen");
    fake.pages_left = 0;
    fake.files["\\EFI\\xen\\xen.cfg"] = good_config;
    expect_failure("no memory for the configuration 'xen.cfg'");
    fake.image.device = nullptr;
    expect_failure("this image came from no volume with files");
    fake.path_names_volume = true;
    fake.pages_left = 100;
    EXPECT_TRUE(run().ok()) << fake.said;
}

TEST_F(LoaderTest, NothingStaysAllocatedAfterAFailure) {
    fake.files.erase("\\boot\\initrd");
    expect_failure("the ramdisk '/boot/initrd' can't be opened in \\ of the volume");
    EXPECT_TRUE(fake.allocations.empty());
}

TEST_F(LoaderTest, PathsOfSeveralNodes) {
    fake.set_path(u"xen.efi");
    fake.files = {{"\\xen.cfg", good_config},
                  {"\\vmlinuz",
                   "\x7f"
                   "ELF"},
                  {"\\boot\\initrd", "i"}};
    EXPECT_TRUE(run().ok()) << fake.said;
    fake.set_path(std::u16string(100, u'x') + u"\\xen.efi");
    expect_failure("no configuration; looked for");
}

TEST_F(LoaderTest, TakesOverThoughTheMapChanges) {
    fake.map_changes = 3;
    ASSERT_TRUE(take_over(fake.firmware(), *out).ok());
    EXPECT_EQ(text(out->vendor), "Fake");
    EXPECT_EQ(out->map_size, 480u);
    EXPECT_EQ(out->descriptor_size, 48u);
    EXPECT_EQ(out->system_table, reinterpret_cast<u64>(&fake.system));
    EXPECT_EQ(out->rsdp, 0u);
    fake.map_changes = 100;
    EXPECT_FALSE(take_over(fake.firmware(), *out).ok());
    EXPECT_NE(fake.said.find("the firmware doesn't let go of the machine"), std::string::npos);
    fake.map_size = 100000;
    EXPECT_FALSE(take_over(fake.firmware(), *out).ok());
}

TEST_F(LoaderTest, TheRootPointerOfAcpi2ComesFirst) {
    char first[] = "RSD PTR ", second[] = "RSD PTR ";
    const ConfigurationTable tables[] = {{memory_attributes_guid, nullptr}, {acpi1_table_guid, first}, {acpi_table_guid, second}};
    fake.system.tables = tables;
    fake.system.tables_count = 3;
    ASSERT_TRUE(take_over(fake.firmware(), *out).ok());
    EXPECT_EQ(out->rsdp, reinterpret_cast<u64>(second));
    fake.system.tables_count = 2;
    ASSERT_TRUE(take_over(fake.firmware(), *out).ok());
    EXPECT_EQ(out->rsdp, reinterpret_cast<u64>(first)) << "the older one, where there is no other";
}

}  // namespace
}  // namespace px::efi

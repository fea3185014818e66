// Broken configurations: each is caught, at the line and column where the mistake is.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/xlcfg/helpers.hpp"

namespace px::xlcfg {
namespace {

struct Case {
    std::string_view text;
    unsigned line, column;     ///< of the first error
    std::string_view message;  ///< a part of it
};

// Before each text stands a line that makes it complete otherwise: name, kernel, and the guest type of its table.
constexpr Case grammar[] = {
    {"memory", 2, 7, "expected '=' after 'memory', found the end of the file"},
    {"memory\n", 2, 7, "found the end of the line"},
    {"memory =", 2, 9, "expected a value, found the end of the file"},
    {"memory = \nvcpus=1", 2, 10, "expected a value, found the end of the line"},
    {"memory = 512M", 2, 10, "malformed number '512M'"},
    {"memory = 1.5", 2, 10, "malformed number '1.5'"},
    {"memory = 512 MB", 2, 14, "unexpected 'MB' after the value of 'memory'"},
    {"memory: 512", 2, 7, "unexpected character ':'"},
    {"memory == 512", 2, 9, "expected a value, found '='"},
    {"memory - 512", 2, 8, "unexpected character '-'"},
    {"Memory = 512", 2, 1, "'Memory' can't be a key"},
    {"cpu-weight = 512", 2, 1, "'cpu-weight' can't be a key"},
    {"_x = 1", 2, 1, "'_x' can't be a key"},
    {"= 512", 2, 1, "expected a key, found '='"},
    {"'memory' = 512", 2, 1, "expected a key, found a string"},
    {"512", 2, 1, "expected a key, found '512'"},
    {"]", 2, 1, "expected a key, found ']'"},
    {"\n\n  extra = \"abc\nvcpus=1", 4, 11, "this string isn't closed on its line"},
    {"extra = 'abc\"", 2, 9, "this string isn't closed"},
    {"extra = '", 2, 9, "this string isn't closed"},
    {"extra = 'abc\\", 2, 13, "unknown escape"},
    {"extra = 'a\\qb'", 2, 11, "unknown escape"},
    {"extra = 'a\\x'", 2, 11, "this escape names no character"},
    {"extra = 'a\\x00'", 2, 11, "this escape names no character"},
    {"extra = '\\777'", 2, 10, "this escape names no character"},
    {"extra = abc", 2, 9, "'abc' is not a value"},
    {"hap = True", 2, 7, "'True' is not a value"},
    {"hap = no", 2, 7, "'no' is not a value"},
    {"vif = None", 2, 7, "'None' is not a value"},
    {"vif = [ '' \nvcpus = 1", 2, 7, "this list isn't closed"},
    {"vif = [", 2, 7, "this list isn't closed"},
    {"vif = [ '', [ 'x' ]", 2, 7, "this list isn't closed"},
    {"vif = [ '' 'mac=x' ]", 2, 12, "a comma is missing"},
    {"vif = [ ''\n 'mac=x' ]", 3, 2, "a comma is missing"},
    {"vif = [ , ]", 2, 9, "expected a value, found ','"},
    {"vif = [ '',, '' ]", 2, 12, "expected a value, found ','"},
    {"vif = [ ''; '' ]", 2, 11, "unexpected ';' in a list"},
    {"vif = [ bridge ]", 2, 9, "'bridge' is not a value"},
    {"vif = [ 'a' = 'b' ]", 2, 13, "unexpected '=' in a list"},
    {"vif = [ ] ]", 2, 11, "unexpected ']' after the value of 'vif'"},
    {"vif = '', ''", 2, 9, "unexpected ',' after the value of 'vif'"},
    {"vif = ( '' )", 2, 7, "unexpected character '('"},
    {"vif = [[[[[[[[[]]]]]]]]]", 2, 15, "lists are nested too deeply"},
    {"extra = \"a\" \"b\"", 2, 13, "unexpected a string after the value"},
    {"extra = \"a\" + \"b\"", 2, 13, "unexpected character '+'"},
    {"extra += [ 'a' ]\nextra += 'b'", 3, 10, "'+=' can't join a string to 'extra', which is a list"},
    {"import os", 2, 8, "expected '=' after 'import', found 'os'"},
    {"def f():", 2, 5, "expected '=' after 'def'"},
    {"memory = 2 * 512", 2, 12, "unexpected character '*'"},
    {"memory = 512 \\\n", 2, 14, "unexpected character '\\'"},
    {"extra = \xe2\x80\x9c"
     "a\xe2\x80\x9d",
     2, 9, "unexpected character 0xe2"},
    {"extra = '\xc3\xa9', x", 2, 12, "unexpected ',' after the value"},  // columns count characters
    {"\tmemory\t=\tx", 2, 11, "'x' is not a value"},
    {"memory=512\r\nvcpus=x\r\n", 3, 7, "'x' is not a value"},
};

constexpr Case keys[] = {
    {"initrd = '/i'", 2, 1, "unknown key 'initrd'"},
    {"vcpus=1; memroy = 512", 2, 10, "unknown key 'memroy'"},
    {"device_model = '/usr/bin/qemu'", 2, 1, "'device_model' is refused"},
    {"vif2 = ['']", 2, 1, "'vif2' is refused"},
    {"memory = [ 512 ]", 2, 10, "'memory' takes one value, not a list"},
    {"memory = '512 '", 2, 10, "'memory' takes a number of MiB, not '512 '"},
    {"memory = 09", 2, 10, "'memory' takes a number of MiB, not '09'"},
    {"memory = 0x", 2, 10, "'memory' takes a number"},
    {"memory = 0", 2, 10, "'memory' is out of range"},
    {"memory = -1", 2, 10, "'memory' is out of range"},
    {"memory = 99999999999999999999", 2, 10, "'memory' takes a number"},
    {"memory = 256\nmemory += 256", 3, 11, "'memory' takes a number, and '+=' joins text"},
    {"memory = 512\nmaxmem = 256", 2, 10, "'memory' is larger than 'maxmem'"},
    {"vcpus = 4; maxvcpus = 2", 2, 9, "'vcpus' is larger than 'maxvcpus'"},
    {"vcpus = 513", 2, 9, "'vcpus' is out of range"},
    {"cpu_weight = 65536", 2, 14, "'cpu_weight' is out of range"},
    {"hap = 'yes'", 2, 7, "'hap' takes a boolean, not 'yes'"},
    {"on_crash = 'restrat'", 2, 12, "'on_crash' can't be 'restrat'"},
    {"on_crash = [ 'restart' ]", 2, 12, "'on_crash' takes one value"},
    {"disk = '/x,,xvda'", 2, 8, "'disk' takes a list"},
    {"uuid = '1234'", 2, 8, "'1234' is no UUID"},
    {"uuid = '7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b1g'", 2, 8, "is no UUID"},
    {"bootloader_args = [ ['x'] ]", 2, 21, "an element of 'bootloader_args' takes one value"},
    {"cpus = '0-x'", 2, 11, "'x' is not a CPU number"},
    {"cpus = '3-1'", 2, 9, "the range '3-1' runs backwards"},
    {"cpus = '0,,1'", 2, 11, "a CPU list has an empty element"},
    {"cpus = '^1'", 2, 9, "excludes CPUs before it includes any"},
    {"cpus = '0, 4096'", 2, 12, "CPU number 4096 is too large"},
    {"cpus = [ '0', 'nodes:a' ]", 2, 22, "'a' is not a CPU number"},
    {"cpuid = 'tm=0'", 2, 10, "a CPUID string begins with \"host\""},
    {"cpuid = 'host,tmm=0,tm=2'", 2, 15, "unknown CPUID feature 'tmm'"},
    {"cpuid = 'host,tm=2'", 2, 18, "a CPUID feature is 0, 1, x or k, not '2'"},
    {"cpuid = 'host,tm'", 2, 15, "a CPUID feature needs a value"},
    {"cpuid = 'host,family=500'", 2, 22, "'family' takes a number that fits"},
    {"cpuid = [ '1:ecx=x0' ]", 2, 18, "a register takes 32 characters"},
    {"cpuid = [ '1:exx=0' ]", 2, 14, "unknown register 'exx'"},
    {"cpuid = [ 'z:eax=0' ]", 2, 12, "a CPUID leaf is a number"},
    {"cpuid = [ '1:eax=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy' ]", 2, 49, "a bit is 0, 1, x or k, not 'y'"},
    {"cpuid = [ 'eax' ]", 2, 11, "this CPUID element has no ':'"},
    {"vnuma = [ 'pnode=0' ]", 2, 11, "a virtual node is a list of its own"},
    {"vnuma = [ [ 'pnode=0', 'size=1', 'vcpus=0' ] ]", 2, 11, "this virtual node has no 'vdistances'"},
    {"vnuma = [ [ 'pnode=0', 'siez=1' ] ]", 2, 25, "a virtual node has no key 'siez'"},
    {"vnuma = [ [ 'pnode=0','size=1','vcpus=0','vdistances=10,20' ] ]", 2, 11, "this virtual node has 2 distances"},
    {"vnuma = [ [ 'pnode=0','size=1','vcpus=0-1','vdistances=10' ] ]", 2, 11, "has vCPU 1, the guest doesn't"},
    {"vcpus=2\nvnuma = [ [ 'pnode=0','size=1','vcpus=0','vdistances=10' ] ]", 3, 11, "vCPU 1 is in no virtual node"},
    {"maxmem=5\nvnuma = [ [ 'pnode=0','size=1','vcpus=0','vdistances=10' ] ]", 2, 8, "'maxmem' is not the sum"},
    {"seclabel = 'x'", 2, 1, "'seclabel' is refused"},
    {"pvshim = 1", 2, 1, "'pvshim' is refused"},
    {"tsc_mode = 3", 2, 12, "native_paravirt no longer exists"},
};

constexpr Case devices[] = {
    {"disk = [ '/x,,xvda', '/y,,xvdz9z' ]", 2, 27, "'xvdz9z' is no virtual disk"},
    {"disk = [ '/x,,xvda', '/y,,xvda' ]", 2, 27, "another disk is 'xvda' already"},
    {"disk = [ '/x,,xvda', '/y,,d0' ]", 2, 27, "another disk is 'xvda' already"},
    {"disk = [ '/x,rwa,xvda' ]", 2, 14, "'format' can't be 'rwa'"},
    {"disk = [ '/x,,xvda,rx' ]", 2, 20, "'access' can't be 'rx'"},
    {"disk = [ '/x,,xvda,w,y' ]", 2, 22, "one part too many"},
    {"disk = [ 'vdev=xvda,tarket=/x' ]", 2, 21, "a disk has no key 'tarket'"},
    {"disk = [ '/x' ]", 2, 10, "this disk has no virtual device"},
    {"disk = [ ',,xvda' ]", 2, 10, "this disk has no target"},
    {"disk = [ '/x,,xvda,vdev=xvdb' ]", 2, 20, "'vdev' is given twice"},
    {"disk = [\n  '/x,,xvda,\\\n', ]", 3, 13, "unknown escape"},
    {"disk = [\n '/x,,xvda',\n '/y,,xvdb,backendtype=phz' ]", 4, 24, "'backendtype' can't be 'phz'"},
    {"disk = [ [ '/x' ] ]", 2, 10, "a disk takes one value"},
    {"vif = [ 'mac=00:16:3e:01:02' ]", 2, 14, "is no MAC address"},
    {"vif = [ 'bridge=b, mac=01:16:3e:01:02:03' ]", 2, 24, "is a multicast address"},
    {"vif = [ 'mac=00:16:3e:01:02:03', 'mac=00:16:3e:1:2:3' ]", 2, 39, "another vif has this MAC"},
    {"vif = [ 'bridg=b' ]", 2, 10, "a vif has no key 'bridg'"},
    {"vif = [ 'bridge' ]", 2, 10, "'bridge' needs a value"},
    {"vif = [ 'rate=10' ]", 2, 15, "'10' is no rate"},
    {"vif = [ 'rate=10MB/s@0ms' ]", 2, 15, "is no rate"},
    {"vif = [ 'rate=1b/s' ]", 2, 15, "lets nothing through"},
    {"vif = [ 'rate=900GB/s@10s' ]", 2, 15, "is too large"},
    {"vif = [ 'mtu=10' ]", 2, 14, "'mtu' is out of range"},
    {"vif = [ 'devid=1', 'devid=1' ]", 2, 27, "another vif has this devid"},
    {"vif = [ 'accel=1' ]", 2, 10, "'accel' is refused"},
    {"vif = [ 'colo_sock_id=1' ]", 2, 10, "'colo_sock_id' is refused"},
    {"vif = [ 'trusted=1' ]", 2, 18, "'trusted' is a flag"},
    {"pci = [ '1' ]", 2, 10, "'1' is no PCI address"},
    {"pci = [ '00:20.0' ]", 2, 10, "is no PCI address"},
    {"pci = [ '00:02.8' ]", 2, 10, "is no PCI address"},
    {"pci = [ '00:02.0@20' ]", 2, 18, "'20' is no slot"},
    {"pci = [ 'seize=1' ]", 2, 9, "this PCI device has no address"},
    {"pci = [ '00:02.0,name=x' ]", 2, 23, "has an address or a name"},
    {"pci = [ '00:02.0', '0000:00:02.0' ]", 2, 21, "is passed through already"},
    {"pci = [ '00:02.0' ]\npassthrough = 'disabled'", 3, 15, "'passthrough' is disabled"},
    {"ioports = [ '3g8' ]", 2, 13, "is no range of I/O ports"},
    {"ioports = [ '3ff-3f8' ]", 2, 13, "is no range of I/O ports"},
    {"iomem = [ 'fd000' ]", 2, 11, "is no range of I/O memory"},
    {"irqs = [ 5, 'x' ]", 2, 13, "'x' is no IRQ"},
    {"channel = [ 'connection=pty' ]", 2, 13, "a channel has no 'name'"},
    {"channel = [ 'name=a,connection=socket' ]", 2, 13, "has no 'path'"},
    {"channel = [ 'name=a,connection=pty,path=/x' ]", 2, 41, "connection=pty has no path"},
    {"channel = [ 'name=a,connection=tty' ]", 2, 32, "'connection' can't be 'tty'"},
    {"vfb = [ 'vnc=yes' ]", 2, 14, "'vnc' takes a boolean"},
    {"vfb = [ 'vnclisten=0.0.0.0:x' ]", 2, 28, "the number of a display"},
    {"usbctrl = [ 'ports=32' ]", 2, 20, "'ports' is out of range"},
    {"usbctrl = [ 'type=pv,version=3' ]", 2, 30, "has no version 3"},
    {"usbdev = [ 'hostbus=1' ]", 2, 12, "a USB device has no 'hostaddr'"},
    {"usbdev = [ 'hostbus=1,hostaddr=2,port=1' ]", 2, 39, "means nothing without its controller"},
};

constexpr Case hvm_keys[] = {
    {"boot = 'cdx'", 2, 11, "there is no boot device 'x'"},
    {"viridian = [ 'freq' ]", 2, 12, "need the group 'base'"},
    {"viridian = [ 'base', '!frek' ]", 2, 24, "unknown viridian group 'frek'"},
    {"mmio_hole = 100", 2, 13, "'mmio_hole' is out of range"},
    {"firmware = 'ofmv'", 2, 12, "an HVM guest has no firmware 'ofmv'"},
    {"bios = 'rombios'", 2, 8, "ROMBIOS is refused"},
    {"spice = 1", 2, 9, "SPICE needs a port"},
    {"spice = 1; spiceport = 6000", 2, 9, "SPICE needs a password"},
    {"usb = 1; usbversion = 2", 2, 23, "doesn't go with 'usb'"},
    {"device_model_version = 'qemu-xen-traditional'", 2, 24, "qemu-xen-traditional is refused"},
    {"disk = [ '/x,,hda1' ]", 2, 15, "an emulated disk can't be a partition"},
    {"rdm = 'policy=strickt'", 2, 15, "'policy' can't be 'strickt'"},
    {"builder = 'generic'", 2, 11, "'builder' contradicts 'type'"},
    {"gfx_passthru = 'nvidia'", 2, 16, "'gfx_passthru' can't be 'nvidia'"},
    {"vsnd = [ [ 'STREAM, type=p' ] ]", 2, 1, "'vsnd' is refused"},
};

void expect_errors(std::span<const Case> cases, std::string_view type) {
    for (const Case& test : cases) {
        Loaded loaded("name='t'; type='" + std::string(type) + "'; kernel='/k'\n" + std::string(test.text));
        const auto& all = loaded.out.all();
        const auto error = std::find_if(all.begin(), all.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
        ASSERT_NE(error, all.end()) << "no error in: " << test.text;
        const Place place = loaded.sources.place(error->span.begin);
        EXPECT_EQ(std::pair(place.line, place.column), std::pair(test.line, test.column)) << loaded.complaints();
        EXPECT_NE(error->message.find(test.message), std::string::npos) << "expected " << test.message << "\n" << loaded.complaints();
    }
}

TEST(Broken, ThereAreEnoughCases) { EXPECT_GE(std::size(grammar) + std::size(keys) + std::size(devices) + std::size(hvm_keys), 150u); }
TEST(Broken, Grammar) { expect_errors(grammar, "pvh"); }
TEST(Broken, Keys) { expect_errors(keys, "pvh"); }
TEST(Broken, Devices) { expect_errors(devices, "pvh"); }
TEST(Broken, HvmKeys) { expect_errors(hvm_keys, "hvm"); }

// Whole files whose mistake is what is missing.
TEST(Broken, Mandatory) {
    const auto first = [](std::string text) {
        Loaded loaded(std::move(text));
        return loaded.out.errors() == 0 ? "fine" : loaded.complaints().substr(0, loaded.complaints().find('\n'));
    };
    EXPECT_EQ(first(""), "error: the domain has no name");
    EXPECT_EQ(first("\n type='hvm'"), "t.cfg:2:2: error: the domain has no name");
    EXPECT_EQ(first("type='hvm'\nname=''"), "t.cfg:2:6: error: the name is empty");
    EXPECT_EQ(first("name='x'"), "t.cfg:1:1: error: this guest has nothing to boot");
    EXPECT_EQ(first("name='x'\ntype='pvh'"), "t.cfg:2:6: error: this guest has nothing to boot");
    EXPECT_EQ(first("name='x'\nfirmware='uefi'"), "t.cfg:2:10: error: a PV guest has no firmware 'uefi'");
    EXPECT_EQ(first("name='x'; firmware='pvgrub64'"), "fine");
    EXPECT_EQ(first("name='x'; type='hvm'"), "fine");
    EXPECT_EQ(first("name='x'; type='pvx'; kernel='k'"), "t.cfg:1:16: error: 'type' can't be 'pvx'");
}

TEST(Broken, AllMistakesAreFoundAtOnce) {
    Loaded loaded("name='x\ntype='pvh'\nkernel='/k'\nmemroy=1\nvcpus='a'\nvif=[ 'mac=1', 'bridg=2' ]\ncpus='1-0'\n");
    EXPECT_EQ(loaded.out.errors(), 7u) << loaded.complaints();
}

TEST(Broken, OneMistakeIsOneError) {
    for (std::string_view text : {"vif=[ 'a\nmemory=512", "vif=[ '' \n\nmemory=512", "extra=[[[[[[[[[[[[]]]]\nmemory=512",
                                  "extra=%\nmemory=512", "memory 512\nvcpus=1", "vif=[ x, y\n]\nmemory=512"}) {
        Loaded loaded(minimal(text));
        EXPECT_LE(loaded.out.errors(), 2u) << loaded.complaints();
        EXPECT_GE(loaded.out.errors(), 1u) << text;
    }
}

TEST(Broken, KeysOfOtherGuestTypesAreWarnedOf) {
    Loaded loaded(minimal("boot='c'; hdtype='ide'; vnc=1"));
    EXPECT_EQ(loaded.out.errors(), 0u);
    EXPECT_EQ(loaded.out.warnings(), 2u) << loaded.complaints();
}

}  // namespace
}  // namespace px::xlcfg

// What settings mean: each row of a table is xl.cfg text and the JSON of what it says.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/xlcfg/helpers.hpp"

namespace px::xlcfg {
namespace {

struct Case {
    std::string_view text;
    std::string_view json;  ///< the member of the first key
};

void expect_meaning(std::span<const Case> cases, std::string_view type = "pvh") {
    for (const Case& test : cases) {
        Options options;
        options.allow_refused = true;
        Loaded loaded("name='t'; type='" + std::string(type) + "'; kernel='/k'; maxvcpus=8\n" + std::string(test.text), options);
        EXPECT_EQ(loaded.out.errors(), 0u) << test.text << "\n" << loaded.complaints();
        const std::string key(test.text.substr(0, test.text.find_first_of(" =+")));
        EXPECT_EQ(to_json(loaded.config)[key].dump(), test.json) << test.text;
    }
}

TEST(Config, Scalars) {
    constexpr Case cases[] = {
        {"memory=512", "512"},
        {"memory='0x200'", "512"},
        {"vcpus=02", "2"},
        {"uuid='7F3C0A52-1d2e-4c0e-9a7b-2f5f0f6a1b11'", R"("7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11")"},
        {"uuid='7f3c0a521d2e4c0e9a7b2f5f0f6a1b11'", R"("7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11")"},
        {"on_crash='coredump-restart'", R"("coredump-restart")"},
        {"on_reboot='Preserve'", R"("preserve")"},
        {"hap=1", "true"},
        {"hap=0", "false"},
        {"nestedhvm=2", "true"},
        {"timer_mode=1", R"("no_delay_for_missed_ticks")"},
        {"tsc_mode='always_emulate'", R"("always_emulate")"},
        {"bootloader_args=['-q', '--arg=x']", R"(["-q","--arg=x"])"},
        {"bootloader_args='-q  --arg=x '", R"(["-q","--arg=x"])"},
        {"extra='a'; extra+=' b'", R"("a b")"},
        {"pool=7", R"("7")"},
        {"seclabel='a:b'", R"("a:b")"},
        {"irqs=[5,0x10]", "[5,16]"},
        {"ioports=['2f8-2ff','3f8']", R"(["2f8-2ff","3f8-3f8"])"},
        {"iomem=['fd000,10','a0,20@0x100']", R"(["fd000,10","a0,20@100"])"},
        {"dtdev=['/soc/uart']", R"(["/soc/uart"])"},
    };
    expect_meaning(cases);
}

TEST(Config, ScalarsOfHvm) {
    constexpr Case cases[] = {
        {"boot='dc'", R"("dc")"},
        {"serial='pty'", R"(["pty"])"},
        {"serial=['pty','tcp:4']", R"(["pty","tcp:4"])"},
        {"usbdevice='tablet'", R"(["tablet"])"},
        {"rtc_timeoffset=-3600", "-3600"},
        {"mmio_hole=3072", "3072"},
        {"gfx_passthru=1", R"("default")"},
        {"gfx_passthru=0", R"("0")"},
        {"gfx_passthru='igd'", R"("igd")"},
        {"vga='qxl'", R"("qxl")"},
        {"viridian=1", R"(["base","freq","time_ref_count","apic_assist","crash_ctl","stimer","no_vp_limit","cpu_hotplug"])"},
        {"viridian=0", "[]"},
        {"viridian=['all','!freq','!stimer','!synic']",
         R"(["base","time_ref_count","reference_tsc","hcall_remote_tlb_flush","apic_assist","crash_ctl","hcall_ipi","ex_processor_masks","no_vp_limit","cpu_hotplug"])"},
        {"rdm='strategy=host,policy=relaxed'", R"({"strategy":"host","policy":"relaxed"})"},
        {"vnclisten='0.0.0.0:3'", R"("0.0.0.0:3")"},
        {"vnclisten='[::1]:2'", R"("[::1]:2")"},
        {"vnclisten='::1'", R"("::1")"},
        {"firmware='ovmf'", R"("ovmf")"},
    };
    expect_meaning(cases, "hvm");
}

TEST(Config, CpuLists) {
    constexpr Case cases[] = {
        {"cpus='all'", R"("all")"},
        {"cpus='0-3,5,^1'", R"("0-3,5,^1")"},
        {"cpus='all,^7'", R"("all,^7")"},
        {"cpus='nodes:0-3,^node:2'", R"("nodes:0-3,^nodes:2")"},
        {"cpus=['2','3-8,^5']", R"(["2","3-8,^5"])"},
        {"cpus=[2, 3]", R"(["2","3"])"},
        {"cpus=2", R"("2")"},
        {"cpus_soft=' 1 - 2 , node:1'", R"("1-2,nodes:1")"},
    };
    expect_meaning(cases);
}

std::string resolved(const char* list) {
    Loaded loaded(minimal("cpus='" + std::string(list) + "'"));
    EXPECT_EQ(loaded.out.errors(), 0u) << loaded.complaints();
    std::string cpus;
    // A host of 16 CPUs in nodes of four.
    for (bool bit : loaded.config.cpu.hard->of(0)->resolve(16, [](std::uint32_t cpu) { return cpu / 4; })) cpus += bit ? '1' : '0';
    return cpus;
}

TEST(Config, CpuListsResolveOnAHost) {  // the examples of xl.cfg(5)
    EXPECT_EQ(resolved("0-3,5,^1"), "1011010000000000");
    EXPECT_EQ(resolved("all,^7"), "1111111011111111");
    EXPECT_EQ(resolved("nodes:0-3,^node:2"), "1111111100001111");
    EXPECT_EQ(resolved("1,node:1,^6"), "0100110100000000");
    EXPECT_EQ(resolved("all,^node:1"), "1111000011111111");
    EXPECT_EQ(resolved("node:0,node:2,^9-11,14-20"), "1111000010000011");
}

TEST(Config, Vifs) {
    constexpr Case cases[] = {
        {"vif=['']", "[{}]"},
        {"vif=['mac=00:16:3E:74:3d:76,model=rtl8139,bridge=xenbr0']",
         R"([{"mac":"00:16:3e:74:3d:76","bridge":"xenbr0","model":"rtl8139"}])"},
        {"vif=['type=ioemu, mac=0:16:3e:1:2:3 , script=vif-nat','bridge=b']",
         R"([{"mac":"00:16:3e:01:02:03","type":"ioemu","script":"vif-nat"},{"bridge":"b"}])"},
        {"vif=['netdev=eth0']", R"([{"gatewaydev":"eth0"}])"},
        {"vif=['untrusted,mtu=9000,devid=3,ip=10.0.0.2,backend=net,vifname=v']",
         R"([{"vifname":"v","ip":"10.0.0.2","backend":"net","devid":3,"mtu":9000,"trusted":false}])"},
        {"vif=['rate=1MB/s@20ms']", R"([{"rate":"1MB/s@20ms"}])"},
        {"vif=['bridge=']", "[{}]"},
    };
    expect_meaning(cases);
}

TEST(Config, RatesAreBytesPerInterval) {
    struct {
        const char* text;
        std::uint32_t bytes, microseconds;
    } cases[] = {{"10Mb/s", 62'500, 50'000},
                 {"250KB/s", 12'500, 50'000},
                 {"1MB/s@20ms", 20'000, 20'000},
                 {"1GB/s@1s", 1'000'000'000, 1'000'000},
                 {"80b/s@100000us", 1, 100'000},
                 {"100B/s", 5, 50'000},
                 {"10MB/s@20", 200'000'000, 20'000'000}};
    for (const auto& test : cases) {
        Loaded loaded(minimal("vif=['rate=" + std::string(test.text) + "']"));
        ASSERT_EQ(loaded.out.errors(), 0u) << loaded.complaints();
        EXPECT_EQ(loaded.config.vifs[0].rate->bytes_per_interval, test.bytes) << test.text;
        EXPECT_EQ(loaded.config.vifs[0].rate->interval_us, test.microseconds) << test.text;
    }
}

TEST(Config, PassedThroughDevices) {
    constexpr Case cases[] = {
        {"pci=['01:02.3']", R"([{"bdf":"0000:01:02.3"}])"},
        {"pci=['ABCD:01:1f.*,permissive=0']", R"([{"bdf":"abcd:01:1f.*","permissive":false}])"},
        {"pci=['36:00.0@1f,seize=1']", R"([{"bdf":"0000:36:00.0","vslot":"1f","seize":true}])"},
        {"pci=['36:00.0,vslot=1f,seize=1']", R"([{"bdf":"0000:36:00.0","vslot":"1f","seize":true}])"},
        {"pci=['bdf=36:00.0,vslot=1f,seize=1']", R"([{"bdf":"0000:36:00.0","vslot":"1f","seize":true}])"},
        {"pci=['36:00.0,1f']", R"([{"bdf":"0000:36:00.0","vslot":"1f"}])"},
        {"pci=['name=gpu,msitranslate=1']", R"([{"name":"gpu","msitranslate":true}])"},
        {"pci=['01:00.0,rdm_policy=relaxed,power_mgmt=1']", R"([{"bdf":"0000:01:00.0","power_mgmt":true,"rdm_policy":"relaxed"}])"},
        {"usbctrl=['version=1,ports=4','version=2,ports=8']", R"([{"version":1,"ports":4},{"version":2,"ports":8}])"},
        {"usbctrl=['type=qusb']", R"([{"type":"qusb"}])"},
        {"usbdev=['hostbus=1,hostaddr=10,controller=0,port=2']", R"([{"hostbus":1,"hostaddr":10,"controller":0,"port":2}])"},
        {"usbdev=['type=hostdev,hostbus=1,hostaddr=2']", R"([{"type":"hostdev","hostbus":1,"hostaddr":2}])"},
    };
    expect_meaning(cases);
}

TEST(Config, OtherDevices) {
    constexpr Case cases[] = {
        {"vfb=['vnc=1,vnclisten=0.0.0.0,vncpasswd=,vncdisplay=2,keymap=de']",
         R"([{"vnc":true,"vnclisten":"0.0.0.0","vncdisplay":2,"keymap":"de"}])"},
        {"vfb=['sdl=1,opengl=0,display=:0,xauthority=/x,vncunused=0']",
         R"([{"vncunused":false,"sdl":true,"opengl":false,"display":":0","xauthority":"/x"}])"},
        {"channel=['connection=socket,path=/run/x,name=org.my.agent.1']",
         R"([{"name":"org.my.agent.1","connection":"socket","path":"/run/x"}])"},
        {"channel=[' name = a , connection = PTY ']", R"([{"name":"a","connection":"pty"}])"},
        {"vtpm=['backend=vtpm,uuid=7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11']",
         R"([{"backend":"vtpm","uuid":"7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11"}])"},
        {"p9=['tag=t,security_model=none,path=/srv']", R"([{"tag":"t","security_model":"none","path":"/srv"}])"},
        {"pvcalls=['backend=0']", R"([{"backend":"0"}])"},
        {"vkb=['backend-type=linux,feature-multi-touch=1,multi-touch-width=10']",
         R"([{"backend-type":"linux","feature-multi-touch":true,"multi-touch-width":10}])"},
        {"vdispl=['be-alloc=1,connectors=id0:1920x1080;id1:800x600']", R"([{"be-alloc":true,"connectors":"id0:1920x1080;id1:800x600"}])"},
        {"vsnd=[['CARD, short-name=Main, sample-formats=s16_le;s8','PCM, name=Main','STREAM, id=0, type=p']]",
         R"([["CARD, short-name=Main, sample-formats=s16_le;s8","PCM, name=Main","STREAM, unique-id=0, type=p"]])"},
        {"vnuma=[['pnode=0','size=512','vcpus=0-4,6','vdistances=10,20'],['pnode=1','size=256','vcpus=5,7','vdistances=20,10']]",
         R"([["pnode=0","size=512","vcpus=0,1,2,3,4,6","vdistances=10,20"],["pnode=1","size=256","vcpus=5,7","vdistances=20,10"]])"},
    };
    expect_meaning(cases);
}

constexpr std::string_view x = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
std::string with(unsigned bit, char value) {
    std::string bits(x);
    bits[31 - bit] = value;
    return bits;
}

TEST(Config, CpuidByNameAndByBitAreTheSame) {
    const auto rules = [](std::string_view text) {
        Loaded loaded(minimal("cpuid=" + std::string(text)));
        EXPECT_EQ(loaded.out.errors(), 0u) << loaded.complaints();
        return to_json(loaded.config)["cpuid"].dump();
    };
    EXPECT_EQ(rules("'host,tm=0,sse3=0'"), "[\"0x1:edx=" + with(29, '0') + "\",\"0x1:ecx=" + with(0, '0') + "\"]");
    EXPECT_EQ(rules("['1:edx=" + with(29, '0') + ",ecx=" + with(0, '0') + "']"), rules("'host,tm=0,sse3=0'"));
    EXPECT_EQ(rules("'host,avx2=k'"), "[\"0x7,0:ebx=" + with(5, 'k') + "\"]");
    EXPECT_EQ(rules("'host,lahf_lm=s'"), "[\"0x80000001:ecx=" + with(0, 'k') + "\"]");
    EXPECT_EQ(rules("'host,maxleaf=0xd'"), "[\"0x0:eax=00000000000000000000000000001101\"]");
    EXPECT_EQ(rules("'host,family=21,model=0x12,stepping=3'"), "[\"0x1:eax=xxxx000001100001xxxx111100100011\"]");
    EXPECT_EQ(rules("'host,proccount=2,clflush=8'"), "[\"0x1:ebx=xxxxxxxx0000001000001000xxxxxxxx\"]");
    EXPECT_EQ(rules("'0x40000000:eax=" + with(1, '1') + "'"), "[\"0x40000000:eax=" + with(1, '1') + "\"]");
}

TEST(Config, DeprecatedKeysAreTheirSuccessors) {
    Loaded hvm("builder='hvm'; name='t'; stdvga=1");
    EXPECT_EQ(to_json(hvm.config).dump(), R"({"name":"t","type":"hvm","vga":"stdvga"})");
    EXPECT_EQ(hvm.out.warnings(), 2u);
    Loaded both("stdvga=1; vga='qxl'; name='t'; type='hvm'");
    EXPECT_EQ(*both.config.display.vga, Vga::qxl);
    Loaded prefix("type='h'; name='t'");
    EXPECT_EQ(prefix.config.type(), GuestType::hvm);
    EXPECT_EQ(prefix.out.warnings(), 1u);
}

TEST(Config, Derived) {
    const auto config = [](std::string_view text) { return Loaded(minimal(text)).config; };
    EXPECT_EQ(config("root='/dev/xvda1'; extra='ro quiet'").command_line(), "root=/dev/xvda1 ro quiet");
    EXPECT_EQ(config("root='/dev/xvda1'").command_line(), "root=/dev/xvda1");
    EXPECT_EQ(config("extra='ro'").command_line(), "ro");
    EXPECT_EQ(config("extra='ro'; cmdline='x'").command_line(), "x");
    EXPECT_EQ(config("").command_line(), "");
    EXPECT_EQ(config("memory=64").maxmem_kib(), 64 * 1024);
    EXPECT_EQ(config("maxmem=64").memory_kib(), 64 * 1024);
    EXPECT_EQ(config("memory=32;maxmem=64").memory_kib(), 32 * 1024);
    EXPECT_EQ(config("").memory_kib(), 32 * 1024);
    EXPECT_EQ(config("vcpus=4").maxvcpus(), 4);
    EXPECT_EQ(config("maxvcpus=4").vcpus(), 1);
    EXPECT_EQ(config("vnc=1; vncdisplay=3").framebuffers().size(), 1u);
    EXPECT_EQ(*config("vnc=1; vncdisplay=3").framebuffers()[0].vncdisplay, 3);
    EXPECT_EQ(config("vnc=1; vfb=['sdl=1','sdl=0']").framebuffers().size(), 2u);
    EXPECT_EQ(config("vncdisplay=3").framebuffers().size(), 0u);
    EXPECT_EQ(Loaded("name='x';kernel='k'").config.type(), GuestType::pv);
}

TEST(Config, UnknownKeysMayBeWarnings) {
    Options options;
    options.unknown_keys = Severity::warning;
    Loaded loaded(minimal("my_note='x'"), options);
    EXPECT_EQ(loaded.out.errors(), 0u);
    EXPECT_EQ(loaded.out.warnings(), 1u);
}

TEST(Config, RefusedKeysMayAskForNothing) {
    EXPECT_EQ(Loaded(minimal("vpmu=0; altp2m='disabled'; vtpm=[]; seclabel=''; device_model_stubdomain_override=0")).out.errors(), 0u);
    EXPECT_EQ(Loaded(minimal("altp2m='mixed'")).out.errors(), 1u);
}

}  // namespace
}  // namespace px::xlcfg

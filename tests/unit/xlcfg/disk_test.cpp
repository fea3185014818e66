// Disk specifications: every form of xl-disk-configuration(5), and the numbers of virtual disks.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/xlcfg/helpers.hpp"

namespace px::xlcfg {
namespace {

std::string meaning(std::string_view spec) {
    Sources sources;
    Diagnostics out;
    Disk disk;
    const std::string text(spec);
    const Position base = sources.add("t", text);
    Value value;
    value.text = text;
    for (std::size_t at = 0; at < text.size(); ++at) value.places.push_back(base + static_cast<Position>(at));
    value.span = {base, base + static_cast<Position>(text.size())};
    const bool good = read(disk, value, out);
    EXPECT_EQ(good, out.errors() == 0);
    if (!good) return "error: " + out.all().back().message;
    return show(disk).dump() + (disk.is_writable() ? " w" : " r") + (disk.is_empty() ? " empty" : "");
}

struct Case {
    std::string_view spec;
    std::string_view meaning;
};

constexpr std::string_view plain = R"({"vdev":"hda","target":"/dev/vg/guest-volume"} w)";
constexpr std::string_view named = R"({"format":"raw","vdev":"hda","access":"rw","target":"/dev/vg/guest-volume"} w)";

constexpr Case cases[] = {
    // The manual's equivalent forms.
    {"/dev/vg/guest-volume,,hda", plain},
    {"/dev/vg/guest-volume,raw,hda,rw", named},
    {"format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume", named},
    {"raw:/dev/vg/guest-volume,hda,w", named},
    {"/root/image.iso,,hdc,cdrom", R"({"vdev":"hdc","devtype":"cdrom","target":"/root/image.iso"} r)"},
    {"/root/image.iso,,hdc,,cdrom", R"({"vdev":"hdc","devtype":"cdrom","target":"/root/image.iso"} r)"},
    {"/root/image.iso,raw,hdc,devtype=cdrom", R"({"format":"raw","vdev":"hdc","devtype":"cdrom","target":"/root/image.iso"} r)"},
    {"format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso",
     R"({"format":"raw","vdev":"hdc","access":"ro","devtype":"cdrom","target":"/root/image.iso"} r)"},
    {"raw:/root/image.iso,hdc:cdrom,ro", R"({"format":"raw","vdev":"hdc","access":"ro","devtype":"cdrom","target":"/root/image.iso"} r)"},
    // Forms that users' documents have (features.md 3.2).
    {"file:/x.img,xvda,rw", R"({"vdev":"xvda","access":"rw","target":"/x.img"} w)"},
    {"file:/x.iso,sdb:cdrom,r", R"({"vdev":"sdb","access":"ro","devtype":"cdrom","target":"/x.iso"} r)"},
    {"phy:/dev/vg0/hvm,xvda,w", R"({"vdev":"xvda","access":"rw","target":"/dev/vg0/hvm"} w)"},
    {"phy:/p,sda1,w", R"({"vdev":"sda1","access":"rw","target":"/p"} w)"},
    {"file:/ISO,sdb,r", R"({"vdev":"sdb","access":"ro","target":"/ISO"} r)"},
    {"/dev/zvol/tank/x,raw,hda,rw", R"({"format":"raw","vdev":"hda","access":"rw","target":"/dev/zvol/tank/x"} w)"},
    {"/root/f.iso,raw,hdc:cdrom,r", R"({"format":"raw","vdev":"hdc","access":"ro","devtype":"cdrom","target":"/root/f.iso"} r)"},
    // Other deprecated forms.
    {"tap:aio:qcow:/x,xvda,w", R"({"format":"qcow","vdev":"xvda","access":"rw","target":"/x"} w)"},
    {"tap2:/x,xvda,w", R"({"vdev":"xvda","access":"rw","target":"/x"} w)"},
    {"tapdisk:vhd:/x,xvda,w", R"({"format":"vhd","vdev":"xvda","access":"rw","target":"/x"} w)"},
    {"ioemu:file:/x,hda,w", R"({"vdev":"hda","access":"rw","target":"/x"} w)"},
    {"drbd:res0,xvda,w", R"({"vdev":"xvda","access":"rw","script":"block-drbd","target":"res0"} w)"},
    {"iscsi:iqn.x,xvda,w", R"({"vdev":"xvda","access":"rw","script":"block-iscsi","target":"iqn.x"} w)"},
    {",hdc:cdrom,r", R"({"vdev":"hdc","access":"ro","devtype":"cdrom"} r empty)"},
    // An empty drive.
    {",,hdc,cdrom", R"({"vdev":"hdc","devtype":"cdrom"} r empty)"},
    {"vdev=hdc,cdrom", R"({"vdev":"hdc","devtype":"cdrom"} r empty)"},
    {"vdev=hdc,cdrom,target=", R"({"vdev":"hdc","devtype":"cdrom"} r empty)"},
    // Keys, flags, and the target that takes the rest.
    {"/x,qcow2,xvda,rw,backendtype=qdisk,backend=stor,script=s,specification=xen",
     R"({"format":"qcow2","vdev":"xvda","access":"rw","backend":"stor","backendtype":"qdisk","script":"s","specification":"xen","target":"/x"} w)"},
    {"/x,,xvda,direct-io-safe,no-discard,untrusted",
     R"({"vdev":"xvda","direct-io-safe":true,"discard":false,"trusted":false,"target":"/x"} w)"},
    {"/x,,xvda,discard,trusted,no-colo", R"({"vdev":"xvda","discard":true,"trusted":true,"target":"/x"} w)"},
    {"vdev=xvda,target=/a,b, c=d:e ", R"({"vdev":"xvda","target":"/a,b, c=d:e "} w)"},
    {",,xvda,target=/a,b", R"({"vdev":"xvda","target":"/a,b"} w)"},
    {"/x,,xvda,format=qcow2", R"({"format":"qcow2","vdev":"xvda","target":"/x"} w)"},
    {"/x,raw,xvda:disk,w,", R"({"format":"raw","vdev":"xvda","access":"rw","devtype":"disk","target":"/x"} w)"},
    {"rbd:pool/img,,xvda", R"({"vdev":"xvda","target":"rbd:pool/img"} w)"},
    {"nbd:localhost 10809,xvda,w", R"({"vdev":"xvda","access":"rw","script":"block-nbd","target":"localhost 10809"} w)"},
    {"vdev=xvda, /x", R"({"vdev":"xvda","target":"/x"} w)"},
    {"  /x , , xvda , r ", R"({"vdev":"xvda","access":"ro","target":"/x"} r)"},
    {"vg/lv,,xvda", R"({"vdev":"xvda","target":"vg/lv"} w)"},
    // Mistakes.
    {"", "error: this disk has no virtual device"},
    {"/x", "error: this disk has no virtual device"},
    {"/x,raw,xvdaa1b", "error: 'xvdaa1b' is no virtual disk"},
    {"/x,xvda,w", "error: 'w' is no virtual disk"},
    {",,xvda", "error: this disk has no target"},
    {"/x,,xvda,w,extra", "error: this is one part too many for a disk: 'extra'"},
    {"/x,raw,xvda,format=raw", "error: 'format' is given twice"},
    {"/x,,xvda,colo-host=h", "error: 'colo-host' is refused: COLO replication is not supported"},
    {"/x,,xvda,discard=1", "error: 'discard' is a flag and takes no value"},
    {"/x,vhd,xvda,w,backendtype=phy", "error: this backend type serves raw disks only"},
};

TEST(Disk, Forms) {
    for (const Case& test : cases) EXPECT_EQ(meaning(test.spec), test.meaning) << test.spec;
}

TEST(Disk, RelativeTargetsAreUnderDev) {
    Disk disk;
    disk.target.value = "vg/lv";
    EXPECT_EQ(disk.path(), "/dev/vg/lv");
    disk.target.value = "/x";
    EXPECT_EQ(disk.path(), "/x");
    disk.target.value.reset();
    EXPECT_EQ(disk.path(), "");
}

TEST(Disk, NumbersOfVirtualDisks) {  // xen-vbd-interface(7)
    const auto number = [](std::string_view name) {
        const auto disk = parse_virtual_disk(name);
        return disk ? static_cast<std::int64_t>(disk->number) : -1;
    };
    EXPECT_EQ(number("xvda"), 202 << 8);
    EXPECT_EQ(number("xvdb2"), 202 << 8 | 1 << 4 | 2);
    EXPECT_EQ(number("xvdp15"), 202 << 8 | 15 << 4 | 15);
    EXPECT_EQ(number("xvdq"), 1 << 28 | 16 << 8);
    EXPECT_EQ(number("xvda16"), 1 << 28 | 16);
    EXPECT_EQ(number("xvdtq37"), 1 << 28 | 536 << 8 | 37);
    EXPECT_EQ(number("d536p37"), number("xvdtq37"));
    EXPECT_EQ(number("d0"), number("xvda"));
    EXPECT_EQ(number("d0p0"), number("xvda"));
    EXPECT_EQ(number("d1p2"), number("xvdb2"));
    EXPECT_EQ(number("hda"), 3 << 8);
    EXPECT_EQ(number("hdb1"), 3 << 8 | 1 << 6 | 1);
    EXPECT_EQ(number("hdc2"), 22 << 8 | 2);
    EXPECT_EQ(number("hdd63"), 22 << 8 | 1 << 6 | 63);
    EXPECT_EQ(number("sda"), 8 << 8);
    EXPECT_EQ(number("sdb3"), 8 << 8 | 1 << 4 | 3);
    EXPECT_EQ(number("51712"), 51712);
    EXPECT_EQ(number("0xca00"), 51712);
    for (const char* wrong : {"", "xvd", "xvdA", "hde", "hda64", "sdq", "sda16", "xvda256", "xvda01", "d", "dp1", "d1p", "d1048576",
                              "xvdaaaaaa", "cdrom", "-1", "xvda1b", "536870912"})
        EXPECT_EQ(number(wrong), -1) << wrong;
}

}  // namespace
}  // namespace px::xlcfg

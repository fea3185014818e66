// What a disk or network card of a configuration becomes in the store, and what is refused.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "libxlcfg/load.hpp"
#include "toolstack/device/channel.hpp"
#include "toolstack/device/disk.hpp"
#include "toolstack/device/vif.hpp"

namespace px::device {
namespace {

using ::testing::HasSubstr;

xlcfg::DomainConfig load(const std::string& more) {
    xlcfg::Sources sources;
    xlcfg::Diagnostics out;
    auto config = xlcfg::load(sources, "t.cfg", "name='t'; type='pvh'; kernel='/k'\n" + more, out);
    EXPECT_EQ(out.errors(), 0u) << out.all().front().message;
    return config;
}
xlcfg::Disk disk(const std::string& spec) { return load("disk=['" + spec + "']\n").disks.at(0); }
xlcfg::Vif vif(const std::string& spec) { return load("vif=['" + spec + "']\n").vifs.at(0); }

std::map<std::string, std::string> map_of(const std::vector<Node>& nodes) {
    std::map<std::string, std::string> all;
    for (const Node& node : nodes) EXPECT_TRUE(all.emplace(node.name, node.value).second) << node.name << " is there twice";
    return all;
}

std::string image() {
    const std::string path = ::testing::TempDir() + "disk.img";
    std::ofstream(path) << "content";
    return path;
}

TEST(DiskNodes, FileGetsItsLoopDeviceByTheScript) {
    const auto made = new_disk(disk(image() + ",raw,xvdb,rw"), DomId{7});
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->device.back(), "/local/domain/0/backend/vbd/7/51728");
    EXPECT_EQ(made->script, "/etc/xen/scripts/block");
    auto back = map_of(made->back), front = map_of(made->front);
    EXPECT_EQ(back["params"], image());
    EXPECT_EQ(back["mode"], "w");
    EXPECT_EQ(back["type"], "phy");
    EXPECT_EQ(back["dev"], "xvdb");
    EXPECT_EQ(back.count("physical-device"), 0u);
    EXPECT_EQ(front["virtual-device"], "51728");
    EXPECT_EQ(front["device-type"], "disk");
}

TEST(DiskNodes, ReadOnlyAndCdrom) {
    EXPECT_EQ(map_of(new_disk(disk(image() + ",raw,xvda,ro"), DomId{1})->back)["mode"], "r");
    const auto cdrom = new_disk(disk(image() + ",raw,xvda,cdrom"), DomId{1});
    EXPECT_EQ(map_of(cdrom->front)["device-type"], "cdrom");
    EXPECT_EQ(map_of(cdrom->back)["mode"], "r");
    EXPECT_EQ(map_of(cdrom->back)["removable"], "1");
}

TEST(DiskNodes, AScriptOfOnesOwnMakesSenseOfTheTarget) {
    const auto made = new_disk(disk("format=raw,vdev=xvda,script=block-iscsi,target=iqn=x,portal=y"), DomId{1});
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->script, "/etc/xen/scripts/block-iscsi");
    EXPECT_EQ(map_of(made->back)["params"], "iqn=x,portal=y");
}

TEST(DiskNodes, WhatCantBeServedIsRefused) {
    const std::pair<std::string, const char*> cases[] = {
        {"/nowhere/x.img,raw,xvda,rw", "xvda: can't find /nowhere/x.img: No such file"},
        {"/tmp,raw,xvda,rw", "neither a block device nor a file"},
        {image() + ",qcow2,xvda,rw", "only raw images"},
        {"backendtype=qdisk,vdev=xvda,target=" + image(), "backendtype"},
        {"backend=storage,vdev=xvda,target=" + image(), "backend can only be Domain-0"},
        {"specification=virtio,vdev=xvda,target=" + image(), "specification"},
        {",raw,xvdc,cdrom", "without a disk"},
    };
    for (const auto& [spec, cause] : cases) {
        const auto made = new_disk(disk(spec), DomId{1});
        ASSERT_FALSE(made.ok()) << spec;
        EXPECT_THAT(made.error().text, HasSubstr(cause));
    }
}

TEST(VifNodes, DefaultsAndWhatTheVifSays) {
    auto card = vif("");
    card.devid.value = 2;
    card.mac.value = random_mac();
    auto made = new_vif(card, DomId{3}, {});
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->script, "/etc/xen/scripts/vif-bridge");
    EXPECT_EQ(made->device.front(), "/local/domain/3/device/vif/2");
    EXPECT_EQ(map_of(made->back)["bridge"], "xenbr0");
    EXPECT_EQ(map_of(made->back)["mac"], to_string(*card.mac));
    EXPECT_EQ(map_of(made->back).count("rate"), 0u);

    card = vif("mac=00:16:3e:00:00:01,bridge=br7,script=vif-route,ip=10.0.0.2,vifname=web,rate=1MB/s,mtu=9000,devid=0");
    made = new_vif(card, DomId{3}, {});
    auto back = map_of(made->back);
    EXPECT_EQ(made->script, "/etc/xen/scripts/vif-route");
    EXPECT_EQ(back["mac"], "00:16:3e:00:00:01");
    EXPECT_EQ(back["bridge"], "br7");
    EXPECT_EQ(back["ip"], "10.0.0.2");
    EXPECT_EQ(back["vifname"], "web");
    EXPECT_EQ(back["rate"], "50000,50000");
    EXPECT_EQ(map_of(made->front)["mtu"], "9000");
}

TEST(VifNodes, EmulatedCardsAreRefused) { EXPECT_THAT(check_supported(vif("type=ioemu")).error().text, HasSubstr("device model")); }

TEST(VifNodes, DefaultsOfXlConf) {
    const std::string path = ::testing::TempDir() + "xl.conf";
    std::ofstream(path) << "autoballoon = \"auto\"\nvif.default.bridge=\"lan\"\nvif.default.script=\"vif-route\"\n";
    const auto defaults = VifDefaults::load(path);
    ASSERT_TRUE(defaults.ok());
    EXPECT_EQ(defaults->bridge, "lan");
    EXPECT_EQ(defaults->script, "vif-route");
    EXPECT_EQ(VifDefaults::load("/nowhere/xl.conf")->bridge, "xenbr0");
    std::ofstream(path) << "vif.default.bridge=lan\n";
    EXPECT_THAT(VifDefaults::load(path).error().text, HasSubstr("xl.conf:1:"));
}

TEST(VifNodes, RandomAddressesAreXens) {
    const auto mac = random_mac();
    EXPECT_EQ(to_string(mac).substr(0, 8), "00:16:3e");
    EXPECT_FALSE(mac.is_multicast());
}

TEST(ChannelNodes, TerminalsButNoSockets) {
    const auto channels = load("channel=['name=org.agent,connection=pty', 'name=b,connection=socket,path=/run/b']\n").channels;
    const auto made = new_channel(channels.at(0), DomId{4}, 1);
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->device.back(), "/local/domain/0/backend/console/4/1");
    EXPECT_EQ(map_of(made->front)["name"], "org.agent");
    EXPECT_THAT(check_supported(channels.at(1)).error().text, HasSubstr("channel b: connection can only be pty"));
}

}  // namespace
}  // namespace px::device

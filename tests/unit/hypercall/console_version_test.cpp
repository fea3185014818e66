// xen_version, console_io, vm_assist.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/version.hpp"
#include "hypervisor/hypercall/xen_version.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

using abi::XenVersionOp;

class Console : public HypercallWorld {
protected:
    i64 version(Vcpu& caller, XenVersionOp op, u64 argument) { return invoke(hypercall_xen_version, caller, {{number(op), argument}}); }
    /// What the log ring has got since `from`.
    static std::string logged(u64 from) {
        std::string text(4096, '\0');
        text.resize(console_ring_read(&from, text));
        return text;
    }
};

TEST_F(Console, VersionNumberAndTexts) {
    EXPECT_EQ(version(guest(), XenVersionOp::version, 0), 4 << 16 | 17);
    EXPECT_EQ(version(guest(), XenVersionOp::pagesize, 0), 4096);
    EXPECT_EQ(version(guest(), XenVersionOp::pagesize, 1), error(Errno::einval));
    abi::Extraversion extra;
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), {{number(XenVersionOp::extraversion), address(extra)}}, extra), 0);
    EXPECT_STREQ(extra, ".0-philoxen");
    for (const auto op :
         {XenVersionOp::extraversion, XenVersionOp::compile_info, XenVersionOp::capabilities, XenVersionOp::changeset,
          XenVersionOp::platform_parameters, XenVersionOp::get_features, XenVersionOp::guest_handle, XenVersionOp::commandline}) {
        EXPECT_EQ(version(guest(), op, nowhere), error(Errno::efault)) << number(op);
    }
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), {{11, 0}}), error(Errno::enosys));
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), {{99, 0}}), error(Errno::enosys));
}

TEST_F(Console, CommandLineAndBuildIdAreForTheControlDomain) {
    set_command_line_text("dom0_mem=512M secret");
    abi::Commandline text;
    const HypercallArgs args{{number(XenVersionOp::commandline), address(text)}};
    EXPECT_EQ(invoke(hypercall_xen_version, control(), args, text), 0);
    EXPECT_STREQ(text, "dom0_mem=512M secret");
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), args, text), 0);
    EXPECT_STREQ(text, "<denied>");
    EXPECT_EQ(version(guest(), XenVersionOp::build_id, 0), error(Errno::eperm));
    EXPECT_EQ(version(control(), XenVersionOp::build_id, 0), error(Errno::enodata));
}

TEST_F(Console, Features) {
    abi::FeatureInfo info{0, 0};
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), {{number(XenVersionOp::get_features), address(&info)}}, info), 0);
    const auto has = [&](abi::Feature feature) { return (info.submap >> static_cast<u32>(feature) & 1) != 0; };
    EXPECT_TRUE(has(abi::Feature::auto_translated_physmap));
    EXPECT_TRUE(has(abi::Feature::memory_op_vnode_supported));
    EXPECT_TRUE(has(abi::Feature::not_direct_mapped));
    EXPECT_FALSE(has(abi::Feature::direct_mapped));
    EXPECT_FALSE(has(abi::Feature::dom0));
    EXPECT_FALSE(has(abi::Feature::hvm_pirqs));
    info.submap_idx = 1;
    EXPECT_EQ(invoke(hypercall_xen_version, guest(), {{number(XenVersionOp::get_features), address(&info)}}, info), error(Errno::einval));
}

TEST_F(Console, IsNotForGuests) {
    char text[] = "hello\n";
    const LogThresholds before = console_levels(true);
    for (const LogLevel level : {LogLevel::error, LogLevel::debug}) {
        console_set_levels(console_levels(false), {level, level});
        const u64 start = console_ring_head();
        EXPECT_EQ(invoke(hypercall_console_io, guest(), {{0, 6, address(text)}}, text), error(Errno::eperm));
        EXPECT_EQ(logged(start), "");
    }
    console_set_levels(console_levels(false), before);
    for (const u64 operation : {0u, 1u, 7u}) {
        EXPECT_EQ(invoke(hypercall_console_io, guest(), {{operation, 5, nowhere}}), error(Errno::eperm));
    }
}

TEST_F(Console, LongTextIsPrintedInParts) {
    DomainSettings chosen = settings();
    chosen.hardware = chosen.control = true;
    Vcpu& vcpu = *make_domain(3, chosen).vcpu(VcpuId{0});
    std::array<char, 1000> text;
    text.fill('x');
    text.back() = '\n';
    preempt_ = true;
    console_keep_owner_text(true);
    const u64 start = console_ring_head();
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{0, text.size(), address(text.data())}}, text), 0);
    EXPECT_EQ(rounds_, 8u);  // of 128 characters each
    EXPECT_EQ(std::ranges::count(logged(start), 'x'), 999);
    console_keep_owner_text(false);
}

TEST_F(Console, HardwareDomainPrintsAndReads) {
    DomainSettings chosen = settings();
    chosen.hardware = chosen.control = true;
    Vcpu& vcpu = *make_domain(3, chosen).vcpu(VcpuId{0});
    char text[] = "dom0\n";
    const u64 start = console_ring_head();
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{0, 5, address(text)}}, text), 0);
    EXPECT_EQ(logged(start), "") << "what it prints isn't the hypervisor's log, unless console_to_ring says so";
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{0, 5, nowhere}}), error(Errno::efault));
    char room[16];
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{1, 16, address(room)}}, room), 0);  // nobody types
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{1, 0x8000'0000, address(room)}}, room), error(Errno::e2big));
    EXPECT_EQ(invoke(hypercall_console_io, vcpu, {{2, 0, 0}}), error(Errno::enosys));
}

TEST_F(Console, VmAssist) {
    const u64 runstate = number(abi::VmassistType::runstate_update_flag);
    EXPECT_EQ(invoke(hypercall_vm_assist, guest(), {{0, runstate}}), 0);
    EXPECT_EQ(guest_domain().vm_assist, u64{1} << runstate);
    EXPECT_EQ(invoke(hypercall_vm_assist, guest(), {{1, runstate}}), 0);
    EXPECT_EQ(guest_domain().vm_assist, 0u);
    EXPECT_EQ(invoke(hypercall_vm_assist, guest(), {{0, 60}}), error(Errno::einval));
    EXPECT_EQ(invoke(hypercall_vm_assist, guest(), {{0, 200}}), error(Errno::einval));
    EXPECT_EQ(invoke(hypercall_vm_assist, guest(), {{2, runstate}}), error(Errno::enosys));
}

}  // namespace
}  // namespace px

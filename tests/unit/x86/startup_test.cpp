// Start states of vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/startup.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

class StartupTest : public X86World {
protected:
    StartupTest() : domain_(make_domain(1, 2)), vcpu_(*domain_.vcpu(VcpuId{1})), fake_(fake_of(vcpu_)) {
        // Traces of an earlier life.
        for (unsigned i = 0; i < 16; ++i) vcpu_.arch.registers[i] = 0x1111 * (i + 1);
        vcpu_.arch.control = {~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}};
        vcpu_.arch.pending = {.kind = Event::Kind::exception, .vector = 14};
        vcpu_.arch.nmi_pending = true;
        vcpu_.arch.lstar = vcpu_.arch.kernel_gs_base = vcpu_.arch.sysenter_eip = 0xdead;
        vcpu_.arch.dr7 = 0xff;
    }
    void expect_clean() {
        for (unsigned i = 0; i < 16; ++i) { EXPECT_TRUE(i == 3 || vcpu_.arch.registers[i] == 0) << "register " << i; }
        EXPECT_EQ(vcpu_.arch.registers.rflags, 2u);
        EXPECT_TRUE(vcpu_.arch.control.cr2 == 0 && vcpu_.arch.control.cr3 == 0 && vcpu_.arch.control.cr4 == 0 &&
                    vcpu_.arch.control.efer == 0);
        EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
        EXPECT_FALSE(vcpu_.arch.nmi_pending);
        EXPECT_TRUE(vcpu_.arch.lstar == 0 && vcpu_.arch.kernel_gs_base == 0 && vcpu_.arch.sysenter_eip == 0);
        EXPECT_EQ(vcpu_.arch.dr7, 0x400u);
        EXPECT_EQ(fake_.segments.size(), 8u) << "no segment is left as it was";
        EXPECT_GT(fake_.control_changes, 0u) << "the back end must hear of it";
        for (const auto& [which, segment] : fake_.segments) {
            EXPECT_NE(segment.attributes & SegmentRegister::present, 0) << static_cast<unsigned>(which);
        }
    }
    Domain& domain_;
    Vcpu& vcpu_;
    FakeVcpu& fake_;
};

// [intel/sdm3 9.4.4.1]: CS base page << 12, selector page << 8, IP 0; real mode.
TEST_F(StartupTest, AStartupIpiBeginsAtItsPage) {
    vcpu_.halt(Vcpu::down);
    vcpu_.arch.waits_for_startup = true;
    startup_vcpu(vcpu_, 0x9a);
    expect_clean();
    EXPECT_FALSE(vcpu_.arch.waits_for_startup);
    EXPECT_FALSE(vcpu_.is_halted(Vcpu::down));
    EXPECT_EQ(vcpu_.arch.control.cr0, arch::cr0::et);
    EXPECT_EQ(vcpu_.arch.registers.rip, 0u);
    const SegmentRegister& cs = fake_.segments.at(Segment::cs);
    EXPECT_TRUE(cs.selector == 0x9a00 && cs.base == 0x9a000 && cs.limit == 0xffff);
    EXPECT_EQ(cs.attributes & (SegmentRegister::big | SegmentRegister::long_mode), 0);
    EXPECT_EQ(fake_.segments.at(Segment::ss).base, 0u);
    EXPECT_EQ(fake_.idtr.limit, 0xffff);
}
TEST_F(StartupTest, ARunningVcpuIgnoresIt) {
    vcpu_.arch.waits_for_startup = false;
    vcpu_.arch.registers.rip = 0x1234;
    startup_vcpu(vcpu_, 0x9a);
    EXPECT_EQ(vcpu_.arch.registers.rip, 0x1234u);
    EXPECT_TRUE(fake_.segments.empty());
}

// [xen/docs misc/pvh.pandoc]: EBX start info; CR0.PE only; flat 32-bit segments; a TSS of 0x67; the rest is undefined.
TEST_F(StartupTest, PvhBeginsIn32BitProtectedMode) {
    set_pvh_entry(vcpu_, 0x100'0000, 0x9000);
    expect_clean();
    EXPECT_EQ(vcpu_.arch.control.cr0, arch::cr0::pe | arch::cr0::et);
    EXPECT_EQ(vcpu_.arch.registers.rip, 0x100'0000u);
    EXPECT_EQ(vcpu_.arch.registers.rbx, 0x9000u);
    for (const Segment which : {Segment::cs, Segment::ds, Segment::es, Segment::ss}) {
        const SegmentRegister& segment = fake_.segments.at(which);
        EXPECT_TRUE(segment.base == 0 && segment.limit == ~0u);
        EXPECT_NE(segment.attributes & SegmentRegister::big, 0);
        EXPECT_EQ(segment.attributes & SegmentRegister::long_mode, 0);
    }
    EXPECT_EQ(fake_.segments.at(Segment::cs).attributes & 8, 8) << "code";
    EXPECT_EQ(fake_.segments.at(Segment::tr).limit, 0x67u);
    EXPECT_EQ(fake_.segments.at(Segment::tr).attributes & 0x1f, 0xb) << "a busy 32-bit TSS";
}

TEST_F(StartupTest, InitStopsAndWaits) {
    vcpu_.arch.waits_for_startup = false;
    init_vcpu(vcpu_);
    EXPECT_TRUE(vcpu_.is_halted(Vcpu::down));
    EXPECT_TRUE(vcpu_.arch.waits_for_startup);
    EXPECT_FALSE(vcpu_.is_runnable());
}

}  // namespace
}  // namespace px::hvm

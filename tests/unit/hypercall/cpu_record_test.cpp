// Saved states: framing, and the CPU record.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/cpu_record.hpp"

#include <gtest/gtest.h>

#include <random>

#include "arch/x86/domctl/record_stream.hpp"

namespace px::hvm {
namespace {

constexpr u64 any_cr4 = ~u64{0}, any_efer = ~u64{0};

TEST(RecordStream, WhatIsWrittenIsRead) {
    std::array<u8, 100> buffer{};
    RecordWriter writer(buffer);
    ASSERT_TRUE(writer.put(HvmSaveCode::tsc_adjust, 3, abi::x86::HvmTscAdjust{0x1234}).ok());
    ASSERT_TRUE(writer.end().ok());
    EXPECT_EQ(writer.size(), 8u + 8 + 8);
    RecordWriter counter = RecordWriter::counter();
    ASSERT_TRUE(counter.put(HvmSaveCode::tsc_adjust, 3, abi::x86::HvmTscAdjust{0x1234}).ok());
    EXPECT_EQ(counter.size(), 16u);

    RecordReader reader(std::span<const u8>(buffer).first(writer.size()));
    const Record first = *reader.next();
    EXPECT_EQ(first.code, HvmSaveCode::tsc_adjust);
    EXPECT_EQ(first.instance, 3);
    EXPECT_EQ(first.as<abi::x86::HvmTscAdjust>()->tsc_adjust, 0x1234u);
    EXPECT_EQ(first.as<abi::x86::HvmHwPmtimer>()->tmr_val, 0x1234u);  // as long
    EXPECT_EQ(first.as<abi::x86::HvmHwCpu>().error(), Errno::einval);
    EXPECT_EQ(reader.next()->code, HvmSaveCode::end);
    EXPECT_EQ(reader.next().error(), Errno::enodata);
}

TEST(RecordStream, NothingIsReadBeyondTheEnd) {
    std::array<u8, 24> buffer{};
    RecordWriter writer(buffer);
    ASSERT_TRUE(writer.put(HvmSaveCode::tsc_adjust, 0, abi::x86::HvmTscAdjust{1}).ok());
    EXPECT_EQ(writer.put(HvmSaveCode::tsc_adjust, 0, abi::x86::HvmTscAdjust{1}).error(), Errno::enospc);
    for (usize length = 0; length < 16; ++length) {
        RecordReader reader(std::span<const u8>(buffer).first(length));
        EXPECT_EQ(reader.next().error(), Errno::enodata) << length;
    }
}

/// What libxl gives the first vCPU of a PVH guest.
abi::x86::HvmHwCpu pvh_start() {
    abi::x86::HvmHwCpu record{};
    record.cs_limit = record.ds_limit = record.es_limit = record.ss_limit = ~u32{0};
    record.tr_limit = 0x67;
    record.cs_arbytes = 0xc9b;
    record.ds_arbytes = record.es_arbytes = record.ss_arbytes = 0xc93;
    record.tr_arbytes = 0x8b;
    record.cr0 = 0x11;
    record.rip = 0x1000000;
    record.rbx = 0x2000;
    return record;
}

TEST(CpuRecord, StartOfAPvhGuest) {
    const auto image = from_record(pvh_start(), 0, 0);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->registers.rip, 0x1000000u);
    EXPECT_EQ(image->registers.rbx, 0x2000u);
    EXPECT_EQ(image->registers.rflags, 2u);
    EXPECT_EQ((*image)[Segment::cs].attributes, 0xc9b);
    EXPECT_EQ((*image)[Segment::ss].limit, ~u32{0});
    EXPECT_EQ(image->dr6, 0xffff0ff0u);
    EXPECT_EQ(image->dr7, 0x400u);
    EXPECT_FALSE(image->fpu_initialised);
    EXPECT_EQ(image->pending.kind, Event::Kind::none);
}

TEST(CpuRecord, EveryFieldSurvives) {
    // A record of random numbers, made sane where from_record() looks, comes back bit by bit.
    std::mt19937_64 random(1);
    for (int round = 0; round < 100; ++round) {
        abi::x86::HvmHwCpu record{};
        u64 words[sizeof record / 8];
        for (u64& word : words) word = random();
        std::memcpy(&record, words, sizeof words);
        record.cr0 = 0x80000011;
        record.cr4 |= 0x20;
        record.msr_efer = (record.msr_efer & 0xfff) | 0x500;
        record.cr3 &= 0xfffff000;
        record.dr6 = 0xffff0ff0 | (record.dr6 & 0xf);
        record.dr7 = 0x400 | (record.dr7 & 0xff);
        record.rflags |= 2;
        record.msr_flags = 0;
        record.flags = 1;
        record.pad0 = 0;
        record.pending_event = 1u << 31 | 3u << 8 | 1u << 11 | 14;
        for (u32* selector : {&record.cs_sel, &record.ds_sel, &record.es_sel, &record.fs_sel, &record.gs_sel, &record.ss_sel,
                              &record.tr_sel, &record.ldtr_sel, &record.gdtr_limit, &record.idtr_limit}) {
            *selector &= 0xffff;
        }
        for (u32* rights : {&record.cs_arbytes, &record.ds_arbytes, &record.es_arbytes, &record.fs_arbytes, &record.gs_arbytes,
                            &record.ss_arbytes, &record.tr_arbytes, &record.ldtr_arbytes}) {
            *rights &= 0xfff;
        }
        const auto image = from_record(record, any_cr4, any_efer);
        ASSERT_TRUE(image.ok());
        const abi::x86::HvmHwCpu back = to_record(*image);
        ASSERT_EQ(std::memcmp(&back, &record, sizeof record), 0);
    }
}

TEST(CpuRecord, ImpossibleStatesAreRefused) {
    const auto refused = [](auto change) {
        abi::x86::HvmHwCpu record = pvh_start();
        change(record);
        const auto image = from_record(record, 0x20, 0x900);
        return !image.ok() && image.error() == Errno::einval;
    };
    using Cpu = abi::x86::HvmHwCpu;
    EXPECT_TRUE(refused([](Cpu& r) { r.pad0 = 1; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.flags = 2; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.cr0 = 0x80000010; }));  // paging without protection
    EXPECT_TRUE(refused([](Cpu& r) { r.cr0 = u64{1} << 32; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.cr4 = 1u << 21; }));       // not in its policy
    EXPECT_TRUE(refused([](Cpu& r) { r.msr_efer = 1u << 12; }));  // SVME
    EXPECT_TRUE(refused([](Cpu& r) { r.msr_efer = 0x400; }));     // active, but not enabled
    EXPECT_TRUE(refused([](Cpu& r) {
        r.cr0 = 0x80000011;
        r.msr_efer = 0x500;
    }));  // long mode without PAE
    EXPECT_FALSE(refused([](Cpu& r) {
        r.cr0 = 0x80000011;
        r.msr_efer = 0x500;
        r.cr4 = 0x20;
    }));
    EXPECT_TRUE(refused([](Cpu& r) { r.gdtr_limit = 0x10000; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.cs_sel = 0x10000; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.dr7 = u64{1} << 32; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.cr3 = u64{1} << 60; }));
    EXPECT_TRUE(refused([](Cpu& r) { r.pending_event = 1u << 31 | 7u << 8; }));
}

}  // namespace
}  // namespace px::hvm

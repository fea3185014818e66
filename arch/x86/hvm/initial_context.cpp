// The state in which a vCPU begins: the checks, without any machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/initial_context.hpp"

#include "arch/x86/cpu/registers.hpp"

namespace px::hvm {
namespace {

namespace cr0 = arch::cr0;
namespace cr4 = arch::cr4;
namespace efer = arch::efer;

enum class Role : u8 { code, stack, data, task };

/// Access rights: type 0–3, S 4, DPL 5–6, P 7, AVL 8, L 9, D/B 10, G 11.
constexpr u16 type_code = 8, type_writable_or_readable = 2, type_accessed = 1, type_busy = 2, type_busy_tss = 11;
constexpr u16 code_64 = 0xa9b, data_64 = 0xc93, task_64 = 0x8b;

Result<SegmentRegister> segment(Role role, u32 base, u32 limit, u16 rights) {
    REQUIRE(rights >> 12 == 0, einval);
    SegmentRegister value{.attributes = rights, .limit = limit, .base = base};
    if (rights == 0) {
        REQUIRE(role == Role::data, einval);
        return value;
    }
    if ((rights & SegmentRegister::present) != 0) value.attributes |= role == Role::task ? type_busy : type_accessed;
    const bool system = (rights & SegmentRegister::code_or_data) == 0;
    REQUIRE(system == (role == Role::task), einval);
    REQUIRE((rights & SegmentRegister::present) != 0, einval);
    const bool is_code = (rights & type_code) != 0, second = (rights & type_writable_or_readable) != 0;
    switch (role) {
    case Role::code: REQUIRE(is_code, einval); break;
    case Role::stack: REQUIRE(!is_code && second, einval); break;
    case Role::data: REQUIRE(!is_code || second, einval); break;
    case Role::task: REQUIRE((value.attributes & 15) == type_busy_tss, einval); break;
    }
    return value;
}

u64 last_byte(const SegmentRegister& value) {
    return (value.attributes & SegmentRegister::granular) != 0 ? u64{value.limit} << 12 | 0xfff : value.limit;
}

Result<InitialContext> check_32(const abi::x86::VcpuHvmX86_32& from) {
    REQUIRE(from.pad1 == 0 && from.pad2[0] == 0 && from.pad2[1] == 0 && from.pad2[2] == 0, einval);
    InitialContext to;
    to.cs = TRY(segment(Role::code, from.cs_base, from.cs_limit, from.cs_ar));
    to.ds = TRY(segment(Role::data, from.ds_base, from.ds_limit, from.ds_ar));
    to.ss = TRY(segment(Role::stack, from.ss_base, from.ss_limit, from.ss_ar));
    to.es = TRY(segment(Role::data, from.es_base, from.es_limit, from.es_ar));
    to.tr = TRY(segment(Role::task, from.tr_base, from.tr_limit, from.tr_ar));
    REQUIRE(from.eip <= last_byte(to.cs), einval);
    REQUIRE(to.ss.dpl() == to.cs.dpl(), einval);
    for (const SegmentRegister* data : {&to.ds, &to.es}) {
        REQUIRE((data->attributes & SegmentRegister::present) == 0 || data->dpl() <= to.cs.dpl(), einval);
    }
    REQUIRE((from.efer & efer::lma) == 0 || (from.efer & efer::lme) != 0, einval);
    to.registers = {.rax = from.eax,
                    .rcx = from.ecx,
                    .rdx = from.edx,
                    .rbx = from.ebx,
                    .rsp = from.esp,
                    .rbp = from.ebp,
                    .rsi = from.esi,
                    .rdi = from.edi,
                    .r8 = 0,
                    .r9 = 0,
                    .r10 = 0,
                    .r11 = 0,
                    .r12 = 0,
                    .r13 = 0,
                    .r14 = 0,
                    .r15 = 0,
                    .rip = from.eip,
                    .rflags = from.eflags};
    to.control = {.cr0 = from.cr0, .cr2 = 0, .cr3 = from.cr3, .cr4 = from.cr4, .efer = from.efer};
    return to;
}

Result<InitialContext> check_64(const abi::x86::VcpuHvmX86_64& from) {
    REQUIRE(static_cast<u64>(static_cast<i64>(from.rip) << 16 >> 16) == from.rip, einval);  // canonical
    REQUIRE((from.cr0 & cr0::pg) != 0 && (from.cr4 & cr4::pae) != 0 && (from.efer & efer::lme) != 0, einval);
    InitialContext to;
    to.cs = {.attributes = code_64, .limit = ~u32{0}};
    to.ds = to.es = to.ss = {.attributes = data_64, .limit = ~u32{0}};
    to.tr = {.attributes = task_64, .limit = 0x67};
    to.registers = {.rax = from.rax,
                    .rcx = from.rcx,
                    .rdx = from.rdx,
                    .rbx = from.rbx,
                    .rsp = from.rsp,
                    .rbp = from.rbp,
                    .rsi = from.rsi,
                    .rdi = from.rdi,
                    .r8 = 0,
                    .r9 = 0,
                    .r10 = 0,
                    .r11 = 0,
                    .r12 = 0,
                    .r13 = 0,
                    .r14 = 0,
                    .r15 = 0,
                    .rip = from.rip,
                    .rflags = from.rflags};
    to.control = {.cr0 = from.cr0, .cr2 = 0, .cr3 = from.cr3, .cr4 = from.cr4, .efer = from.efer | efer::lma};
    return to;
}

}  // namespace

Result<InitialContext> check_initial_context(const abi::x86::VcpuHvmContext& context, u64 valid_efer, u64 valid_cr4) {
    REQUIRE(context.pad == 0, einval);
    InitialContext checked;
    switch (abi::x86::VcpuHvmMode{context.mode}) {
    case abi::x86::VcpuHvmMode::mode_32b: checked = TRY(check_32(context.cpu_regs.x86_32)); break;
    case abi::x86::VcpuHvmMode::mode_64b: checked = TRY(check_64(context.cpu_regs.x86_64)); break;
    default: return Err{Errno::einval};
    }
    const ControlRegisters& control = checked.control;
    REQUIRE(control.cr0 >> 32 == 0 && ((control.cr0 & cr0::pg) == 0 || (control.cr0 & cr0::pe) != 0), einval);
    REQUIRE((control.cr4 & ~valid_cr4) == 0 && (control.efer & ~(valid_efer | efer::lma)) == 0, einval);
    REQUIRE(control.cr3 >> 52 == 0, einval);
    checked.control.cr0 |= cr0::et;
    constexpr u64 rflags_fixed = 2, rflags_writable = 0x3f7fd5;
    checked.registers.rflags = (checked.registers.rflags & rflags_writable) | rflags_fixed;
    return checked;
}

}  // namespace px::hvm

// Domctls about the state of vCPUs. [xen/public domctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/context_ops.hpp"

#include <cstring>

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/domctl/hvm_context.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/domctl.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

/// A domain stands still for as long as this lives.
class Pause {
public:
    explicit Pause(Domain& domain) : domain_(domain) { domain.pause(); }
    ~Pause() { domain_.unpause(); }
    Pause(const Pause&) = delete;

private:
    Domain& domain_;
};

/// 128 vCPUs with the largest known extended state need less.
constexpr u32 longest_context = 4u << 20;

Result<u32> context_size(Domain& domain) {
    RecordWriter counter = RecordWriter::counter();
    TRY(save_context(domain, counter));
    return static_cast<u32>(counter.size());
}

}  // namespace

abi::x86::VcpuGuestContext to_guest_context(const CpuImage& image, bool online) {
    abi::x86::VcpuGuestContext context{};
    std::memcpy(context.fpu_ctxt.x, image.fpu.data(), sizeof context.fpu_ctxt.x);
    context.flags = abi::x86::vgcf::i387_valid | (online ? abi::x86::vgcf::online : 0);
    const GuestRegisters& from = image.registers;
    auto& to = context.user_regs;
    to.r15 = from.r15, to.r14 = from.r14, to.r13 = from.r13, to.r12 = from.r12, to.rbp = from.rbp, to.rbx = from.rbx;
    to.r11 = from.r11, to.r10 = from.r10, to.r9 = from.r9, to.r8 = from.r8, to.rax = from.rax, to.rcx = from.rcx;
    to.rdx = from.rdx, to.rsi = from.rsi, to.rdi = from.rdi, to.rip = from.rip, to.rflags = from.rflags, to.rsp = from.rsp;
    to.cs = image[Segment::cs].selector;
    to.ss = image[Segment::ss].selector;
    to.ds = image[Segment::ds].selector;
    to.es = image[Segment::es].selector;
    to.fs = image[Segment::fs].selector;
    to.gs = image[Segment::gs].selector;
    context.ctrlreg[0] = image.control.cr0;
    context.ctrlreg[2] = image.control.cr2;
    context.ctrlreg[3] = image.control.cr3;
    context.ctrlreg[4] = image.control.cr4;
    std::ranges::copy(image.debug_address, context.debugreg);
    context.debugreg[6] = image.dr6;
    context.debugreg[7] = image.dr7;
    context.fs_base = image[Segment::fs].base;
    const bool user = image[Segment::ss].dpl() == 3;
    context.gs_base_user = user ? image[Segment::gs].base : image.kernel_gs_base;
    context.gs_base_kernel = user ? image.kernel_gs_base : image[Segment::gs].base;
    return context;
}

Result<Reply> get_hvm_context(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    auto& request = op.u.hvmcontext;
    REQUIRE(&domain != &caller.domain, einval);
    const Pause pause(domain);
    const u32 size = TRY(context_size(domain));
    if (request.buffer.is_null()) {
        request.size = size;
        return Reply{};
    }
    REQUIRE(request.size >= size, enospc);
    auto buffer = TRY(HeapArray<u8>::create(size));
    RecordWriter writer({buffer.data(), buffer.size()});
    TRY(save_context(domain, writer));
    request.size = static_cast<u32>(writer.size());
    TRY(GuestPtr<u8>(request.buffer).write_many(buffer.data(), writer.size()));
    return Reply{};
}

Result<Reply> set_hvm_context(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    const auto& request = op.u.hvmcontext;
    REQUIRE(&domain != &caller.domain, einval);
    REQUIRE(request.size <= longest_context, enomem);
    auto buffer = TRY(HeapArray<u8>::create(request.size));
    TRY(GuestPtr<u8>(request.buffer).read_many(buffer.data(), buffer.size()));
    const Pause pause(domain);
    TRY(load_context(domain, {buffer.data(), buffer.size()}));
    return Reply{};
}

Result<Reply> get_hvm_context_partial(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    auto& request = op.u.hvmcontext_partial;
    REQUIRE(&domain != &caller.domain, einval);
    const Pause pause(domain);
    const HvmSaveCode code{static_cast<u16>(request.type)};
    RecordWriter counter = RecordWriter::counter();
    TRY(save_record(domain, code, request.instance, counter));
    REQUIRE(counter.size() != 0, enodata);
    const u64 size = counter.size() - sizeof(abi::HvmSaveDescriptor);
    if (request.buffer.is_null()) {
        request.bufsz = size;
        return Reply{};
    }
    REQUIRE(request.bufsz >= size, enospc);
    auto buffer = TRY(HeapArray<u8>::create(counter.size()));
    RecordWriter writer({buffer.data(), buffer.size()});
    TRY(save_record(domain, code, request.instance, writer));
    TRY(GuestPtr<u8>(request.buffer).write_many(buffer.data() + sizeof(abi::HvmSaveDescriptor), size));
    request.bufsz = size;
    return Reply{};
}

Result<Reply> get_vcpu_context(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain, einval);
    Vcpu& vcpu = *TRY(domctl::find_vcpu(domain, op.u.vcpucontext.vcpu));
    REQUIRE(!vcpu.arch.waits_for_startup, enodata);
    auto context = TRY(make<abi::x86::VcpuGuestContext>());  // too large for a stack
    {
        const Pause pause(domain);
        TRY(kind_of(domain).get_context(vcpu, *context));
    }
    TRY(GuestPtr<abi::x86::VcpuGuestContext>(op.u.vcpucontext.ctxt).write(*context));
    return Reply{};
}

Result<Reply> set_vcpu_context(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain, einval);
    Vcpu& vcpu = *TRY(domctl::find_vcpu(domain, op.u.vcpucontext.vcpu));
    REQUIRE(!op.u.vcpucontext.ctxt.is_null(), eopnotsupp);
    auto context = TRY(make<abi::x86::VcpuGuestContext>());
    TRY(GuestPtr<abi::x86::VcpuGuestContext>(op.u.vcpucontext.ctxt).read_many(context.get(), 1));
    const Pause pause(domain);
    if (TRY(kind_of(domain).set_context(vcpu, *context)) == Progress::more) return run_again;
    if ((context->flags & abi::x86::vgcf::online) != 0) vcpu.resume(Vcpu::down);
    else vcpu.halt(Vcpu::down);
    return Reply{};
}

}  // namespace px::hvm

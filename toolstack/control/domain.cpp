// One domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/domain.hpp"

#include <algorithm>

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/abi/hvm_op.hpp"
#include "toolstack/control/request.hpp"

namespace px::control {

using abi::DomctlCmd;
using call::Outcome;

namespace {

/// The hypervisor stopped in the middle of a long operation and wants to be asked again.
bool unfinished(const call::Error& error) { return error.code == EINTR || error.code == EAGAIN || error.code == ERESTART; }

}  // namespace

Outcome<DomId> create_domain(call::Privcmd& privcmd, const NewDomain& wanted) {
    abi::Domctl request = domctl_of(DomId{0}, DomctlCmd::createdomain);
    auto& body = request.u.createdomain;
    std::ranges::copy(wanted.handle, body.handle);
    body.flags = wanted.flags;
    body.max_vcpus = wanted.max_vcpus;
    body.max_evtchn_port = wanted.max_event_port;
    body.max_grant_frames = wanted.max_grant_frames;
    body.max_maptrack_frames = wanted.max_maptrack_frames;
    body.grant_opts = wanted.grant_version;
    body.arch.emulation_flags = wanted.emulation;
    TRY(privcmd.domctl(request, "the hypervisor refuses a new domain"));
    return DomId{request.domain};
}

std::string Domain::sentence(const char* what) const { return std::string(what) + " of domain " + std::to_string(id_.raw); }

Outcome<> Domain::simple(DomctlCmd command, const char* what) {
    abi::Domctl request = domctl_of(id_, command);
    return privcmd_->domctl(request, std::string(what) + " domain " + std::to_string(id_.raw));
}

Outcome<> Domain::pause() { return simple(DomctlCmd::pausedomain, "can't pause"); }
Outcome<> Domain::unpause() { return simple(DomctlCmd::unpausedomain, "can't unpause"); }

Outcome<> Domain::destroy() {
    for (;;) {
        auto done = simple(DomctlCmd::destroydomain, "can't destroy");
        if (done.ok() || !unfinished(done.error())) return done;
    }
}

Outcome<> Domain::shut_down(abi::ShutdownReason reason) {
    abi::SchedRemoteShutdown argument{id_.raw, static_cast<u32>(reason)};
    const std::string what = "can't shut down domain " + std::to_string(id_.raw);
    TRY(request(*privcmd_, abi::hypercall::sched_op, abi::SchedOp::remote_shutdown, argument, what));
    return {};
}

Outcome<> Domain::set_max_vcpus(u32 count) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::max_vcpus);
    request.u.max_vcpus.max = count;
    return privcmd_->domctl(request, "the hypervisor refuses " + std::to_string(count) + " vCPUs");
}

Outcome<> Domain::set_max_memory(u64 kib) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::max_mem);
    request.u.max_mem.max_memkb = kib;
    return privcmd_->domctl(request, sentence("can't set the memory limit"));
}

Outcome<> Domain::set_paging_pool(u64 bytes) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::set_paging_mempool_size);
    request.u.paging_mempool.size = bytes;
    for (;;) {
        auto done = privcmd_->domctl(request, "not enough memory for the page tables");
        if (done.ok() || !unfinished(done.error())) return done;
    }
}

Outcome<> Domain::set_tsc_mode(u32 mode) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::settscinfo);
    request.u.tsc_info.tsc_mode = mode;
    return privcmd_->domctl(request, sentence("can't set the TSC mode"));
}

Outcome<> Domain::set_time_offset(i64 seconds) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::settimeoffset);
    request.u.settimeoffset.time_offset_seconds = seconds;
    return privcmd_->domctl(request, sentence("can't set the time offset"));
}

Outcome<> Domain::trigger(abi::SendTrigger trigger, u32 vcpu) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::sendtrigger);
    request.u.sendtrigger = {static_cast<u32>(trigger), vcpu};
    return privcmd_->domctl(request, sentence("can't trigger a vCPU"));
}

Outcome<> Domain::set_param(abi::HvmParam param, u64 value) {
    abi::HvmParamArg argument{id_.raw, 0, static_cast<u32>(param), value};
    const std::string what = "can't set parameter " + std::to_string(argument.index) + " of domain " + std::to_string(id_.raw);
    TRY(request(*privcmd_, abi::hypercall::hvm_op, abi::HvmOp::set_param, argument, what));
    return {};
}

Outcome<u64> Domain::param(abi::HvmParam param) {
    abi::HvmParamArg argument{id_.raw, 0, static_cast<u32>(param), 0};
    const std::string what = "can't read parameter " + std::to_string(argument.index) + " of domain " + std::to_string(id_.raw);
    TRY(request(*privcmd_, abi::hypercall::hvm_op, abi::HvmOp::get_param, argument, what));
    return argument.value;
}

Outcome<EvtPort> Domain::allocate_port(DomId remote) {
    abi::EvtchnAllocUnbound argument{id_.raw, remote.raw, 0};
    const std::string what = sentence("can't make an event channel");
    TRY(request(*privcmd_, abi::hypercall::event_channel_op, abi::EvtchnOp::alloc_unbound, argument, what));
    return EvtPort{argument.port};
}

Outcome<std::vector<u8>> Domain::hvm_context() {
    const std::string what = sentence("can't read the vCPU state");
    abi::Domctl request = domctl_of(id_, DomctlCmd::gethvmcontext);
    TRY(privcmd_->domctl(request, what));
    auto records = TRY(privcmd_->buffer(request.u.hvmcontext.size));
    request.u.hvmcontext.buffer = records.handle<u8>();
    TRY(privcmd_->domctl(request, what));
    const auto bytes = records.elements<u8>().first(request.u.hvmcontext.size);
    return std::vector<u8>(bytes.begin(), bytes.end());
}

Outcome<> Domain::set_hvm_context(std::span<const u8> records) {
    auto memory = TRY(privcmd_->buffer(records.size()));
    std::ranges::copy(records, memory.as<u8>());
    abi::Domctl request = domctl_of(id_, DomctlCmd::sethvmcontext);
    request.u.hvmcontext = {static_cast<u32>(records.size()), memory.handle<u8>()};
    return privcmd_->domctl(request, sentence("can't set the vCPU state"));
}

Outcome<> Domain::write_hypercall_page(u64 mfn) {
    auto request = domctl_of(id_, DomctlCmd::hypercall_init);
    request.u.hypercall_init.gmfn = mfn;
    return privcmd_->domctl(request, sentence("can't write the hypercall page"));
}

Outcome<> Domain::set_vcpu_context(u32 vcpu, const abi::x86::VcpuGuestContext& context) {
    auto memory = TRY(privcmd_->buffer(sizeof context));
    std::memcpy(memory.data(), &context, sizeof context);
    auto request = domctl_of(id_, DomctlCmd::setvcpucontext);
    request.u.vcpucontext.vcpu = vcpu;
    request.u.vcpucontext.ctxt = {memory.address()};
    return privcmd_->domctl(request, sentence("can't set the vCPU state"));
}

Outcome<abi::DomctlSchedCredit2> Domain::credit2() {
    abi::Domctl request = domctl_of(id_, DomctlCmd::scheduler_op);
    request.u.scheduler_op.sched_id = static_cast<u32>(abi::SchedulerId::credit2);
    request.u.scheduler_op.cmd = static_cast<u32>(abi::DomctlSchedOpCmd::getinfo);
    TRY(privcmd_->domctl(request, sentence("can't read the scheduling parameters")));
    return request.u.scheduler_op.u.credit2;
}

Outcome<> Domain::set_credit2(abi::DomctlSchedCredit2 parameters) {
    abi::Domctl request = domctl_of(id_, DomctlCmd::scheduler_op);
    request.u.scheduler_op.sched_id = static_cast<u32>(abi::SchedulerId::credit2);
    request.u.scheduler_op.cmd = static_cast<u32>(abi::DomctlSchedOpCmd::putinfo);
    request.u.scheduler_op.u.credit2 = parameters;
    return privcmd_->domctl(request, sentence("can't set the scheduling parameters"));
}

}  // namespace px::control

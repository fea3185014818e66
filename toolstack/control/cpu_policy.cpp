// What CPUID and the feature MSRs tell a domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/cpu_policy.hpp"

#include <algorithm>
#include <cstdio>

#include "toolstack/control/request.hpp"

namespace px::control {

using abi::x86::CpuidLeaf;
using abi::x86::MsrEntry;
using call::Outcome;

namespace {

constexpr u32 nothing_refused = ~0u;

std::string refusal(const abi::x86::DomctlCpuPolicy& answer) {
    char text[96] = "the hypervisor refuses the CPU policy";
    if (answer.err_leaf != nothing_refused) {
        std::snprintf(text, sizeof text, "the hypervisor refuses CPUID leaf %#x, subleaf %#x", answer.err_leaf, answer.err_subleaf);
    } else if (answer.err_msr != nothing_refused) {
        std::snprintf(text, sizeof text, "the hypervisor refuses MSR %#x", answer.err_msr);
    }
    return text;
}

}  // namespace

CpuidLeaf* CpuPolicy::find(u32 leaf, u32 subleaf) {
    const auto found = std::ranges::find_if(leaves, [&](const CpuidLeaf& entry) { return entry.leaf == leaf && entry.subleaf == subleaf; });
    return found == leaves.end() ? nullptr : &*found;
}

Outcome<CpuPolicy> cpu_policy(Domain domain) {
    call::Privcmd& privcmd = domain.privcmd();
    constexpr std::string_view what = "can't read the domain's CPU policy";
    abi::Domctl request = domctl_of(domain.id(), abi::DomctlCmd::get_cpu_policy);
    TRY(privcmd.domctl(request, what));
    auto& body = request.u.cpu_policy;
    auto leaves = TRY(privcmd.buffer(body.nr_leaves * sizeof(CpuidLeaf)));
    auto msrs = TRY(privcmd.buffer(body.nr_msrs * sizeof(MsrEntry)));
    body.leaves = leaves.handle<CpuidLeaf>();
    body.msrs = msrs.handle<MsrEntry>();
    TRY(privcmd.domctl(request, what));
    const auto leaf_list = leaves.elements<CpuidLeaf>().first(body.nr_leaves);
    const auto msr_list = msrs.elements<MsrEntry>().first(body.nr_msrs);
    return CpuPolicy{{leaf_list.begin(), leaf_list.end()}, {msr_list.begin(), msr_list.end()}};
}

Outcome<> set_cpu_policy(Domain domain, const CpuPolicy& policy) {
    call::Privcmd& privcmd = domain.privcmd();
    auto leaves = TRY(privcmd.buffer(policy.leaves.size() * sizeof(CpuidLeaf)));
    auto msrs = TRY(privcmd.buffer(policy.msrs.size() * sizeof(MsrEntry)));
    std::ranges::copy(policy.leaves, leaves.as<CpuidLeaf>());
    std::ranges::copy(policy.msrs, msrs.as<MsrEntry>());
    // Not Privcmd::domctl(): what is refused stands in the request also after a failure.
    auto memory = TRY(privcmd.buffer(sizeof(abi::Domctl)));
    auto& request = *memory.as<abi::Domctl>();
    request = domctl_of(domain.id(), abi::DomctlCmd::set_cpu_policy);
    request.interface_version = abi::domctl_interface_version;
    request.u.cpu_policy = {static_cast<u32>(policy.leaves.size()),
                            static_cast<u32>(policy.msrs.size()),
                            leaves.handle<CpuidLeaf>(),
                            msrs.handle<MsrEntry>(),
                            nothing_refused,
                            nothing_refused,
                            nothing_refused};
    const u64 argument = memory.address();
    auto done = privcmd.hypercall(abi::hypercall::domctl, std::span(&argument, 1), "can't set the CPU policy");
    if (!done.ok()) return call::failure(done.error().code, refusal(request.u.cpu_policy));
    return {};
}

}  // namespace px::control

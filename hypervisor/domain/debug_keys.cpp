// What the debug keys print.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/debug_keys.hpp"

#include <algorithm>
#include <array>

#include "hypervisor/console/input.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {
namespace {

/// Domains in the order of their numbers, zombies included, each under a reference of its own.
template <class Visitor>
void for_each_domain(Visitor visit) {
    for (auto domain = first_domain_from(DomId{0}); domain.ok();) {
        visit(**domain);
        const DomId next{static_cast<u16>((*domain)->id.raw + 1)};
        domain = first_domain_from(next);
    }
}

void print_count(std::string_view name, u64 count) {
    std::array<char, 160> word;
    const usize length = std::min(name.size(), word.size());
    std::replace_copy(name.begin(), name.begin() + length, word.begin(), ' ', '_');
    log_reply("PX-COUNT {} {}", std::string_view(word.data(), length), count);
}

void print_counts() {
    u64 domains = 0, ports = 0, mappings = 0;
    for_each_domain([&](Domain& domain) {
        ++domains;
        ports += domain.events.open_ports();
        mappings += domain.grants.mapped();
    });
    print_count("free-frames", memory_totals().free_frames);
    print_count("domains", domains);
    print_count("event-ports", ports);
    print_count("grant-mappings", mappings);
    for (const HeapType* type = first_heap_type(); type != nullptr; type = type->next) {
        print_count(type->name, static_cast<u64>(type->live.load(std::memory_order_relaxed)));
    }
}

void print_vcpu(const Vcpu& vcpu) {
    const auto sign = [&](Vcpu::Halt why, std::string_view name) { return vcpu.is_halted(why) ? name : std::string_view{}; };
    log_reply("  vCPU {} on CPU {}:{}{}{}{}{}", vcpu.id, vcpu.processor(), vcpu.is_runnable() ? " runnable" : "", sign(Vcpu::down, " down"),
              sign(Vcpu::blocked, " blocked"), sign(Vcpu::polling, " polling"), sign(Vcpu::waiting, " waiting"));
}

void print_domains() {
    for_each_domain([](Domain& domain) {
        log_reply("domain {}: {} of at most {} frames, {} of its tables, {} ports, {} references{}{}{}", domain.id, domain.memory.frames(),
                  domain.memory.max_frames(), domain.physmap.table_frames(), domain.events.open_ports(), domain.reference_count(),
                  domain.is_paused() ? ", paused" : "", domain.is_shut_down() ? ", shut down" : "",
                  domain.is_relinquished() ? ", zombie"
                  : domain.is_dying()      ? ", dying"
                                           : "");
        for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
            if (const Vcpu* const vcpu = domain.vcpu(VcpuId{i})) print_vcpu(*vcpu);
        }
    });
}

}  // namespace

void register_debug_keys() {
    register_debug_key({'g', "grant tables", [] { for_each_domain([](Domain& domain) { domain.grants.dump(); }); }});
    register_debug_key({'m', "counts of what is in use", print_counts});
    register_debug_key({'q', "domains and vCPUs", print_domains});
    register_debug_key({'r', "run queues", [] { scheduler().dump(); }});
}

}  // namespace px

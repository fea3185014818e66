// cpus= and cpus_soft=: which host CPUs a guest's vCPUs may use, or prefer.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

/// One term of a CPU list: "0-3", "^5", "nodes:0-1", "all".
struct CpuTerm {
    enum class Kind { all, cpus, nodes };

    Kind kind = Kind::cpus;
    bool excluded = false;
    std::uint32_t first = 0;
    std::uint32_t last = 0;  ///< inclusive
};

/// A CPU list as written. Its CPUs depend on the host, which resolve() is told about.
struct CpuList {
    std::vector<CpuTerm> terms;

    /// One element per host CPU. `node_of` gives the NUMA node of a host CPU. CPUs that the host doesn't have are left
    /// out; the result may be empty of CPUs, which the caller must refuse.
    std::vector<bool> resolve(std::uint32_t host_cpus, const std::function<std::uint32_t(std::uint32_t)>& node_of) const;
};

/// The lists of all vCPUs: one for all of them, or one per vCPU (vCPUs beyond the list are free).
struct Affinity {
    bool shared = true;
    std::vector<CpuList> lists;

    /// The list that holds for a vCPU; null: it may run anywhere.
    const CpuList* of(std::size_t vcpu) const {
        if (shared) return lists.empty() ? nullptr : &lists.front();
        return vcpu < lists.size() ? &lists[vcpu] : nullptr;
    }
};

/// Numbers of CPUs and nodes are below this.
inline constexpr std::uint32_t max_cpu = 4096;
/// A guest has this many vCPUs at most.
inline constexpr std::uint32_t max_vcpus = 512;

bool read(CpuList& list, const Value& value, Diagnostics& out);
Json show(const CpuList& list);
bool read(Affinity& affinity, const Value& value, Diagnostics& out);
Json show(const Affinity& affinity);

/// "0-3,8" without the other forms: a set of numbers below `limit`, ascending.
std::optional<std::vector<std::uint32_t>> read_numbers(const Value& value, std::uint32_t limit, Diagnostics& out);

}  // namespace px::xlcfg

// cpus= and cpus_soft=: reading and resolving CPU lists.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/cpus.hpp"

#include <set>

#include "libxlcfg/spec.hpp"

namespace px::xlcfg {

namespace {

std::optional<std::uint32_t> read_cpu(const Value& text, std::uint32_t limit, Diagnostics& out) {
    const std::optional<std::uint64_t> number = parse_digits(text.text, 10);
    if (number && *number < limit) return static_cast<std::uint32_t>(*number);
    out.error(text.span, number ? "CPU number " + text.text + " is too large" : quote(text.text) + " is not a CPU number",
              number ? "the largest is " + std::to_string(limit - 1) : "a CPU list is written like 0-3,^1");
    return std::nullopt;
}

bool read_range(const Value& text, std::uint32_t limit, std::uint32_t& first, std::uint32_t& last, Diagnostics& out) {
    const std::size_t dash = text.text.find('-');
    const std::optional<std::uint32_t> from = read_cpu(text.part(0, dash).trimmed(), limit, out);
    if (!from) return false;
    first = last = *from;
    if (dash == std::string::npos) return true;
    const std::optional<std::uint32_t> to = read_cpu(text.part(dash + 1).trimmed(), limit, out);
    if (!to) return false;
    last = *to;
    if (first <= last) return true;
    out.error(text.span, "the range " + quote(text.text) + " runs backwards",
              "write " + std::to_string(last) + "-" + std::to_string(first));
    return false;
}

std::optional<CpuTerm> read_term(Value text, Diagnostics& out) {
    CpuTerm term;
    if (text.text.starts_with('^')) {
        term.excluded = true;
        text = text.part(1).trimmed();
    }
    if (text.text == "all") {
        term.kind = CpuTerm::Kind::all;
        return term;
    }
    for (std::string_view prefix : {"nodes:", "node:"}) {
        if (!text.text.starts_with(prefix)) continue;
        term.kind = CpuTerm::Kind::nodes;
        text = text.part(prefix.size()).trimmed();
        if (text.text.starts_with('^')) {  // "nodes:^1" is "^nodes:1"
            term.excluded = true;
            text = text.part(1).trimmed();
        }
        if (text.text == "all") {
            term.last = max_cpu - 1;
            return term;
        }
        break;
    }
    if (!read_range(text, max_cpu, term.first, term.last, out)) return std::nullopt;
    return term;
}

std::string range(std::uint32_t first, std::uint32_t last) {
    return first == last ? std::to_string(first) : std::to_string(first) + '-' + std::to_string(last);
}

}  // namespace

bool read(CpuList& list, const Value& value, Diagnostics& out) {
    if (!check_text(value, "a CPU list", out)) return false;
    bool good = true;
    for (const Value& part : split(value, ',')) {
        if (part.text.empty()) {
            out.error(part.span.known() ? part.span : value.span, "a CPU list has an empty element");
            good = false;
        } else if (const std::optional<CpuTerm> term = read_term(part, out)) {
            if (term->excluded && list.terms.empty() && good) {
                out.error(part.span, "this list excludes CPUs before it includes any",
                          "begin with the CPUs to take away from: all," + part.text);
                good = false;
            }
            list.terms.push_back(*term);
        } else {
            good = false;
        }
    }
    return good;
}

Json show(const CpuList& list) {
    std::string text;
    for (const CpuTerm& term : list.terms) {
        if (!text.empty()) text += ',';
        if (term.excluded) text += '^';
        if (term.kind == CpuTerm::Kind::all) text += "all";
        else if (term.kind == CpuTerm::Kind::nodes)
            text += term.last == max_cpu - 1 ? "nodes:all" : "nodes:" + range(term.first, term.last);
        else text += range(term.first, term.last);
    }
    return text;
}

std::vector<bool> CpuList::resolve(std::uint32_t host_cpus, const std::function<std::uint32_t(std::uint32_t)>& node_of) const {
    std::vector<bool> cpus(host_cpus);
    for (const CpuTerm& term : terms) {
        for (std::uint32_t cpu = 0; cpu < host_cpus; ++cpu) {
            const std::uint32_t number = term.kind == CpuTerm::Kind::nodes ? node_of(cpu) : cpu;
            if (term.kind == CpuTerm::Kind::all || (number >= term.first && number <= term.last)) cpus[cpu] = !term.excluded;
        }
    }
    return cpus;
}

bool read(Affinity& affinity, const Value& value, Diagnostics& out) {
    affinity.shared = !value.is_list();
    bool good = true;
    const auto add = [&](const Value& text) {
        CpuList list;
        if (read(list, text, out)) affinity.lists.push_back(std::move(list));
        else good = false;
    };
    if (affinity.shared) add(value);
    else
        for (const Value& element : value.items) add(element);
    return good;
}

Json show(const Affinity& affinity) {
    if (affinity.shared) return show(affinity.lists.front());
    Json all = Json::array();
    for (const CpuList& list : affinity.lists) all.push_back(show(list));
    return all;
}

std::optional<std::vector<std::uint32_t>> read_numbers(const Value& value, std::uint32_t limit, Diagnostics& out) {
    std::set<std::uint32_t> numbers;
    for (const Value& part : split(value, ',')) {
        std::uint32_t first = 0, last = 0;
        if (!read_range(part, limit, first, last, out)) return std::nullopt;
        while (first <= last) numbers.insert(first++);
    }
    return std::vector(numbers.begin(), numbers.end());
}

}  // namespace px::xlcfg

// xl top: what the domains use, again and again.
//
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>

#include "toolstack/control/machine.hpp"
#include "toolstack/xl/format.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

using Clock = std::chrono::steady_clock;

constexpr u64 kib_per_page = page_size / 1024;
constexpr const char* clear_screen = "\33[H\33[2J";

/// Keys are taken one by one, without an echo, as long as this lives.
class RawKeyboard {
public:
    RawKeyboard() : is_terminal_(tcgetattr(0, &before_) == 0) {
        if (!is_terminal_) return;
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        tcsetattr(0, TCSANOW, &raw);
    }
    ~RawKeyboard() {
        if (is_terminal_) tcsetattr(0, TCSANOW, &before_);
    }
    RawKeyboard(const RawKeyboard&) = delete;
    RawKeyboard& operator=(const RawKeyboard&) = delete;

    /// False when the user wants to leave; waits for that at most so long.
    bool stay(std::chrono::milliseconds time) const {
        pollfd keys{is_terminal_ ? 0 : -1, POLLIN, 0};
        if (poll(&keys, 1, static_cast<int>(time.count())) <= 0) return true;
        char key = 0;
        return read(0, &key, 1) == 1 && key != 'q' && key != 'Q';
    }

private:
    termios before_{};
    bool is_terminal_;
};

struct Sample {
    Clock::time_point when;
    std::map<u16, domain::Info> domains;
};

Outcome<Sample> take(System& system) {
    Sample sample{Clock::now(), {}};
    for (const auto& info : TRY(call::list_domains(system.privcmd))) sample.domains[info.domain] = info;
    return sample;
}

/// Percent of one CPU since the sample before; 0 for a domain that wasn't in it.
double cpu_share(const Sample& before, const Sample& now, const domain::Info& info) {
    const auto old = before.domains.find(info.domain);
    const double seconds = std::chrono::duration<double>(now.when - before.when).count();
    if (old == before.domains.end() || seconds <= 0 || info.cpu_time < old->second.cpu_time) return 0;
    return static_cast<double>(info.cpu_time - old->second.cpu_time) / 1e7 / seconds;
}

std::string state_letters(u32 flags) {
    using namespace abi::dominf;
    const auto letter = [&](u32 flag, char shown) { return flags & flag ? shown : '-'; };
    return {letter(dying, 'd'), letter(shutdown, 's'), letter(blocked, 'b'), letter(paused, 'p'), letter(running, 'r')};
}

std::string heading(const abi::SysctlPhysinfo& machine, const Sample& sample) {
    const auto count = [&](u32 flag) {
        return std::ranges::count_if(sample.domains, [&](const auto& entry) { return entry.second.flags & flag; });
    };
    const u64 total = machine.total_pages * kib_per_page, free = machine.free_pages * kib_per_page;
    return format("%zu domains: %td running, %td blocked, %td paused, %td shut down, %td dying\n", sample.domains.size(),
                  count(abi::dominf::running), count(abi::dominf::blocked), count(abi::dominf::paused), count(abi::dominf::shutdown),
                  count(abi::dominf::dying)) +
           format("Mem: %lluk total, %lluk used, %lluk free    CPUs: %u @ %uMHz\n", static_cast<unsigned long long>(total),
                  static_cast<unsigned long long>(total - free), static_cast<unsigned long long>(free), machine.nr_cpus,
                  machine.cpu_khz / 1000) +
           "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS\n";
}

Json details(System& system, const Sample& before, const Sample& now, const domain::Info& info) {
    return {{"name", domain::name_of(system, DomId{info.domain})},
            {"domid", info.domain},
            {"state", state_letters(info.flags)},
            {"cpu_time_seconds", static_cast<double>(info.cpu_time) / 1e9},
            {"cpu_percent", cpu_share(before, now, info)},
            {"memory_kib", info.tot_pages * kib_per_page},
            {"max_memory_kib", info.max_pages * kib_per_page},
            {"vcpus", info.nr_online_vcpus}};
}

std::string row(const Json& domain, u64 total_kib) {
    const auto number = [&](const char* key) { return domain[key].get<u64>(); };
    const auto percent = [&](u64 kib) { return 100.0 * static_cast<double>(kib) / static_cast<double>(std::max<u64>(total_kib, 1)); };
    const u64 most = number("max_memory_kib"), has = number("memory_kib");
    const bool limited = most <= total_kib;
    const auto name = domain["name"].get<std::string>(), state = domain["state"].get<std::string>();
    const auto seconds = domain["cpu_time_seconds"].get<double>(), share = domain["cpu_percent"].get<double>();
    return format("%10.10s %6s %10.0f %6.1f %10llu %6.1f ", name.c_str(), state.c_str(), seconds, share,
                  static_cast<unsigned long long>(has), percent(has)) +
           (limited ? format("%10llu %9.1f", static_cast<unsigned long long>(most), percent(most)) : "  no limit       n/a") +
           format(" %5llu\n", static_cast<unsigned long long>(number("vcpus")));
}

Outcome<> show(System& system, const Sample& before, const Sample& now, const Arguments& arguments) {
    const auto machine = TRY(control::physical_info(system.privcmd));
    Json all = Json::array();
    for (const auto& [id, info] : now.domains) all.push_back(details(system, before, now, info));
    if (arguments.has(json_option.letter)) {
        print(all);
        return {};
    }
    std::string text = arguments.has('b') ? "" : clear_screen;
    text += heading(machine, now);
    for (const Json& domain : all) text += row(domain, machine.total_pages * kib_per_page);
    std::fputs(text.c_str(), stdout);
    return {};
}

Outcome<int> run(const Arguments& arguments) {
    const u64 seconds = TRY(parse_number(arguments.value('d').value_or("3"), 3600, "number of seconds"));
    u64 rounds = TRY(parse_number(arguments.value('i').value_or("0"), 1'000'000, "number of rounds"));
    System system = TRY(System::open());
    const RawKeyboard keyboard;
    Sample before = TRY(take(system));
    for (bool stays = true; stays;) {
        const Sample now = TRY(take(system));
        TRY(show(system, before, now, arguments));
        if (std::fflush(stdout) != 0 || (rounds != 0 && --rounds == 0)) break;
        before = now;
        stays = keyboard.stay(std::chrono::seconds(seconds));
    }
    return exit_success;
}

constexpr Option options[] = {
    {'b', "batch", "", "one table below the other, for a file"},
    {'d', "delay", "SECONDS", "between two tables; 3 without it"},
    {'i', "iterations", "NUMBER", "how many tables; without it until 'q' is pressed"},
    json_option,
};

}  // namespace

const Command top_command{"top", "", "Shows what the domains use, again and again", options, 0, 0, run};

}  // namespace px::xl

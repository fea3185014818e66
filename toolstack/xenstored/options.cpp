// xenstored's command line: Debian's options, and some of our own.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/options.hpp"

#include <getopt.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace px::xenstored {

using store::Quota;

const char* const usage =
    "Usage: xenstored [options]\n"
    "Keeps the store, and serves it to programs of dom0 by a socket and to domains by their rings.\n\n"
    "  -N, --no-fork             stay in the foreground, log to standard error\n"
    "  -F, --pid-file FILE       write the process number to FILE\n"
    "  -P, --output-pid          print the process number\n"
    "  -T, --trace-file FILE     log to FILE\n"
    "  -V, --verbose             log each connection\n"
    "  -D, --no-domain-init      don't connect dom0's own kernel\n"
    "      --no-domains          serve sockets only; needs no hypervisor\n"
    "      --directory DIR       directory of the sockets and the journal (default /run/xenstored, or "
    "$XENSTORED_RUNDIR)\n"
    "  -H, --help                this text\n"
    "Limits of each domain except dom0:\n"
    "  -E, --entry-nb N          nodes (1000)\n"
    "  -S, --entry-size N        bytes in a node (2048)\n"
    "  -W, --watch-nb N          watches (128)\n"
    "  -t, --transaction N       open transactions (10)\n"
    "  -A, --perm-nb N           permissions of a node (5)\n"
    "  -M, --path-max N          length of a path (3072)\n"
    "  -Q, --quota WHAT=N        any of them: entries entry-size watches transactions permissions "
    "path-length\n"
    "                            transaction-nodes queued\n"
    "Accepted and without effect here: -q, --quota-soft; -w, --timeout; -R, --no-recovery; -I, "
    "--internal-db; -K, --keep-orphans.\n";

namespace {

constexpr int option_no_domains = 256, option_directory = 257, option_worker = 258;
constexpr char short_options[] = "NF:PT:VDHE:S:W:t:A:M:Q:q:w:RI::K";
constexpr option long_options[] = {
    {"no-fork", no_argument, nullptr, 'N'},
    {"pid-file", required_argument, nullptr, 'F'},
    {"output-pid", no_argument, nullptr, 'P'},
    {"trace-file", required_argument, nullptr, 'T'},
    {"verbose", no_argument, nullptr, 'V'},
    {"no-domain-init", no_argument, nullptr, 'D'},
    {"help", no_argument, nullptr, 'H'},
    {"entry-nb", required_argument, nullptr, 'E'},
    {"entry-size", required_argument, nullptr, 'S'},
    {"watch-nb", required_argument, nullptr, 'W'},
    {"transaction", required_argument, nullptr, 't'},
    {"perm-nb", required_argument, nullptr, 'A'},
    {"path-max", required_argument, nullptr, 'M'},
    {"quota", required_argument, nullptr, 'Q'},
    {"quota-soft", required_argument, nullptr, 'q'},
    {"timeout", required_argument, nullptr, 'w'},
    {"no-recovery", no_argument, nullptr, 'R'},
    {"internal-db", optional_argument, nullptr, 'I'},
    {"keep-orphans", no_argument, nullptr, 'K'},
    {"no-domains", no_argument, nullptr, option_no_domains},
    {"directory", required_argument, nullptr, option_directory},
    {"worker", no_argument, nullptr, option_worker},
    {nullptr, 0, nullptr, 0},
};

std::optional<u32> number(std::string_view text) {
    u32 value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    std::fprintf(stderr, "xenstored: '%.*s' is not a number\n", static_cast<int>(text.size()), text.data());
    return {};
}

/// "name=value", with the reference's names for what it can set so.
bool set_quota(store::Quotas& quotas, std::string_view text) {
    usize split = text.find('=');
    if (split == std::string_view::npos) {
        std::fprintf(stderr, "xenstored: --quota takes WHAT=N\n");
        return false;
    }
    std::string_view name = text.substr(0, split);
    auto value = number(text.substr(split + 1));
    if (!value) return false;
    if (name == "memory" || name == "outstanding") return true;  // bounded by 'queued' and by the ring here
    if (quotas.set(name, *value)) return true;
    std::fprintf(stderr, "xenstored: there is no quota '%.*s'; see --help\n", static_cast<int>(name.size()), name.data());
    return false;
}

bool apply_option(Options& options, int letter) {
    auto limit = [&](Quota quota) {
        auto value = number(optarg);
        if (value) options.quotas.set(quota, *value);
        return value.has_value();
    };
    switch (letter) {
    case 'N': options.fork = false; return true;
    case 'F': options.pid_file = optarg; return true;
    case 'P': options.print_pid = true; return true;
    case 'T': options.trace_file = optarg; return true;
    case 'V': options.verbose = true; return true;
    case 'D': options.dom0_ring = false; return true;
    case 'H': options.help = true; return true;
    case 'E': return limit(Quota::entries);
    case 'S': return limit(Quota::entry_size);
    case 'W': return limit(Quota::watches);
    case 't': return limit(Quota::transactions);
    case 'A': return limit(Quota::permissions);
    case 'M': return limit(Quota::path_length);
    case 'Q': return set_quota(options.quotas, optarg);
    case option_no_domains: options.hypervisor = false; return true;
    case option_directory: options.directory = optarg; return true;
    case option_worker: options.worker = true; return true;
    case 'q':
    case 'w':
    case 'R':
    case 'I':
    case 'K': return true;
    default: return false;
    }
}

}  // namespace

std::optional<Options> parse_options(int count, char** arguments) {
    Options options;
    if (const char* directory = std::getenv("XENSTORED_RUNDIR")) options.directory = directory;
    optind = 1;
    for (int letter; (letter = getopt_long(count, arguments, short_options, long_options, nullptr)) != -1;) {
        if (!apply_option(options, letter)) return {};
    }
    return options;
}

}  // namespace px::xenstored

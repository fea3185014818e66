// xenconsoled's command line.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/options.hpp"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace px::console {

const char* const usage =
    "Usage: xenconsoled [options]\n"
    "Connects the consoles of domains with pseudo terminals, and logs them.\n\n"
    "      --log=WHAT            log none, guest, hv or all (none, or $XENCONSOLED_TRACE)\n"
    "      --log-dir=DIR         where to (/var/log/xen/console)\n"
    "      --log-size=MIB        a log of this size is moved to FILE.1 (4; 0: never)\n"
    "      --log-keep=N          how many older files are kept (4)\n"
    "  -t, --timestamp=WHAT      mark lines with the time: none, guest, hv or all\n"
    "      --replace-escape      write a dot for ESC\n"
    "  -o, --overflow-data=HOW   when nobody reads: discard the oldest, or keep it\n"
    "  -i, --interactive         stay in the foreground\n"
    "      --pid-file=FILE       write the process number to FILE\n"
    "  -v, --verbose             log each domain\n"
    "  -V, --version\n"
    "  -h, --help                this text\n";

namespace {

enum LongOption { log_what = 256, log_dir, log_size, log_keep, replace_escape, pid_file };
constexpr option long_options[] = {
    {"log", required_argument, nullptr, log_what},
    {"log-dir", required_argument, nullptr, log_dir},
    {"log-size", required_argument, nullptr, log_size},
    {"log-keep", required_argument, nullptr, log_keep},
    {"timestamp", required_argument, nullptr, 't'},
    {"replace-escape", no_argument, nullptr, replace_escape},
    {"overflow-data", required_argument, nullptr, 'o'},
    {"interactive", no_argument, nullptr, 'i'},
    {"pid-file", required_argument, nullptr, pid_file},
    {"verbose", no_argument, nullptr, 'v'},
    {"version", no_argument, nullptr, 'V'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

/// "none", "guest", "hv" or "all" as two flags.
bool choose(std::string_view what, bool& guests, bool& hypervisor) {
    guests = what == "guest" || what == "all";
    hypervisor = what == "hv" || what == "all";
    if (guests || hypervisor || what == "none") return true;
    std::fprintf(stderr, "xenconsoled: '%s' is none of none, guest, hv, all\n", std::string(what).c_str());
    return false;
}

bool apply_option(Options& options, int letter) {
    switch (letter) {
    case log_what: return choose(optarg, options.log_guests, options.log_hypervisor);
    case 't': return choose(optarg, options.stamp_guests, options.stamp_hypervisor);
    case log_dir: options.log_directory = optarg; return true;
    case log_size: options.policy.most_bytes = static_cast<usize>(std::atol(optarg)) << 20; return true;
    case log_keep: options.policy.keep = static_cast<unsigned>(std::atoi(optarg)); return true;
    case replace_escape: options.policy.replace_escape = true; return true;
    case 'o': options.keep_output = std::string_view(optarg) == "keep"; return true;
    case 'i': options.fork = false; return true;
    case pid_file: options.pid_file = optarg; return true;
    case 'v': options.verbose = true; return true;
    case 'V': options.version = true; return true;
    case 'h': options.help = true; return true;
    default: return false;
    }
}

}  // namespace

std::optional<Options> parse_options(int count, char** arguments) {
    Options options;
    if (const char* what = std::getenv("XENCONSOLED_TRACE")) choose(what, options.log_guests, options.log_hypervisor);
    optind = 1;
    for (int letter; (letter = getopt_long(count, arguments, "hVvit:o:", long_options, nullptr)) != -1;) {
        if (!apply_option(options, letter)) return {};
    }
    return options;
}

}  // namespace px::console

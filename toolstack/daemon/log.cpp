// Where a daemon's lines go.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/daemon/log.hpp"

#include <syslog.h>

#include <ctime>

namespace px::daemon {

void Log::use_syslog(const char* program) {
    openlog(program, LOG_PID, LOG_DAEMON);
    syslog_ = true;
}

bool Log::use_file(const std::string& path) {
    file_ = std::fopen(path.c_str(), "ae");
    if (file_) std::setvbuf(file_, nullptr, _IOLBF, 0);
    return file_ != nullptr;
}

void Log::line(std::string_view text) {
    const int length = static_cast<int>(text.size());
    if (file_) {
        char time[32];
        std::time_t now = std::time(nullptr);
        std::strftime(time, sizeof time, "%F %T", std::localtime(&now));
        std::fprintf(file_, "%s %.*s\n", time, length, text.data());
    } else if (syslog_) {
        syslog(LOG_NOTICE, "%.*s", length, text.data());
    } else {
        std::fprintf(stderr, "%.*s\n", length, text.data());
    }
}

}  // namespace px::daemon

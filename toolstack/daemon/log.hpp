// Where a daemon's lines go: standard error in the foreground, syslog in the background, a file if asked for.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace px::daemon {

class Log {
public:
    Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log() {
        if (file_) std::fclose(file_);
    }

    void use_syslog(const char* program);
    /// Appends to `path`; false with errno when it can't be opened.
    bool use_file(const std::string& path);
    void line(std::string_view text);

private:
    bool syslog_ = false;
    std::FILE* file_ = nullptr;
};

}  // namespace px::daemon

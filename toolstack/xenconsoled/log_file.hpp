// A log of console output: bounded on disk, and with the time of each line if asked for.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::console {

struct LogPolicy {
    bool timestamps = false;
    bool replace_escape = false;        ///< a dot for ESC, so that `cat` is safe
    usize most_bytes = usize{4} << 20;  ///< then the file becomes FILE.1, and so on; 0: never
    unsigned keep = 4;                  ///< how many older files
};

class LogFile {
public:
    /// Appends to `path`.
    static call::Outcome<LogFile> open(std::string path, LogPolicy policy);

    /// `now` is what lines that begin here are marked with.
    void append(std::string_view text, std::time_t now);
    /// Opens the file again: somebody else moved it away (logrotate).
    void reopen();
    const std::string& path() const { return path_; }

private:
    LogFile(std::string path, LogPolicy policy) : path_(std::move(path)), policy_(policy) {}
    void rotate();

    std::string path_;
    LogPolicy policy_;
    call::Fd fd_;
    usize size_ = 0;
    bool at_line_start_ = true;
};

}  // namespace px::console

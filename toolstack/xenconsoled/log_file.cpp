// A log of console output.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

namespace px::console {

call::Outcome<LogFile> LogFile::open(std::string path, LogPolicy policy) {
    LogFile file(std::move(path), policy);
    file.reopen();
    if (!file.fd_) return call::failure("can't log to " + file.path_);
    return file;
}

void LogFile::reopen() {
    fd_ = call::Fd{::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    struct stat status {};
    size_ = fd_ && fstat(fd_.get(), &status) == 0 ? static_cast<usize>(status.st_size) : 0;
}

void LogFile::rotate() {
    auto numbered = [&](unsigned number) { return path_ + "." + std::to_string(number); };
    for (unsigned number = policy_.keep; number > 1; --number) { std::rename(numbered(number - 1).c_str(), numbered(number).c_str()); }
    if (policy_.keep != 0) std::rename(path_.c_str(), numbered(1).c_str());
    else unlink(path_.c_str());
    reopen();
}

void LogFile::append(std::string_view text, std::time_t now) {
    std::string stamped;
    if (policy_.timestamps) {
        char time[32];
        std::strftime(time, sizeof time, "[%F %T] ", std::localtime(&now));
        for (char c : text) {
            if (std::exchange(at_line_start_, c == '\n')) stamped += time;
            stamped += c;
        }
    } else {
        stamped = text;
    }
    if (policy_.replace_escape) std::ranges::replace(stamped, '\x1b', '.');
    if (policy_.most_bytes != 0 && size_ != 0 && size_ + stamped.size() > policy_.most_bytes) rotate();
    if (!fd_) return;
    ssize_t written = write(fd_.get(), stamped.data(), stamped.size());  // a full disk must not stop the console
    if (written > 0) size_ += static_cast<usize>(written);
}

}  // namespace px::console

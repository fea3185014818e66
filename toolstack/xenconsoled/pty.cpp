// A pseudo terminal.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/pty.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <cstdlib>

namespace px::console {

call::Outcome<Pty> Pty::open(bool keep) {
    Pty pty;
    pty.keep_ = keep;
    pty.ours_ = call::Fd{posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
    int number = 0, unlocked = 0;
    if (!pty.ours_ || ioctl(pty.fd(), TIOCSPTLCK, &unlocked) < 0 || ioctl(pty.fd(), TIOCGPTN, &number) < 0) {
        return call::failure("can't make a pseudo terminal (is /dev/pts mounted?)");
    }
    pty.name_ = "/dev/pts/" + std::to_string(number);
    pty.theirs_ = call::Fd{::open(pty.name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    termios mode{};
    if (!pty.theirs_ || tcgetattr(pty.theirs_.get(), &mode) < 0) return call::failure("can't open " + pty.name_);
    cfmakeraw(&mode);
    tcsetattr(pty.theirs_.get(), TCSANOW, &mode);
    return pty;
}

void Pty::write(std::string_view text) {
    queue_ += text;
    flush();
    if (queue_.size() <= kept_bytes) return;
    if (keep_) queue_.resize(kept_bytes);
    else queue_.erase(0, queue_.size() - kept_bytes);
}

void Pty::flush() {
    while (!queue_.empty()) {
        ssize_t count = ::write(fd(), queue_.data(), queue_.size());
        if (count <= 0) return;
        queue_.erase(0, static_cast<usize>(count));
    }
}

std::string Pty::read(usize most) {
    std::string text(most, '\0');
    ssize_t count = ::read(fd(), text.data(), most);
    text.resize(count > 0 ? static_cast<usize>(count) : 0);
    return text;
}

}  // namespace px::console

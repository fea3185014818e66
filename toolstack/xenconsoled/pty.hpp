// A pseudo terminal: what `xl console` opens, and our end of it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::console {

/// Output that nobody reads is kept, and the oldest dropped when it gets too much.
class Pty {
public:
    static constexpr usize kept_bytes = 64 * 1024;

    /// `keep`: with nobody attached, hold back new output instead of dropping the oldest.
    static call::Outcome<Pty> open(bool keep);

    int fd() const { return ours_.get(); }
    const std::string& name() const { return name_; }

    /// Queues `text` and writes what the terminal takes.
    void write(std::string_view text);
    /// Writes more of what is queued.
    void flush();
    bool has_output() const { return !queue_.empty(); }
    /// What a person typed, at most `most` bytes.
    std::string read(usize most);

private:
    call::Fd ours_;
    call::Fd theirs_;  // held open, else our end fails whenever the last reader goes
    std::string name_;
    std::string queue_;
    bool keep_ = false;
};

}  // namespace px::console

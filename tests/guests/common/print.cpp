// Formatting for print.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/print.hpp"

#include "tests/guests/common/cpu.hpp"

namespace px::guest {

namespace {

/// Collects a line so that the console sees few writes, and whole ones when several CPUs print.
class LineBuffer {
public:
    ~LineBuffer() { flush(); }
    void put(char c) {
        if (used_ == sizeof(text_)) flush();
        text_[used_++] = c;
    }
    void put(std::string_view text) {
        for (char c : text) put(c);
    }
    void put_number(u64 number, unsigned base) {
        char digits[20];
        unsigned count = 0;
        do { digits[count++] = "0123456789abcdef"[number % base]; } while (number /= base);
        while (count) put(digits[--count]);
    }

private:
    void flush() {
        console_write({text_, used_});
        used_ = 0;
    }
    char text_[256];
    usize used_ = 0;
};

constinit SpinLock print_lock;

}  // namespace

void print_args(std::string_view format, std::initializer_list<PrintArg> args) {
    const SpinGuard guard{print_lock};
    LineBuffer line;
    auto next = args.begin();
    for (usize i = 0; i < format.size(); ++i) {
        const bool hex = format.substr(i, 3) == "{x}";
        if ((!hex && format.substr(i, 2) != "{}") || next == args.end()) {
            line.put(format[i]);
            continue;
        }
        i += hex ? 2 : 1;
        const PrintArg& arg = *next++;
        if (arg.kind == PrintArg::Kind::text) {
            line.put(arg.text);
            continue;
        }
        if (arg.kind == PrintArg::Kind::negative) line.put('-');
        if (hex) line.put("0x");
        line.put_number(arg.number, hex ? 16 : 10);
    }
}

}  // namespace px::guest

// xenstore-holder background|foreground DIRECTORY PROGRAM ARGUMENT…: xenstored's half that lives on.
// xenstored starts it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/daemon/background.hpp"
#include "toolstack/daemon/log.hpp"
#include "toolstack/xenstored/holder.hpp"

namespace px::xenstored {
namespace {

call::Outcome<> hold(bool to_background, const std::string& directory, const std::string& program, std::vector<std::string> arguments,
                     daemon::Log& log) {
    daemon::Background background;
    if (to_background) TRY(background.enter());
    arguments.push_back("--worker");
    auto holder = TRY(Holder::create(
        directory, [&](int link) { return start_program(program, arguments, link); }, [&](std::string_view line) { log.line(line); }));
    return holder.run([&] {
        background.ready();
        if (to_background) log.use_syslog("xenstore-holder");
    });
}

}  // namespace
}  // namespace px::xenstored

int main(int count, char** arguments) {
    if (count < 5) {
        std::fputs("xenstore-holder is started by xenstored\n", stderr);
        return 2;
    }
    px::daemon::Log log;
    std::vector<std::string> rest(arguments + 4, arguments + count);
    auto result = px::xenstored::hold(std::string_view(arguments[1]) == "background", arguments[2], arguments[3], std::move(rest), log);
    if (result.ok()) return 0;
    log.line("xenstore-holder: " + result.error().text);
    return 1;
}

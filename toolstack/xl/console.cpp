// xl console.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenconsoled/attach.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

constexpr int appear_ms = 5000;

Outcome<console::ConsoleType> parse_type(const std::string& text) {
    if (text == "pv") return console::ConsoleType::pv;
    if (text == "serial") return console::ConsoleType::serial;
    if (text == "vuart") return console::ConsoleType::vuart;
    return Err{Error{EINVAL, "'" + text + "' is no kind of console: pv, serial or vuart"}};
}

Outcome<int> run(const Arguments& arguments) {
    const auto type = TRY(parse_type(arguments.value('t').value_or("pv")));
    const auto number = static_cast<unsigned>(TRY(parse_number(arguments.value('n').value_or("0"), 255, "number of a console")));
    std::string terminal;
    {
        System system = TRY(System::open());
        const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
        terminal = TRY(console::find_terminal(system.store, id, type, number, appear_ms));
    }
    TRY(console::attach(terminal, 0, 1));
    return exit_success;
}

constexpr Option options[] = {
    {'t', "type", "TYPE", "pv (the default), serial or vuart"},
    {'n', "num", "NUMBER", "which of several consoles; 0 is the first"},
};

}  // namespace

const Command console_command{"console", "DOMAIN", "Connects the terminal with a domain's console; Ctrl-] leaves it", options, 1, 1, run};

}  // namespace px::xl

// The help texts, made from the table.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

std::string padded(std::string text, usize width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
}

std::string shown(const Option& option) {
    std::string text = option.letter > ' ' ? std::string{'-', option.letter} : "  ";
    if (!option.name.empty()) text += (option.letter > ' ' ? ", --" : "  --") + std::string(option.name);
    if (!option.value.empty()) text += " " + std::string(option.value);
    return text;
}

}  // namespace

std::string overview() {
    std::string text = "Usage: xl [-v] [-N] COMMAND [OPTION…] [ARGUMENT…]\n\nCommands:\n";
    for (const Command& command : commands()) text += "  " + padded(std::string(command.name), 16) + std::string(command.help) + "\n";
    return text + "\n'xl help COMMAND' tells more about one. -N: do nothing, only say what would be done.\n";
}

std::string usage(const Command& command) {
    std::string text = "Usage: xl " + std::string(command.name) + (command.options.empty() ? "" : " [OPTION…]") +
                       (command.synopsis.empty() ? "" : " ") + std::string(command.synopsis) + "\n\n" + std::string(command.help) + ".\n";
    if (!command.options.empty()) text += "\nOptions:\n";
    for (const Option& option : command.options) text += "  " + padded(shown(option), 28) + std::string(option.help) + "\n";
    return text;
}

}  // namespace px::xl

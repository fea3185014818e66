// xl: what a user manages domains with.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "toolstack/xl/command.hpp"

namespace px::xl {
namespace {

void print(std::FILE* where, std::string_view text) { std::fwrite(text.data(), 1, text.size(), where); }

int complain(const std::string& text) {
    std::fflush(stdout);
    print(stderr, "xl" + text + "\n");
    return exit_failure;
}

int unknown_command(std::string_view name) {
    if (const auto why = why_unsupported(name); !why.empty()) {
        return complain(" " + std::string(name) + ": this command isn't supported: " + std::string(why));
    }
    const std::string_view near = suggest_command(name);
    return complain(": there is no command '" + std::string(name) + "'" +
                    (near.empty() ? "; 'xl help' lists them" : ": did you mean '" + std::string(near) + "'?"));
}

int help(std::span<char* const> words) {
    if (words.empty()) return print(stdout, overview()), exit_success;
    const Command* command = find_command(words[0]);
    if (!command) return unknown_command(words[0]);
    return print(stdout, usage(*command)), exit_success;
}

int run(const Command& command, std::span<char* const> words) {
    const std::string name = " " + std::string(command.name) + ": ";
    for (std::string_view word : words) {
        if (word == "--help" || word == "-h") return print(stdout, usage(command)), exit_success;
    }
    const auto arguments = Arguments::parse(command.options, words);
    if (!arguments.ok()) {
        return complain(name + arguments.error().text + "; 'xl help " + std::string(command.name) + "' lists the options");
    }
    const usize count = arguments->words().size();
    if (count < command.least || count > command.most) {
        const char* what = count < command.least ? "something is missing" : "there is too much";
        return complain(name + what + " on the command line\n" + usage(command));
    }
    const auto result = command.run(*arguments);
    if (!result.ok()) return complain(name + result.error().text);
    return std::fflush(stdout) == 0 ? *result : complain(name + "can't write the output");
}

int start(std::span<char* const> words) {
    words = words.subspan(1);
    for (; !words.empty() && words[0][0] == '-'; words = words.subspan(1)) {
        const std::string_view option = words[0];
        if (option == "--help" || option == "-h") break;
        if (option == "--version") return run(version_command, {});
        if (option == "-N") dry_run = true;
        else if (option.find_first_not_of("vftT", 1) != std::string_view::npos) {
            return complain(": there is no option '" + std::string(option) + "'");
        }
    }
    if (words.empty()) return print(stderr, overview()), exit_failure;
    const std::string_view name = words[0];
    if (name == "help" || name == "--help" || name == "-h") return help(words.subspan(1));
    const Command* command = find_command(name);
    return command ? run(*command, words.subspan(1)) : unknown_command(name);
}

}  // namespace
}  // namespace px::xl

int main(int count, char** words) { return px::xl::start(std::span(words, static_cast<px::usize>(count))); }

// Parser of the hypervisor's command line.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cmdline/parse.hpp"

#include "hypervisor/cmdline/values.hpp"

namespace px::cmdline {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void skip_blanks(std::string_view& rest) {
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

struct Word {
    std::string_view text;  ///< the option, without the quotes around it
    std::string_view name;
    std::string_view value;  ///< without the quotes around it
    bool has_value = false;
    bool quote_open = false;  ///< a quote was never closed
};

/// Length of `text` up to the first blank, from `from` on.
usize until_blank(std::string_view text, usize from) {
    while (from < text.size() && !is_blank(text[from])) ++from;
    return from;
}

/// Where the quote that stands at `open` is closed, with a blank or the end after it; nothing when it isn't.
std::optional<usize> closing_quote(std::string_view text, usize open) {
    for (usize i = open + 1; i < text.size(); ++i) {
        if (text[i] == '"' && (i + 1 == text.size() || is_blank(text[i + 1]))) return i;
    }
    return std::nullopt;
}

/// Takes one option off the front of `rest`, which starts with one.
Word take_word(std::string_view& rest) {
    Word word;
    usize length = until_blank(rest, 0);
    word.text = {rest.data(), length};
    usize equals = 0;
    if (rest.front() == '"') {
        if (const auto close = closing_quote(rest, 0)) {
            word.text = {rest.data() + 1, *close - 1};
            length = *close + 1;
        } else {
            word.quote_open = true;
        }
    }
    while (equals < word.text.size() && word.text[equals] != '=') ++equals;
    word.name = {word.text.data(), equals};
    word.has_value = equals < word.text.size();
    if (word.has_value) word.value = {word.text.data() + equals + 1, word.text.size() - equals - 1};
    if (word.value.data() != nullptr && !word.value.empty() && word.value.front() == '"') {
        const usize open = static_cast<usize>(word.value.data() - rest.data());
        if (const auto close = closing_quote(rest, open)) {
            word.value = {rest.data() + open + 1, *close - open - 1};
            word.text = {rest.data(), *close + 1};
            length = *close + 1;
        } else {
            word.quote_open = true;
        }
    }
    rest.remove_prefix(length);
    return word;
}

const Option* find(std::string_view name) {
    for (const Option& option : option_table()) {
        if (same_name(option.name, name)) return &option;
    }
    return nullptr;
}

struct Match {
    const Option* option = nullptr;
    bool negated = false;
};

/// The option that `name` means. A prefix counts only where the whole name isn't an option itself (noreboot),
/// and the prefix without a dash (nosmap) only for what can be off.
Match match(std::string_view name) {
    if (const Option* option = find(name)) return {option, false};
    if (take_prefix(name, "no-")) return {find(name), true};
    if (take_prefix(name, "no")) {
        const Option* option = find(name);
        if (option != nullptr && option->can_toggle()) return {option, true};
    }
    return {};
}

Outcome apply(const Word& word, const Match& found, BootOptions& options) {
    if (found.option == nullptr) return Err{Refusal{"is not an option"}};
    if (found.negated && word.has_value) return Err{Refusal{"has both 'no-' and a value"}};
    if (found.negated && !found.option->can_toggle()) return Err{Refusal{"can't be negated"}};
    if (!found.negated && !word.has_value && !found.option->can_toggle()) return Err{Refusal{"needs a value"}};
    const bool empty = word.has_value && word.value.empty();
    if (empty && found.option->kind != Kind::string) return Err{Refusal{"has an empty value"}};
    return found.option->store(options, {word.value, word.has_value, found.negated});
}

}  // namespace

void parse(std::string_view line, BootOptions& options, Diagnostics& diagnostics) {
    using Severity = Diagnostic::Severity;
    for (skip_blanks(line); !line.empty(); skip_blanks(line)) {
        const Word word = take_word(line);
        if (word.text == "--") {
            skip_blanks(line);
            options.dom0_extra = line;
            return;
        }
        if (word.quote_open) {
            diagnostics.report({Severity::problem, word.text, {}, "has a quote that is never closed"});
            continue;
        }
        const Match found = match(word.name);
        const Outcome outcome = apply(word, found, options);
        if (!outcome.ok()) diagnostics.report({Severity::problem, word.text, outcome.error().culprit, outcome.error().reason});
        else if (found.option->note != nullptr) diagnostics.report({Severity::note, word.text, {}, found.option->note});
    }
}

}  // namespace px::cmdline

// A command's options and arguments, as its table says they may be.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "toolstack/call/error.hpp"

namespace px::xl {

struct Option {
    char letter;             ///< what the program asks for; a letter that can't be typed stands for a long option only
    std::string_view name;   ///< of the long form, empty: none
    std::string_view value;  ///< what the value is called in the help, empty: a flag
    std::string_view help;
};

class Arguments {
public:
    /// Options may stand anywhere; "--" ends them. The error says what is wrong.
    static call::Outcome<Arguments> parse(std::span<const Option> options, std::span<char* const> words);

    bool has(char letter) const { return value(letter).has_value(); }
    /// The last value given for the option; an empty text for a flag.
    std::optional<std::string> value(char letter) const;
    const std::vector<std::string>& words() const { return words_; }
    /// The n-th word; n is below the least number of words that the command wants.
    const std::string& word(usize n) const { return words_[n]; }
    std::optional<std::string> optional_word(usize n) const { return n < words_.size() ? std::optional(words_[n]) : std::nullopt; }

private:
    class Reader;
    struct Given {
        char letter;
        std::string value;
    };
    std::vector<Given> given_;
    std::vector<std::string> words_;
};

}  // namespace px::xl

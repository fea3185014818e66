// A command's options and arguments.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/arguments.hpp"

#include <algorithm>

namespace px::xl {

using call::Error;
using call::Outcome;

namespace {

Err<Error> unknown(const std::string& word) { return Err{Error{EINVAL, "there is no option '" + word + "'"}}; }
Err<Error> lacks_value(const std::string& word) { return Err{Error{EINVAL, "option '" + word + "' needs a value"}}; }

}  // namespace

/// Takes words from the front.
class Arguments::Reader {
public:
    Reader(std::span<const Option> options, std::span<char* const> words, Arguments& result)
        : options_(options), words_(words), result_(result) {}

    Outcome<> read() {
        for (bool only_words = false; !words_.empty();) {
            const std::string word = take();
            if (!only_words && word == "--") only_words = true;
            else if (only_words || word.size() < 2 || word[0] != '-') result_.words_.push_back(word);
            else if (word[1] == '-') TRY(read_long(word));
            else TRY(read_letters(word));
        }
        return {};
    }

private:
    std::string take() {
        std::string word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    /// --name, --name value, --name=value
    Outcome<> read_long(const std::string& word) {
        const usize equals = word.find('=');
        const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        const auto option = std::ranges::find(options_, std::string_view(name), &Option::name);
        if (name.empty() || option == options_.end()) return unknown(word);
        std::string value;
        if (equals != std::string::npos) {
            if (option->value.empty()) return Err{Error{EINVAL, "option '--" + name + "' takes no value"}};
            value = word.substr(equals + 1);
        } else if (!option->value.empty()) {
            if (words_.empty()) return lacks_value(word);
            value = take();
        }
        result_.given_.push_back({option->letter, value});
        return {};
    }

    /// -ab, -n value, -nvalue
    Outcome<> read_letters(const std::string& word) {
        for (usize i = 1; i < word.size(); ++i) {
            const std::string shown{'-', word[i]};
            const auto option = std::ranges::find(options_, word[i], &Option::letter);
            if (option == options_.end()) return unknown(shown);
            if (option->value.empty()) {
                result_.given_.push_back({option->letter, ""});
                continue;
            }
            std::string value = word.substr(i + 1);
            if (value.empty()) {
                if (words_.empty()) return lacks_value(shown);
                value = take();
            }
            result_.given_.push_back({option->letter, value});
            return {};
        }
        return {};
    }

    std::span<const Option> options_;
    std::span<char* const> words_;
    Arguments& result_;
};

Outcome<Arguments> Arguments::parse(std::span<const Option> options, std::span<char* const> words) {
    Arguments result;
    TRY(Reader(options, words, result).read());
    return result;
}

std::optional<std::string> Arguments::value(char letter) const {
    for (auto given = given_.rbegin(); given != given_.rend(); ++given) {
        if (given->letter == letter) return given->value;
    }
    return std::nullopt;
}

}  // namespace px::xl

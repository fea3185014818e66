// The lexer of xl.cfg: words, numbers, strings and punctuation, each with its place.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libxlcfg/diagnostic.hpp"

namespace px::xlcfg {

struct Token {
    enum class Kind { word, number, string, assign, append, open, close, comma, newline, semicolon, end, invalid };

    Kind kind = Kind::end;
    Span span;
    std::string text;              ///< of a string with its escapes undone
    std::vector<Position> places;  ///< of each character of `text`

    bool separates() const { return kind == Kind::newline || kind == Kind::semicolon || kind == Kind::end; }
    bool is_value() const { return kind == Kind::string || kind == Kind::number || kind == Kind::open; }
};

/// Reads one source. What cannot be a token is reported once and comes back as `invalid`.
///
/// Beyond the reference, which accepts none of these: CRLF ends of line, a byte-order mark, negative numbers, capital
/// hexadecimal digits, a comment that ends with the file. `\xHH` and octal escapes mean what they say (the reference
/// misreads both).
class Lexer {
public:
    Lexer(const Sources& sources, Position base, Diagnostics& diagnostics)
        : text_(sources.text(base)), base_(base), diagnostics_(diagnostics) {
        if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    }

    Token next();
    /// Moves to the end of the current line; the next token is its newline (or the end).
    void skip_line();
    /// Whether the text from here on looks like `key =` or `key +=`.
    bool at_assignment() const;

private:
    void skip_blanks();
    Token token(Token::Kind kind, std::size_t from);
    Token word();
    Token number();
    Token string();
    Token invalid_character();
    bool escape(Token& into);
    bool numeric_escape(Token& into, std::size_t from, unsigned base, std::size_t max_digits);
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    Span span_from(std::size_t from) const { return {base_ + static_cast<Position>(from), base_ + static_cast<Position>(at_)}; }

    std::string_view text_;
    Position base_;
    std::size_t at_ = 0;
    Diagnostics& diagnostics_;
};

}  // namespace px::xlcfg

// The lexer of xl.cfg.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/lexer.hpp"

#include <algorithm>

namespace px::xlcfg {

namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool starts_word(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool continues_word(char c) { return starts_word(c) || is_digit(c) || c == '.' || c == '-'; }

constexpr int digit_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

std::string quoted(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) return std::string("'") + c + "'";
    constexpr char digits[] = "0123456789abcdef";
    return std::string("0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

Token Lexer::token(Token::Kind kind, std::size_t from) {
    Token made;
    made.kind = kind;
    made.span = span_from(from);
    made.text = text_.substr(from, at_ - from);
    for (Position place = made.span.begin; place != made.span.end; ++place) made.places.push_back(place);
    return made;
}

void Lexer::skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }

void Lexer::skip_blanks() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == '#') skip_line();
        else if (c == ' ' || c == '\t' || c == '\f' || (c == '\r' && (peek(1) == '\n' || at_ + 1 == text_.size()))) ++at_;
        else break;
    }
}

bool Lexer::at_assignment() const {
    std::size_t at = at_;
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at;
    const std::string_view rest = text_.substr(at);
    return rest.starts_with('=') || rest.starts_with("+=");
}

Token Lexer::next() {
    skip_blanks();
    const std::size_t from = at_;
    if (at_ >= text_.size()) return token(Token::Kind::end, from);
    const char c = text_[at_];
    if (starts_word(c)) return word();
    if (is_digit(c) || (c == '-' && is_digit(peek(1)))) return number();
    if (c == '"' || c == '\'') return string();
    ++at_;
    switch (c) {
    case '\n': return token(Token::Kind::newline, from);
    case ';': return token(Token::Kind::semicolon, from);
    case '=': return token(Token::Kind::assign, from);
    case '[': return token(Token::Kind::open, from);
    case ']': return token(Token::Kind::close, from);
    case ',': return token(Token::Kind::comma, from);
    case '+':
        if (peek() == '=') {
            ++at_;
            return token(Token::Kind::append, from);
        }
        break;
    default: break;
    }
    at_ = from;
    return invalid_character();
}

Token Lexer::invalid_character() {
    const std::size_t from = at_;
    const char c = text_[at_];
    ++at_;
    while ((static_cast<unsigned char>(peek()) & 0xc0) == 0x80) ++at_;  // the rest of a UTF-8 character
    std::string hint;
    if (c == '(' || c == ')' || c == '{' || c == '}' || c == '%')
        hint = "this looks like Python; xl.cfg is data: keys with strings, numbers and lists";
    else if (c == '\\') hint = "a line can't be continued; only lists may span lines";
    else if (static_cast<unsigned char>(c) >= 0x80) hint = "outside strings only ASCII is allowed; typographic quotes are a common cause";
    diagnostics_.error(span_from(from), "unexpected character " + quoted(c), std::move(hint));
    return token(Token::Kind::invalid, from);
}

Token Lexer::word() {
    const std::size_t from = at_;
    while (continues_word(peek())) ++at_;
    return token(Token::Kind::word, from);
}

Token Lexer::number() {
    const std::size_t from = at_;
    ++at_;
    while (continues_word(peek()) && peek() != '-') ++at_;
    Token made = token(Token::Kind::number, from);
    // The reference takes any run of these as a "number", also as the value of a string key; so do we, and read_number
    // judges it when a number is asked for.
    const bool known =
        std::all_of(made.text.begin() + 1, made.text.end(), [](char c) { return digit_value(c) < 16 || c == 'x' || c == 'X'; });
    if (known) return made;
    diagnostics_.error(made.span, "malformed number '" + made.text + "'",
                       "numbers are whole: decimal, 0x… or octal 0…, without a unit; other text goes in quotes");
    made.kind = Token::Kind::invalid;
    return made;
}

Token Lexer::string() {
    const std::size_t from = at_;
    const char quote = text_[at_++];
    Token made;
    made.kind = Token::Kind::string;
    while (true) {
        const bool over = at_ >= text_.size() || peek() == '\n' || (peek() == '\r' && peek(1) == '\n');
        if (over) {
            made.kind = Token::Kind::invalid;
            made.span = span_from(from);
            diagnostics_.error(made.span, "this string isn't closed on its line",
                               std::string("end it with ") + quote + "; a string can't span lines");
            return made;
        }
        const char c = text_[at_];
        if (c == quote) break;
        if (c == '\\') {
            if (!escape(made)) made.kind = Token::Kind::invalid;
            continue;
        }
        if (c == '\0') {
            ++at_;
            diagnostics_.error(span_from(at_ - 1), "a string can't hold a NUL character");
            made.kind = Token::Kind::invalid;
            continue;
        }
        made.text += c;
        made.places.push_back(base_ + static_cast<Position>(at_));
        ++at_;
    }
    ++at_;
    made.span = span_from(from);
    return made;
}

bool Lexer::escape(Token& into) {
    const std::size_t from = at_;
    ++at_;
    constexpr std::string_view letters = "abfnrtv\\\"'";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"'";
    const char c = peek();
    if (const auto index = letters.find(c); index != std::string_view::npos && c != '\0') {
        ++at_;
        into.text += meanings[index];
        into.places.push_back(base_ + static_cast<Position>(from));
        return true;
    }
    if (c == 'x') {
        ++at_;
        return numeric_escape(into, from, 16, 2);
    }
    if (digit_value(c) < 8) return numeric_escape(into, from, 8, 3);
    if (c != '\n' && c != '\r' && c != '\0') ++at_;
    diagnostics_.error(span_from(from), "unknown escape in a string", R"(write a backslash as \\)");
    return false;
}

bool Lexer::numeric_escape(Token& into, std::size_t from, unsigned base, std::size_t max_digits) {
    unsigned value = 0;
    std::size_t digits = 0;
    for (; digits < max_digits && digit_value(peek()) < static_cast<int>(base); ++digits, ++at_)
        value = value * base + static_cast<unsigned>(digit_value(peek()));
    if (digits == 0 || value == 0 || value > 0xff) {
        diagnostics_.error(span_from(from), "this escape names no character",
                           R"(write \x followed by two hexadecimal digits (01 to ff), or three octal digits)");
        return false;
    }
    into.text += static_cast<char>(value);
    into.places.push_back(base_ + static_cast<Position>(from));
    return true;
}

}  // namespace px::xlcfg

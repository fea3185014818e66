// The parser of xl.cfg.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/parser.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "libxlcfg/lexer.hpp"

namespace px::xlcfg {

namespace {

using Kind = Token::Kind;

constexpr std::string_view python_words[] = {"import", "from", "def",   "for",   "if",     "else",  "elif",
                                             "while",  "try",  "print", "class", "return", "lambda"};

bool looks_like_python(std::string_view word) {
    return std::find(std::begin(python_words), std::end(python_words), word) != std::end(python_words);
}

bool is_key(std::string_view word) {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return lower(word.front()) &&
           std::all_of(word.begin(), word.end(), [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}

std::string lower_key(std::string word) {
    for (char& c : word) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return word;
}

std::string name_of(const Token& token) {
    switch (token.kind) {
    case Kind::newline: return "the end of the line";
    case Kind::end: return "the end of the file";
    case Kind::string: return "a string";
    default: return "'" + token.text + "'";
    }
}

class Parser {
public:
    Parser(const Sources& sources, Position base, Document& document, Diagnostics& diagnostics)
        : sources_(sources), lexer_(sources, base, diagnostics), document_(document), out_(diagnostics) {
        advance();
    }

    void file() {
        while (token_.kind != Kind::end && !out_.full()) {
            if (token_.separates()) advance();
            else if (!assignment()) recover();
        }
    }

private:
    void advance() { token_ = lexer_.next(); }
    void skip_newlines() {
        while (token_.kind == Kind::newline) advance();
    }
    // After an error: the next line is a fresh start.
    void recover() {
        if (token_.kind == Kind::newline || token_.kind == Kind::end) return;
        lexer_.skip_line();
        advance();
    }

    bool assignment();
    bool key(const Token& word);
    std::optional<Value> value(unsigned depth);
    std::optional<Value> list(unsigned depth);
    bool separator(const Value& list);
    void bare_word();
    void store(const Token& key, Value value, bool append);
    bool append(Setting& setting, Value value);

    const Sources& sources_;
    Lexer lexer_;
    Document& document_;
    Diagnostics& out_;
    Token token_;
    bool abandoned_ = false;  // an unclosed list ended at what must be the next assignment
};

bool Parser::key(const Token& word) {
    if (word.kind != Kind::word) {
        if (word.kind != Kind::invalid)
            out_.error(word.span, "expected a key, found " + name_of(word),
                       word.kind == Kind::close ? "there is no list open here" : "a setting is written KEY = VALUE");
        return false;
    }
    if (is_key(word.text)) return true;
    out_.error(word.span, "'" + word.text + "' can't be a key",
               "keys are lower case letters, digits and '_'; did you mean '" + lower_key(word.text) + "'?");
    return false;
}

bool Parser::assignment() {
    const Token word = token_;
    const bool good_key = key(word);
    if (!good_key && word.kind != Kind::word) return false;
    advance();
    if (token_.kind != Kind::assign && token_.kind != Kind::append) {
        if (good_key && token_.kind != Kind::invalid)
            out_.error(token_.span, "expected '=' after '" + word.text + "', found " + name_of(token_),
                       looks_like_python(word.text) ? "this looks like Python; xl.cfg is data: keys with strings, numbers and lists"
                                                    : "a setting is written KEY = VALUE");
        return false;
    }
    const bool append = token_.kind == Kind::append;
    advance();
    std::optional<Value> read = value(0);
    if (abandoned_) {
        abandoned_ = false;
        return true;
    }
    if (!read) return false;
    if (good_key) store(word, std::move(*read), append);
    if (token_.separates()) return true;
    if (token_.kind != Kind::invalid)
        out_.error(token_.span, "unexpected " + name_of(token_) + " after the value of '" + word.text + "'",
                   token_.is_value() || token_.kind == Kind::comma ? "several values go in a list: [ …, … ]"
                                                                   : "one setting per line, or separate them with ';'");
    return false;
}

void Parser::bare_word() {
    const std::string lower = lower_key(token_.text);
    std::string hint = "put text in quotes: \"" + token_.text + "\"";
    if (lower == "true" || lower == "yes" || lower == "on") hint = "write 1";
    else if (lower == "false" || lower == "no" || lower == "off") hint = "write 0";
    else if (lower == "none") hint = "leave the key out";
    out_.error(token_.span, "'" + token_.text + "' is not a value", std::move(hint));
}

std::optional<Value> Parser::value(unsigned depth) {
    if (token_.kind == Kind::open) return list(depth);
    if (token_.kind == Kind::string || token_.kind == Kind::number) {
        Value made;
        made.kind = token_.kind == Kind::string ? Value::Kind::string : Value::Kind::number;
        made.span = token_.span;
        made.text = std::move(token_.text);
        made.places = std::move(token_.places);
        advance();
        return made;
    }
    if (token_.kind == Kind::word) bare_word();
    else if (token_.kind != Kind::invalid)
        out_.error(token_.span, "expected a value, found " + name_of(token_), "a value is a string in quotes, a number, or a list [ … ]");
    return std::nullopt;
}

// Reads the list's elements; a bad element is reported and left out, and the list as a whole is then no value.
std::optional<Value> Parser::list(unsigned depth) {
    Value made;
    made.kind = Value::Kind::list;
    made.span = token_.span;
    if (depth == max_list_depth) {
        out_.error(token_.span, "lists are nested too deeply", "no key takes more than two levels");
        return std::nullopt;
    }
    advance();
    bool good = true;
    for (skip_newlines(); token_.kind != Kind::close; skip_newlines()) {
        if (out_.full()) return std::nullopt;
        const bool next_setting = token_.kind == Kind::word && lexer_.at_assignment();
        if (token_.kind == Kind::end || next_setting) {
            out_.error(made.span, "this list isn't closed", "end it with ']'");
            abandoned_ = true;
            return std::nullopt;
        }
        if (std::optional<Value> item = value(depth + 1)) {
            made.items.push_back(std::move(*item));
        } else {
            good = false;
            if (abandoned_) return std::nullopt;
            if (token_.kind == Kind::open) return std::nullopt;  // too deep
            if (token_.kind != Kind::newline && token_.kind != Kind::comma && token_.kind != Kind::end) advance();
        }
        skip_newlines();
        good = separator(made) && good;
    }
    made.span.end = token_.span.end;
    advance();
    return good ? std::optional(std::move(made)) : std::nullopt;
}

// Between two elements. A forgotten comma is reported and assumed.
bool Parser::separator(const Value& list) {
    if (token_.kind == Kind::comma) {
        advance();
        return true;
    }
    if (token_.kind == Kind::close || token_.kind == Kind::end) return true;
    if (token_.kind == Kind::word && lexer_.at_assignment()) return true;
    if (token_.kind == Kind::invalid) return false;  // reported
    if (token_.is_value())
        out_.error(token_.span, "a comma is missing before this element",
                   "the list begins on line " + std::to_string(sources_.place(list.span.begin).line));
    else {
        out_.error(token_.span, "unexpected " + name_of(token_) + " in a list", "elements are separated by ','");
        if (token_.kind != Kind::word) advance();
    }
    return false;
}

bool Parser::append(Setting& setting, Value value) {
    Value& old = setting.value;
    if (old.is_list() != value.is_list()) {
        out_.error(value.span, "'+=' can't join a " + std::string(value.is_list() ? "list" : "string") + " to '" + setting.key +
                                   "', which is a " + (old.is_list() ? "list" : "string"));
        return false;
    }
    if (old.is_list()) {
        std::move(value.items.begin(), value.items.end(), std::back_inserter(old.items));
    } else {
        old.kind = Value::Kind::string;
        old.text += value.text;
        old.places.insert(old.places.end(), value.places.begin(), value.places.end());
    }
    old.span = value.span;
    return true;
}

void Parser::store(const Token& key, Value value, bool append_to) {
    value.joined = append_to;
    Setting* old = document_.find(key.text);
    if (!old) {
        if (document_.settings.size() == max_settings) {
            out_.error(key.span, "too many settings", "there are fewer than 200 keys");
            return;
        }
        document_.settings.push_back({key.text, key.span, std::move(value)});
        return;
    }
    if (append_to) {
        if (append(*old, std::move(value))) old->value.joined = true;
        return;
    }
    // A later source replaces on purpose (xl create FILE key=value); within one file it is a slip.
    if (sources_.text(old->key_span.begin).data() == sources_.text(key.span.begin).data())
        out_.warning(key.span, "'" + key.text + "' is set again",
                     "the value of line " + std::to_string(sources_.place(old->key_span.begin).line) + " has no effect");
    old->key_span = key.span;
    old->value = std::move(value);
}

}  // namespace

void parse(const Sources& sources, Position base, Document& document, Diagnostics& diagnostics) {
    Parser(sources, base, document, diagnostics).file();
}

}  // namespace px::xlcfg

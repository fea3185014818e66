// The JSON form of a configuration.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/json.hpp"

#include "libxlcfg/schema.hpp"
#include "libxlcfg/suggest.hpp"

namespace px::xlcfg {

namespace {

// A string as xl.cfg writes it; a control character becomes its escape.
std::string literal(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') out += '\\';
        if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

class Writer {
public:
    explicit Writer(Diagnostics& out) : out_(out) {}

    std::string value(std::string_view key, const RowView& row, const Json& json, unsigned depth = 0);

private:
    void refuse(std::string_view key, std::string_view reason) { out_.error({}, "JSON: " + quote(key) + " " + std::string(reason)); }
    std::string list(std::string_view key, const RowView& row, const Json& json, unsigned depth);
    std::string specification(std::string_view key, const RowView& row, const Json& json);
    std::string part(std::string_view name, const std::vector<RowView>& rows, const Json& json);
    static std::string plain(const Json& json) {
        if (json.is_string()) return json.get<std::string>();
        if (json.is_boolean()) return json.get<bool>() ? "1" : "0";
        return json.dump();
    }

    Diagnostics& out_;
};

std::string Writer::list(std::string_view key, const RowView& row, const Json& json, unsigned depth) {
    std::string text = "[ ";
    for (const Json& element : json) {
        if (text.size() > 2) text += ", ";
        text += value(key, row, element, depth + 1);
    }
    return text + " ]";
}

// One part of a specification string; a flag is a bare word.
std::string Writer::part(std::string_view name, const std::vector<RowView>& rows, const Json& json) {
    for (const RowView& row : rows) {
        if (row.name != name || !row.details->flag || !json.is_boolean()) continue;
        return std::string(json.get<bool>() ? row.name : row.details->off);
    }
    return std::string(name) + '=' + plain(json);
}

std::string Writer::specification(std::string_view key, const RowView& row, const Json& json) {
    const std::vector<RowView> rows = row.spec ? row.spec() : std::vector<RowView>();
    std::string text, target;
    for (const auto& [name, member] : json.items()) {
        if (member.is_null()) continue;
        if (member.is_structured()) {
            refuse(key, "has a structure within a specification");
            continue;
        }
        const std::string made = part(name, rows, member);
        if (name == "target") {  // takes the rest of the string, so that it may hold anything
            target = made;
        } else if (name.find_first_of(",=") != std::string::npos || made.find(',') != std::string::npos) {
            refuse(key, "has a comma, which a specification can't hold: " + made);
        } else if (!made.empty()) {
            text += (text.empty() ? "" : ",") + made;
        }
    }
    if (!target.empty()) text += (text.empty() ? "" : ",") + target;
    return literal(text);
}

std::string Writer::value(std::string_view key, const RowView& row, const Json& json, unsigned depth) {
    if (json.is_boolean() || json.is_number_integer()) return plain(json);
    if (json.is_string()) {
        const auto text = json.get<std::string>();
        if (text.find('\0') != std::string::npos) refuse(key, "has a NUL character");
        return literal(text);
    }
    if (json.is_array() && depth < 3) return list(key, row, json, depth);
    if (json.is_object()) return specification(key, row, json);
    refuse(key, "can't be " + json.dump(-1, ' ', false, Json::error_handler_t::replace));
    return {};
}

bool is_plain_key(std::string_view key) {
    return !key.empty() && key.front() >= 'a' && key.front() <= 'z' &&
           key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string_view::npos;
}

Json schema_of(const RowView& row);

Json schema_of_spec(const RowView& row) {
    Json text{{"type", "string"}};
    if (!row.details->form.empty()) text["description"] = row.details->form;
    if (!row.spec) return text;
    Json properties = Json::object();
    for (const RowView& key : row.spec())
        if (key.details->refused.empty() && key.details->replaced_by.empty()) properties[std::string(key.name)] = schema_of(key);
    const Json object{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
    return {{"anyOf", Json::array({text, object})}};
}

Json schema_of_shape(const RowView& row) {
    const Details& details = *row.details;
    const Json text{{"type", "string"}};
    const Json texts{{"type", "array"}, {"items", text}};
    switch (row.shape) {
    case Shape::boolean: return {{"type", "boolean"}};
    case Shape::text: return text;
    case Shape::texts: return texts;
    case Shape::choice: return {{"enum", std::vector<std::string_view>(row.choices.begin(), row.choices.end())}};
    case Shape::number: {
        Json number{{"type", "integer"}, {"minimum", details.min}};
        if (details.max != std::numeric_limits<std::int64_t>::max()) number["maximum"] = details.max;
        return number;
    }
    case Shape::item:
        // Without rows: a notation in a string, or (cpus, cpuid, viridian) a list of them.
        return row.spec ? schema_of_spec(row) : Json{{"anyOf", Json::array({text, texts})}};
    case Shape::items: {
        const bool nested = row.name == "vnuma" || row.name == "vsnd";
        Json element = nested ? texts : schema_of_spec(row);
        if (row.name == "irqs") element = {{"type", "integer"}, {"minimum", 0}};
        return {{"type", "array"}, {"items", element}};
    }
    }
    return {};
}

Json schema_of(const RowView& row) {
    Json schema = schema_of_shape(row);
    std::string doc(row.details->doc);
    if (!row.details->unit.empty()) doc += " In " + std::string(row.details->unit) + '.';
    if (!row.details->fallback.empty()) doc += " Default: " + std::string(row.details->fallback) + '.';
    if (!row.details->refused.empty()) doc += " Refused: " + std::string(row.details->refused) + '.';
    schema["description"] = doc;
    return schema;
}

}  // namespace

Json to_json(const DomainConfig& config) {
    Json all = Json::object();
    for (const KeyGroup& group : key_groups()) all.update(show_rows(config, group.rows));
    return all;
}

std::optional<std::string> to_xlcfg(const Json& json, Diagnostics& diagnostics) {
    if (!json.is_object()) {
        diagnostics.error({}, "JSON: a configuration is an object");
        return std::nullopt;
    }
    const std::size_t errors = diagnostics.errors();
    std::string text;
    Writer writer(diagnostics);
    constexpr Details nothing{};
    for (const auto& [key, member] : json.items()) {
        if (member.is_null()) continue;
        if (!is_plain_key(key)) {
            diagnostics.error({}, "JSON: " + quote(key) + " can't be a key");
            continue;
        }
        const KeyRow* row = find_key(key);
        const RowView view = row ? row->view() : RowView{key, Shape::text, {}, nullptr, &nothing};
        text += key + " = " + writer.value(key, view, member) + '\n';
    }
    return diagnostics.errors() == errors ? std::optional(std::move(text)) : std::nullopt;
}

DomainConfig from_json(Sources& sources, const std::string& name, const Json& json, Diagnostics& diagnostics, const Options& options) {
    std::optional<std::string> text = to_xlcfg(json, diagnostics);
    return text ? load(sources, name, std::move(*text), diagnostics, options) : DomainConfig{};
}

Json json_schema() {
    Json properties = Json::object();
    for (const KeyGroup& group : key_groups())
        for (const KeyRow& row : group.rows)
            if (row.details.replaced_by.empty()) properties[std::string(row.name)] = schema_of(row.view());
    return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "A domain's configuration, in the keys of xl.cfg(5)"},
            {"type", "object"},
            {"properties", properties},
            {"required", Json::array({"name"})},
            {"additionalProperties", false}};
}

}  // namespace px::xlcfg

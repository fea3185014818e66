// Row: one key of xl.cfg, or of a specification string such as a disk's. Everything about the key stands in its row: how
// a value is read into its member and shown again, its limits, and its documentation.
//
// The parser, the JSON form, the JSON schema, the man page's key reference and the tests are made from the rows.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "libxlcfg/field.hpp"
#include "libxlcfg/reader.hpp"

namespace px::xlcfg {

using Json = nlohmann::ordered_json;

enum class Shape { text, number, boolean, choice, texts, item, items };

/// Guest types, as a mask.
enum Guests : unsigned { pv_guest = 1, pvh_guest = 2, hvm_guest = 4, pvh_hvm = 6, pv_hvm = 5, pv_pvh = 3, any_guest = 7 };

/// What a row says beyond its name and its member; most rows need few of these.
struct Details {
    Guests guests = any_guest;
    std::string_view fallback{};  ///< what holds when the key is absent, for people
    std::string_view since{};     ///< release of Xen that introduced the key, where that is known
    std::string_view form{};      ///< how the value is written, where the shape doesn't say it
    std::string_view unit{};      ///< of a number
    std::int64_t min = 0;         ///< of a number
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    bool single = false;             ///< a list that may (deprecated) be one string
    bool split = false;              ///< … which is split into words
    bool numeric = false;            ///< a choice that may (deprecated) be its number
    bool flag = false;               ///< a boolean of a specification that is a bare word, without a value
    std::string_view off{};          ///< the bare word that turns a flag off
    std::string_view replaced_by{};  ///< a deprecated key: the one to use
    std::string_view refused{};      ///< why the key can't be had; empty: it is acted on
    std::string_view doc{};
};

/// The view of a row that needs no knowledge of its owner.
struct RowView {
    std::string_view name;
    Shape shape;
    Choices choices;
    std::vector<RowView> (*spec)();  ///< the keys of an item's specification string; may be null
    const Details* details;
};

template <class Owner>
struct Access {
    Shape shape;
    Choices choices;
    void (*set)(Owner&, const Value&, const RowView&, Diagnostics&);
    /// The value, or null when it is absent.
    Json (*get)(const Owner&);
    std::vector<RowView> (*spec)() = nullptr;
};

template <class Owner>
struct Row {
    std::string_view name;
    Access<Owner> access;
    Details details;

    RowView view() const { return {name, access.shape, access.choices, access.spec, &details}; }
};

/// An item is a type with these functions, found by its namespace: read() from a value (false: reported), show() as
/// JSON. One that is written as KEY=VALUE,… also has a table of rows: rows_of(const T*).
template <class T>
concept Tabled = requires {
    rows_of(static_cast<const T*>(nullptr));
};

template <class Owner>
std::vector<RowView> views(std::span<const Row<Owner>> rows) {
    std::vector<RowView> all;
    for (const Row<Owner>& row : rows) all.push_back(row.view());
    return all;
}

namespace detail {

// A path of pointers to members: which object it starts from, and the member it ends at.
template <auto... Members>
struct Path;
template <class Class, class Type, Type Class::*First, auto Second, auto... Rest>
struct Path<First, Second, Rest...> {
    using Owner = Class;
    using Target = typename Path<Second, Rest...>::Target;
    static constexpr auto& at(auto& owner) { return Path<Second, Rest...>::at(owner.*First); }
};
template <class Class, class Type, Type Class::*Last>
struct Path<Last> {
    using Owner = Class;
    using Target = Type;
    static constexpr auto& at(auto& owner) { return owner.*Last; }
};

template <auto... Members>
using OwnerOf = typename Path<Members...>::Owner;
/// The type within the Field or vector at the end of the path.
template <auto... Members>
using ElementOf = typename Path<Members...>::Target::value_type;

template <class T>
constexpr std::vector<RowView> (*spec_of())() {
    if constexpr (Tabled<T>) return +[] { return views(rows_of(static_cast<const T*>(nullptr))); };
    else return nullptr;
}

// Most shapes differ only in the function that reads the value.
template <auto Read, class Owner, auto... Members>
void set_field(Owner& owner, const Value& value, const RowView& row, Diagnostics& out) {
    auto& field = Path<Members...>::at(owner);
    if (auto read = Read(value, row, out)) {
        field.value = static_cast<ElementOf<Members...>>(std::move(*read));
        field.span = value.span;
    }
}

template <class Owner, auto... Members>
Json get_field(const Owner& owner) {
    const auto& field = Path<Members...>::at(owner);
    return field ? Json(*field) : Json();
}

template <Shape shape, auto Read, auto... Members>
inline constexpr Access<OwnerOf<Members...>> plain = {
    shape, {}, &set_field<Read, OwnerOf<Members...>, Members...>, &get_field<OwnerOf<Members...>, Members...>};

}  // namespace detail

/// The accesses to members: `text<&DomainConfig::name>`, `boolean<&DomainConfig::hvm, &Hvm::apic>`.
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> text = detail::plain<Shape::text, read_text, M...>;
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> number = detail::plain<Shape::number, read_number, M...>;
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> boolean = detail::plain<Shape::boolean, read_boolean, M...>;
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> texts = detail::plain<Shape::texts, read_texts, M...>;

/// No member at all: a key that is only ever refused.
template <class Owner, Shape shape = Shape::text>
inline constexpr Access<Owner> nowhere = {
    shape, {}, [](Owner&, const Value&, const RowView&, Diagnostics&) {}, [](const Owner&) { return Json(); }};

/// A number that is written in MiB and kept in KiB.
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> mebibytes = {Shape::number,
                                                            {},
                                                            [](auto& owner, const Value& value, const RowView& row, Diagnostics& out) {
                                                                detail::set_field<read_number, detail::OwnerOf<M...>, M...>(owner, value,
                                                                                                                            row, out);
                                                                auto& field = detail::Path<M...>::at(owner);
                                                                if (field.span == value.span && field) *field *= 1024;
                                                            },
                                                            [](const auto& owner) {
                                                                const auto& field = detail::Path<M...>::at(owner);
                                                                return field ? Json(*field / 1024) : Json();
                                                            }};

/// One of the names of an enumeration, names_of(E{}), which stand in the order of its values.
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> choice = {
    Shape::choice, names_of(detail::ElementOf<M...>{}), &detail::set_field<read_choice, detail::OwnerOf<M...>, M...>,
    [](const auto& owner) {
        const auto& field = detail::Path<M...>::at(owner);
        return field ? Json(names_of(*field)[static_cast<std::size_t>(*field)]) : Json();
    }};

/// A value of a type with its own notation: Field<T>.
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> item = {Shape::item,
                                                       {},
                                                       [](auto& owner, const Value& value, const RowView&, Diagnostics& out) {
                                                           auto& field = detail::Path<M...>::at(owner);
                                                           detail::ElementOf<M...> made{};
                                                           if (!read(made, value, out)) return;
                                                           field.value = std::move(made);
                                                           field.span = value.span;
                                                       },
                                                       [](const auto& owner) {
                                                           const auto& field = detail::Path<M...>::at(owner);
                                                           return field ? Json(show(*field)) : Json();
                                                       },
                                                       detail::spec_of<detail::ElementOf<M...>>()};

/// A list of such values: std::vector<T>.
template <auto... M>
inline constexpr Access<detail::OwnerOf<M...>> items = {Shape::items,
                                                        {},
                                                        [](auto& owner, const Value& value, const RowView& row, Diagnostics& out) {
                                                            auto& list = detail::Path<M...>::at(owner);
                                                            list.clear();
                                                            if (!check_list(value, row, out)) return;
                                                            const auto add = [&](const Value& element) {
                                                                detail::ElementOf<M...> made{};
                                                                if (read(made, element, out)) list.push_back(std::move(made));
                                                            };
                                                            if (!value.is_list()) return add(value);
                                                            for (const Value& element : value.items) add(element);
                                                        },
                                                        [](const auto& owner) {
                                                            const auto& list = detail::Path<M...>::at(owner);
                                                            if (list.empty()) return Json();
                                                            Json all = Json::array();
                                                            for (const auto& element : list) all.push_back(show(element));
                                                            return all;
                                                        },
                                                        detail::spec_of<detail::ElementOf<M...>>()};

/// The present members of `owner`, by the names of its rows. Deprecated rows only read.
template <class Owner>
Json show_rows(const Owner& owner, std::span<const Row<Owner>> rows) {
    Json object = Json::object();
    for (const Row<Owner>& row : rows) {
        if (!row.details.replaced_by.empty()) continue;
        if (Json value = row.access.get(owner); !value.is_null()) object[std::string(row.name)] = std::move(value);
    }
    return object;
}

}  // namespace px::xlcfg

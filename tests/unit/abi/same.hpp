// Comparison of our ABI headers with Debian's libxen-dev, at compile time: a difference does not compile.
//
//   SAME(ours, THEIRS)                          one constant
//   SAME_ENUM(Enum, PREFIX_, a, b, …)           Enum::a == PREFIX_a, …
//   SAME_STRUCT(Ours, theirs, field, u.x, …)    size, alignment; offset, size and signedness of each field
//   SAME_FIELD_AS(Ours, field, theirs, field2)  the same for a field with another name
// complete.py demands a row for everything that the headers declare.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "hypervisor/abi/handle.hpp"

namespace px::abi::test {

template <class T>
constexpr bool same(T ours, auto theirs) {
    return static_cast<long long>(ours) == static_cast<long long>(theirs);
}

/// Integers must agree in signedness, save that plain char stands for bytes; the rest in size only, which the
/// caller compares.
template <class Ours, class Theirs>
constexpr bool same_kind() {
    using A = std::remove_all_extents_t<std::remove_reference_t<Ours>>;
    using B = std::remove_all_extents_t<std::remove_reference_t<Theirs>>;
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<B, char>)
        return std::is_signed_v<A> == std::is_signed_v<B>;
    else return true;
}

}  // namespace px::abi::test

#define PX_PARENS ()
#define PX_EXPAND(...) PX_EXPAND3(PX_EXPAND3(PX_EXPAND3(PX_EXPAND3(__VA_ARGS__))))
#define PX_EXPAND3(...) PX_EXPAND2(PX_EXPAND2(PX_EXPAND2(PX_EXPAND2(__VA_ARGS__))))
#define PX_EXPAND2(...) PX_EXPAND1(PX_EXPAND1(PX_EXPAND1(PX_EXPAND1(__VA_ARGS__))))
#define PX_EXPAND1(...) __VA_ARGS__
#define PX_FOR_EACH(macro, a, b, ...) __VA_OPT__(PX_EXPAND(PX_FOR_EACH_STEP(macro, a, b, __VA_ARGS__)))
#define PX_FOR_EACH_STEP(macro, a, b, x, ...) macro(a, b, x) __VA_OPT__(PX_FOR_EACH_AGAIN PX_PARENS(macro, a, b, __VA_ARGS__))
#define PX_FOR_EACH_AGAIN() PX_FOR_EACH_STEP

#define SAME(ours, theirs) static_assert(px::abi::test::same(px::abi::ours, theirs), #ours " != " #theirs)
#define PX_SAME_ENUMERATOR(Enum, prefix, name) SAME(Enum::name, prefix##name);
#define SAME_ENUM(Enum, prefix, ...) PX_FOR_EACH(PX_SAME_ENUMERATOR, Enum, prefix, __VA_ARGS__) static_assert(true)

#define SAME_FIELD_AS(Ours, field, theirs, theirs_field)                                                                                   \
    static_assert(offsetof(px::abi::Ours, field) == offsetof(theirs, theirs_field), #Ours "." #field " offset");                           \
    static_assert(sizeof(std::declval<px::abi::Ours&>().field) == sizeof(std::declval<theirs&>().theirs_field), #Ours "." #field " size"); \
    static_assert(                                                                                                                         \
        px::abi::test::same_kind<decltype(std::declval<px::abi::Ours&>().field), decltype(std::declval<theirs&>().theirs_field)>(),        \
        #Ours "." #field " signedness")
#define PX_SAME_FIELD(Ours, theirs, field) SAME_FIELD_AS(Ours, field, theirs, field);
#define SAME_STRUCT(Ours, theirs, ...)                                                                  \
    static_assert(sizeof(px::abi::Ours) == sizeof(theirs), #Ours " size");                              \
    static_assert(alignof(px::abi::Ours) == alignof(theirs), #Ours " alignment");                       \
    static_assert(std::is_trivial_v<px::abi::Ours> && std::is_standard_layout_v<px::abi::Ours>, #Ours); \
    PX_FOR_EACH(PX_SAME_FIELD, Ours, theirs, __VA_ARGS__) static_assert(true)

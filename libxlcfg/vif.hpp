// vif=: network interfaces, xl-network-configuration(5).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

struct Mac {
    std::array<std::uint8_t, 6> bytes{};

    bool is_multicast() const { return (bytes[0] & 1) != 0; }
    bool operator==(const Mac&) const = default;
};

/// A limit of outgoing traffic: so many bytes in each interval.
struct Rate {
    std::string text;  ///< as written
    std::uint32_t bytes_per_interval = 0;
    std::uint32_t interval_us = 50'000;
};

enum class VifType { vif, ioemu };
inline constexpr std::string_view vif_type_names[] = {"vif", "ioemu"};
constexpr Choices names_of(VifType) { return vif_type_names; }

/// One network interface. Everything may be absent.
struct Vif {
    Span span;
    Field<Mac> mac;
    Field<std::string> bridge;
    Field<std::string> gatewaydev;
    Field<VifType> type;
    Field<std::string> model;
    Field<std::string> vifname;
    Field<std::string> script;
    Field<std::string> ip;
    Field<std::string> backend;
    Field<Rate> rate;
    Field<std::int64_t> devid;
    Field<std::int64_t> mtu;
    Field<bool> trusted;
};

bool read(Mac& mac, const Value& value, Diagnostics& out);
Json show(const Mac& mac);
bool read(Rate& rate, const Value& value, Diagnostics& out);
Json show(const Rate& rate);
std::span<const Row<Vif>> rows_of(const Vif*);
bool read(Vif& vif, const Value& value, Diagnostics& out);
Json show(const Vif& vif);

}  // namespace px::xlcfg

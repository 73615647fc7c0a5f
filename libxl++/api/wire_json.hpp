// SPDX-License-Identifier: Apache-2.0
// wire.hpp's values to JSON and back. The from_json side takes untrusted input: unknown members are
// ignored in answers (a newer xld may say more) and refused in requests (a misspelt member must not
// pass in silence).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "libxl++/api/wire.hpp"

namespace xl::api {

nlohmann::json to_json(const DomainView& view);
std::string list_text(std::span<const DomainView> domains);  // {"domains":[...]}
nlohmann::json to_json(const MemoryView& view);
nlohmann::json to_json(const MemoryRequest& request);
nlohmann::json to_json(const VcpuView& view);
nlohmann::json to_json(const PinRequest& request);
nlohmann::json to_json(const ShareView& view);
nlohmann::json to_json(const HostView& view);
nlohmann::json to_json(const DaemonView& view);
nlohmann::json to_json(const CreateRequest& request);
nlohmann::json to_json(const ConvertRequest& request);
nlohmann::json to_json(const ConvertedView& view);
nlohmann::json to_json(const ValidateRequest& request);
nlohmann::json to_json(const CreatedView& view);
nlohmann::json to_json(const CheckedView& view);
nlohmann::json to_json(const EventView& view);
nlohmann::json to_json(const WireError& error);  // {"error":{...}}

// T is one of the structs above. Error: protocol, naming the member.
template <typename T>
Result<T> from_json(const nlohmann::json& json);

// Text to JSON: UTF-8, at most `max_nesting` deep, nothing behind it. Error: protocol.
inline constexpr int max_nesting = 16;
Result<nlohmann::json> parse_json(std::string_view text);

// One line. Bytes that are not UTF-8 (a guest's console) become U+FFFD.
std::string dump(const nlohmann::json& json);

}  // namespace xl::api

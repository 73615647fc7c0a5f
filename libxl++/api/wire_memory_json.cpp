// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const MemoryView& view) {
  return {{"target_kib", view.target_kib},
          {"static_max_kib", view.static_max_kib},
          {"current_kib", view.current_kib},
          {"hypervisor_max_kib", view.hypervisor_max_kib},
          {"has_driver", view.has_driver}};
}

template <>
Result<MemoryView> from_json(const json& value) {
  JsonReader reader(value, "memory");
  MemoryView view;
  reader.need("target_kib", view.target_kib);
  reader.need("static_max_kib", view.static_max_kib);
  reader.need("current_kib", view.current_kib);
  reader.need("hypervisor_max_kib", view.hypervisor_max_kib);
  reader.need("has_driver", view.has_driver);
  return reader.finish(view);
}

json to_json(const MemoryRequest& request) {
  json out = json::object();
  if (request.target_kib) {
    out["target_kib"] = *request.target_kib;
  }
  if (request.max_kib) {
    out["max_kib"] = *request.max_kib;
  }
  return out;
}

template <>
Result<MemoryRequest> from_json(const json& value) {
  // KiB that are a whole number of bytes in 64 bits.
  constexpr std::uint64_t limit = ~0ULL >> 10;
  JsonReader reader(value, "memory request");
  MemoryRequest request;
  reader.only({"target_kib", "max_kib"});
  reader.maybe("target_kib", request.target_kib);
  reader.maybe("max_kib", request.max_kib);
  XL_TRY(reader.check());
  if (request.target_kib.value_or(0) > limit || request.max_kib.value_or(0) > limit) {
    return fail(ErrorCode::invalid_argument, "that much memory does not fit into 64 bits");
  }
  return request;
}

}  // namespace xl::api

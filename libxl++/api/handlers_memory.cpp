// SPDX-License-Identifier: Apache-2.0
// A domain's memory: what it has, its balloon target and the hypervisor's cap.
#include <nlohmann/json.hpp>
#include <optional>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

Answer<Reply> reply_of(const toolstack::MemoryState& state) {
  MemoryView view;
  view.target_kib = state.target.count() >> 10;
  view.static_max_kib = state.static_max.count() >> 10;
  view.current_kib = state.current.count() >> 10;
  view.hypervisor_max_kib = state.hypervisor_max.count() >> 10;
  view.has_driver = state.has_driver;
  return json_reply(to_json(view));
}

}  // namespace

Answer<Reply> get_memory(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const toolstack::MemoryState state, service.toolstack.memory_state(id));
  return reply_of(state);
}

Answer<Reply> set_memory(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const nlohmann::json body, parse_json(request.body));
  XL_TRY_ASSIGN(const MemoryRequest asked, from_json<MemoryRequest>(body));
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  if (asked.max_kib) {
    XL_TRY(service.toolstack.set_max_memory(id, kib(*asked.max_kib)));
  }
  if (asked.target_kib) {
    XL_TRY_ASSIGN(const toolstack::MemoryState state,
                  service.toolstack.set_memory(id, kib(*asked.target_kib)));
    return reply_of(state);
  }
  return get_memory(service, request);
}

}  // namespace xl::api

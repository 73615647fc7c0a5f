// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const DomainView& view) {
  return {{"domid", view.domid},
          {"name", view.name},
          {"uuid", view.uuid},
          {"running", view.running},
          {"blocked", view.blocked},
          {"paused", view.paused},
          {"dying", view.dying},
          {"shutdown_reason", optional_json(view.shutdown_reason)},
          {"memory_kib", view.memory_kib},
          {"max_memory_kib", view.max_memory_kib},
          {"cpu_time_ns", view.cpu_time_ns},
          {"vcpus_online", view.vcpus_online},
          {"max_vcpus", view.max_vcpus},
          {"overhead_bytes", view.overhead_bytes},
          {"created_ms", view.created_ms}};
}

template <>
Result<DomainView> from_json(const json& value) {
  JsonReader reader(value, "domain");
  DomainView view;
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  reader.need("uuid", view.uuid);
  reader.need("running", view.running);
  reader.need("blocked", view.blocked);
  reader.need("paused", view.paused);
  reader.need("dying", view.dying);
  reader.maybe("shutdown_reason", view.shutdown_reason);
  reader.need("memory_kib", view.memory_kib);
  reader.need("max_memory_kib", view.max_memory_kib);
  reader.need("cpu_time_ns", view.cpu_time_ns);
  reader.need("vcpus_online", view.vcpus_online);
  reader.need("max_vcpus", view.max_vcpus);
  reader.need("overhead_bytes", view.overhead_bytes);
  reader.need("created_ms", view.created_ms);
  return reader.finish(std::move(view));
}

}  // namespace xl::api

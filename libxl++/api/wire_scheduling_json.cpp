// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const VcpuView& view) {
  return {{"domid", view.domid},
          {"name", view.name},
          {"vcpu", view.vcpu},
          {"online", view.online},
          {"blocked", view.blocked},
          {"running", view.running},
          {"cpu", view.cpu},
          {"cpu_time_ns", view.cpu_time_ns},
          {"hard_affinity", view.hard_affinity},
          {"soft_affinity", view.soft_affinity}};
}

template <>
Result<VcpuView> from_json(const json& value) {
  JsonReader reader(value, "vcpu");
  VcpuView view;
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  reader.need("vcpu", view.vcpu);
  reader.need("online", view.online);
  reader.need("blocked", view.blocked);
  reader.need("running", view.running);
  reader.need("cpu", view.cpu);
  reader.need("cpu_time_ns", view.cpu_time_ns);
  reader.need("hard_affinity", view.hard_affinity);
  reader.need("soft_affinity", view.soft_affinity);
  return reader.finish(std::move(view));
}

json to_json(const ShareView& view) {
  return {{"domid", view.domid}, {"name", view.name}, {"weight", view.weight}, {"cap", view.cap}};
}

template <>
Result<ShareView> from_json(const json& value) {
  JsonReader reader(value, "share");
  ShareView view;
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  reader.need("weight", view.weight);
  reader.need("cap", view.cap);
  return reader.finish(std::move(view));
}

json to_json(const PinRequest& request) {
  json body = json::object();
  if (request.vcpu) {
    body["vcpu"] = *request.vcpu;
  }
  if (request.hard) {
    body["hard"] = *request.hard;
  }
  if (request.soft) {
    body["soft"] = *request.soft;
  }
  if (request.ignore_host_masks) {
    body["ignore_host_masks"] = true;
  }
  return body;
}

template <>
Result<PinRequest> from_json(const json& value) {
  JsonReader reader(value, "pin request");
  PinRequest request;
  reader.only({"vcpu", "hard", "soft", "ignore_host_masks"});
  reader.maybe("vcpu", request.vcpu);
  reader.maybe("hard", request.hard);
  reader.maybe("soft", request.soft);
  reader.maybe("ignore_host_masks", request.ignore_host_masks);
  return reader.finish(std::move(request));
}

}  // namespace xl::api

// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/host_defaults.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace xl::config {
namespace {

using Json = nlohmann::ordered_json;

void fill_in(const std::string& otherwise, std::string& text) {
  if (text.empty()) text = otherwise;
}

// What stands in front of sched_params in libxl's IDL.
Json front_part(const HostConfig& host, const Json& info) {
  Json part = Json::object();
  const auto add = [&](const char* name, const auto& value) {
    if (value && !info.contains(name)) part[name] = *value;
  };
  add("blkdev_start", host.blkdev_start);
  add("max_grant_frames", host.max_grant_frames);
  add("max_maptrack_frames", host.max_maptrack_frames);
  add("max_grant_version", host.max_grant_version);
  return part;
}

}  // namespace

void fill_in(const HostConfig& host, Vif& vif) {
  fill_in(host.vif.script, vif.script);
  fill_in(host.vif.bridge, vif.bridge);
  fill_in(host.vif.gateway_device, vif.gateway_device);
  fill_in(host.vif.backend, vif.backend);
}

void fill_in(const HostConfig& host, Devices& devices) {
  for (Vif& vif : devices.vifs) fill_in(host, vif);
}

void fill_in(const HostConfig& host, Json& libxl) {
  if (!host.run_hotplug_scripts) libxl["c_info"]["run_hotplug_scripts"] = "False";
  Json& info = libxl["b_info"];
  if (!host.claim_mode) info["claim_mode"] = "False";
  const Json part = front_part(host, info);
  if (part.empty()) return;
  Json whole = Json::object();
  for (const auto& [name, value] : info.items()) {
    if (name == "sched_params") whole.insert(part.begin(), part.end());
    whole[name] = value;
  }
  info = std::move(whole);
}

}  // namespace xl::config

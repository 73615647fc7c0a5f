// SPDX-License-Identifier: Apache-2.0
// The order of the members is that of libxl_types.idl. A libxl_defbool is "True" or "False"; an int
// that serves as a flag is 1.
#include "libxl++/config/devices/libxl_json.hpp"

#include <nlohmann/json.hpp>

#include "libxl++/config/devices/libxl_json_text.hpp"

namespace xl::config {
using namespace libxl_json;  // NOLINT: the words of this file

Json to_libxl_json(const Disk& disk) {
  Json json = Json::object();
  add_text(json, "backend_domname", disk.backend);
  if (disk.target) json["pdev_path"] = *disk.target;
  json["vdev"] = disk.vdev;
  if (disk.backend_type != DiskBackend::automatic) {
    json["backend"] = name_of(disk_backends, disk.backend_type);
  }
  json["format"] = name_of(disk_formats, disk.format);
  add_text(json, "script", disk.script);
  add_flag(json, "removable", disk.cdrom);
  add_flag(json, "readwrite", disk.read_write);
  add_flag(json, "is_cdrom", disk.cdrom);
  if (disk.direct_io_safe) json["direct_io_safe"] = true;
  add_default_bool(json, "discard_enable", disk.discard);
  if (disk.specification != DiskSpecification::unset) {
    json["specification"] = name_of(disk_specifications, disk.specification);
  }
  add_default_bool(json, "colo_enable", disk.colo.enable);
  add_text(json, "colo_host", disk.colo.host);
  add_number(json, "colo_port", disk.colo.port);
  add_text(json, "colo_export", disk.colo.export_name);
  add_text(json, "active_disk", disk.colo.active_disk);
  add_text(json, "hidden_disk", disk.colo.hidden_disk);
  add_default_bool(json, "trusted", disk.trusted);
  return json;
}

Json to_libxl_json(const Vif& vif, Devid devid) {
  Json json = Json::object();
  add_text(json, "backend_domname", vif.backend);
  add_devid(json, vif.devid ? vif.devid : devid);
  add_number(json, "mtu", vif.mtu);
  add_text(json, "model", vif.model);
  if (vif.mac && *vif.mac != MacAddress()) json["mac"] = to_string(*vif.mac);
  add_text(json, "ip", vif.ip);
  add_text(json, "bridge", vif.bridge);
  add_text(json, "ifname", vif.name);
  add_text(json, "script", vif.script);
  if (vif.type != VifType::unset) {
    json["nictype"] = vif.type == VifType::vif ? "vif" : "vif_ioemu";
  }
  if (vif.rate) {
    add_number(json, "rate_bytes_per_interval", vif.rate->bytes_per_interval);
    add_number(json, "rate_interval_usecs", vif.rate->interval_us);
  }
  add_text(json, "gatewaydev", vif.gateway_device);
  for (const auto& [field, value] : vif.colo) json[std::string(field)] = value;
  add_default_bool(json, "trusted", vif.trusted);
  return json;
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
// The order of the members is that of libxl_types.idl.
#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/devices/libxl_json_text.hpp"

namespace xl::config {

using namespace libxl_json;  // NOLINT: the words of this file

namespace {

constexpr std::uint32_t all_functions = 0xffffffff;

const char* policy_name(RdmPolicy policy) {
  return policy == RdmPolicy::strict ? "strict" : "relaxed";
}

// What most devices begin with.
Json with_backend(const std::string& backend, Devid devid) {
  Json json = Json::object();
  add_text(json, "backend_domname", backend);
  add_devid(json, devid);
  return json;
}

}  // namespace

Json to_libxl_json(const Channel& channel, Devid devid) {
  Json json = with_backend(channel.backend, devid);
  add_text(json, "name", channel.name);
  if (channel.connection == ChannelConnection::pty) {
    json["connection.pty"] = Json::object();
  } else {
    json["connection.socket"] = {{"path", channel.path}};
  }
  return json;
}

Json to_libxl_json(const P9& p9) {
  Json json = with_backend(p9.backend, {});
  add_text(json, "tag", p9.tag);
  add_text(json, "path", p9.path);
  add_text(json, "security_model", p9.security_model);
  return json;
}

Json to_libxl_json(const Pvcalls& pvcalls, Devid devid) {
  return with_backend(pvcalls.backend, devid);
}

Json to_libxl_json(const Pci& pci) {
  Json json = Json::object();
  if (pci.address) {
    add_number(json, "func", pci.address->function);
    add_number(json, "dev", pci.address->device);
    add_number(json, "bus", pci.address->bus);
    add_number(json, "domain", pci.address->domain);
  }
  add_number(json, "vdevfn", static_cast<std::uint32_t>(pci.slot) << 3);
  if (pci.address) json["vfunc_mask"] = pci.address->all_functions ? all_functions : 1;
  add_bool(json, "msitranslate", pci.msi_translate.value_or(false));
  add_bool(json, "power_mgmt", pci.power_management.value_or(false));
  add_bool(json, "permissive", pci.permissive.value_or(false));
  add_bool(json, "seize", pci.seize.value_or(false));
  if (pci.rdm_policy != RdmPolicy::unset) json["rdm_policy"] = policy_name(pci.rdm_policy);
  add_text(json, "name", pci.name);
  return json;
}

Json to_libxl_json(const Rdm& rdm) {
  Json json = Json::object();
  if (rdm.host) json["strategy"] = "host";
  if (rdm.policy != RdmPolicy::unset) json["policy"] = policy_name(rdm.policy);
  return json;
}

Json to_libxl_json(const UsbController& controller, Devid devid) {
  Json json = Json::object();
  if (controller.type != UsbControllerType::automatic) {
    json["type"] = name_of(usb_controller_types, controller.type);
  }
  add_devid(json, devid);
  add_number(json, "version", controller.version);
  add_number(json, "ports", controller.ports);
  return json;
}

Json to_libxl_json(const UsbDevice& device) {
  Json json = Json::object();
  if (device.controller) json["ctrl"] = *device.controller;
  add_number(json, "port", device.port);
  json["type.hostdev"] = {{"hostbus", device.host_bus}, {"hostaddr", device.host_address}};
  return json;
}

Json to_libxl_json(const Vtpm& vtpm, Devid devid) {
  Json json = with_backend(vtpm.backend, devid);
  if (vtpm.uuid) json["uuid"] = to_string(*vtpm.uuid);
  return json;
}

Json to_libxl_json(const Vkb& vkb, Devid devid) {
  Json json = with_backend(vkb.backend, devid);
  if (vkb.backend_type != VkbBackend::unset) {
    json["backend_type"] = name_of(vkb_backends, vkb.backend_type);
  }
  add_text(json, "unique_id", vkb.unique_id);
  add_bool(json, "feature_disable_keyboard", vkb.disable_keyboard);
  add_bool(json, "feature_disable_pointer", vkb.disable_pointer);
  add_bool(json, "feature_abs_pointer", vkb.absolute_pointer);
  add_bool(json, "feature_raw_pointer", vkb.raw_pointer);
  add_bool(json, "feature_multi_touch", vkb.multi_touch);
  add_number(json, "width", vkb.width);
  add_number(json, "height", vkb.height);
  add_number(json, "multi_touch_width", vkb.multi_touch_width);
  add_number(json, "multi_touch_height", vkb.multi_touch_height);
  add_number(json, "multi_touch_num_contacts", vkb.multi_touch_contacts);
  return json;
}

Json to_libxl_json(const Vdispl& display, Devid devid) {
  Json json = with_backend(display.backend, devid);
  add_bool(json, "be_alloc", display.backend_allocates);
  json["connectors"] = Json::array();
  for (const DisplayConnector& connector : display.connectors) {
    json["connectors"].push_back(
        {{"unique_id", connector.id}, {"width", connector.width}, {"height", connector.height}});
  }
  return json;
}

namespace {

Json sound_parameters(const SoundParameters& parameters) {
  Json json = Json::object();
  if (!parameters.sample_rates.empty()) json["sample_rates"] = parameters.sample_rates;
  if (!parameters.sample_formats.empty()) json["sample_formats"] = parameters.sample_formats;
  add_number(json, "channels_min", parameters.channels_min);
  add_number(json, "channels_max", parameters.channels_max);
  add_number(json, "buffer_size", parameters.buffer_size);
  return json;
}

Json sound_stream(const SoundStream& stream) {
  Json json = Json::object();
  add_text(json, "unique_id", stream.unique_id);
  if (stream.direction != SoundDirection::unset) {
    json["type"] = stream.direction == SoundDirection::playback ? "p" : "c";
  }
  json["params"] = sound_parameters(stream.parameters);
  return json;
}

}  // namespace

Json to_libxl_json(const Vsnd& card, Devid devid) {
  Json json = with_backend(card.backend, devid);
  add_text(json, "short_name", card.short_name);
  add_text(json, "long_name", card.long_name);
  json["params"] = sound_parameters(card.parameters);
  for (const SoundPcm& pcm : card.pcms) {
    Json device = Json::object();
    add_text(device, "name", pcm.name);
    device["params"] = sound_parameters(pcm.parameters);
    for (const SoundStream& stream : pcm.streams) {
      device["streams"].push_back(sound_stream(stream));
    }
    json["pcms"].push_back(std::move(device));
  }
  return json;
}

Json to_libxl_json(const Vfb& vfb, Devid devid) {
  Json json = with_backend("", devid);
  Json vnc = Json::object();
  add_default_bool(vnc, "enable", vfb.vnc);
  add_text(vnc, "listen", vfb.vnc_listen);
  if (vfb.vnc_password_given) vnc["passwd"] = vfb.vnc_password;
  add_number(vnc, "display", vfb.vnc_display);
  add_default_bool(vnc, "findunused", vfb.vnc_find_unused);
  Json sdl = Json::object();
  add_default_bool(sdl, "enable", vfb.sdl);
  add_default_bool(sdl, "opengl", vfb.opengl);
  add_text(sdl, "display", vfb.display);
  add_text(sdl, "xauthority", vfb.xauthority);
  json["vnc"] = std::move(vnc);
  json["sdl"] = std::move(sdl);
  add_text(json, "keymap", vfb.keymap);
  return json;
}

}  // namespace xl::config

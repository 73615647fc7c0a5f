// SPDX-License-Identifier: Apache-2.0
// The JSON of libxl 4.17 (libxl_domain_config as generated from libxl_types.idl): members stand in
// the order of the IDL, scalars at their default are left out, structures never are, and a
// libxl_defbool is the string "True" or "False".
#include <nlohmann/json.hpp>

#include "libxl++/config/json.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t in_kib(Bytes size) {
  return size.count() >> 10;
}

Json create_info(const DomainConfig& config) {
  Json info = {{"type", "pvh"}, {"name", config.name}};
  if (config.uuid) info["uuid"] = to_string(*config.uuid);
  info["run_hotplug_scripts"] = "True";
  return info;
}

Json sched_params(const Scheduling& scheduling) {
  Json params = Json::object();
  if (scheduling.weight != Scheduling().weight) params["weight"] = scheduling.weight;
  if (scheduling.cap != Scheduling().cap) params["cap"] = scheduling.cap;
  return params;
}

Json build_info(const DomainConfig& config) {
  Json info = {{"max_vcpus", config.max_vcpus}, {"avail_vcpus", Json::array()}};
  for (std::uint32_t vcpu = 0; vcpu < config.vcpus; ++vcpu) info["avail_vcpus"].push_back(vcpu);
  info["max_memkb"] = in_kib(config.max_memory);
  info["target_memkb"] = in_kib(config.memory);
  info["video_memkb"] = 0;
  info["sched_params"] = sched_params(config.scheduling);
  info["kernel"] = config.kernel;
  if (!config.command_line.empty()) info["cmdline"] = config.command_line;
  if (!config.ramdisk.empty()) info["ramdisk"] = config.ramdisk;
  // A default that libxl leaves open when nobody asked: true is the default.
  if (!config.acpi) info["acpi"] = "False";
  info["type.pvh"] = Json::object();
  info["arch_arm"] = Json::object();
  info["arch_x86"] = {{"msr_relaxed", "False"}};
  return info;
}

// libxl's names (libxl_action_on_shutdown) are not those of xl.cfg.
const char* libxl_name(ShutdownAction action) {
  switch (action) {
    case ShutdownAction::destroy: return "destroy";
    case ShutdownAction::preserve: return "preserve";
    case ShutdownAction::restart: return "restart";
    case ShutdownAction::restart_rename: return "restart_rename";
    case ShutdownAction::coredump_destroy: return "coredump_destroy";
    case ShutdownAction::coredump_restart: return "coredump_restart";
    case ShutdownAction::soft_reset: return "soft_reset";
  }
  return "destroy";
}

void add_action(Json& config, const char* event, ShutdownAction action) {
  if (action != ShutdownAction::destroy) config[event] = libxl_name(action);
}

}  // namespace

Json to_libxl_json(const DomainConfig& config, DomId domid) {
  Json inner = {{"c_info", create_info(config)}, {"b_info", build_info(config)}};
  add_action(inner, "on_poweroff", config.on_poweroff);
  add_action(inner, "on_reboot", config.on_reboot);
  add_action(inner, "on_watchdog", config.on_watchdog);
  add_action(inner, "on_crash", config.on_crash);
  add_action(inner, "on_soft_reset", config.on_soft_reset);
  return {{"domid", domid.value()}, {"config", std::move(inner)}};
}

Json domain0_to_libxl_json(Bytes memory, Bytes max_memory) {
  Json build = {{"max_memkb", in_kib(max_memory)}, {"target_memkb", in_kib(memory)}};
  build["sched_params"] = Json::object();
  build["type.pv"] = Json::object();
  build["arch_arm"] = Json::object();
  build["arch_x86"] = Json::object();
  return {{"domid", 0},
          {"config", {{"c_info", {{"type", "pv"}, {"name", "Domain-0"}}}, {"b_info", build}}}};
}

}  // namespace xl::config

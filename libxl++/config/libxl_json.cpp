// SPDX-License-Identifier: Apache-2.0
// The JSON of libxl 4.17 (libxl_domain_config as generated from libxl_types.idl): members stand in
// the order of the IDL, scalars at their default are left out, structures never are, and a
// libxl_defbool is the string "True" or "False".
#include <nlohmann/json.hpp>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/json.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t in_kib(Bytes size) {
  return size.count() >> 10;
}

// What libxl fills in only when it creates the domain is not there in a dry run.
enum class Stage : std::uint8_t { asked, stored };

Json create_info(const DomainConfig& config, const Said& said, Stage stage) {
  Json info = {{"type", "pvh"}};
  if (said.hap) info["hap"] = "True";
  info["name"] = config.name;
  if (stage == Stage::stored) info["domid"] = UINT32_MAX;  // any: xl's -1
  if (config.uuid) info["uuid"] = to_string(*config.uuid);
  info["run_hotplug_scripts"] = "True";
  return info;
}

Json sched_params(const Scheduling& scheduling, const Said& said) {
  const Scheduling defaults;
  Json params = Json::object();
  if (said.weight || scheduling.weight != defaults.weight) params["weight"] = scheduling.weight;
  if (said.cap || scheduling.cap != defaults.cap) params["cap"] = scheduling.cap;
  return params;
}

// A list of sets as libxl_bitmaps, which are lists of numbers.
void add_affinity(Json& info, const char* member, const std::vector<CpuSet>& sets) {
  for (const CpuSet& set : sets) {
    Json bits = Json::array();
    for (std::size_t cpu = 0; cpu < set.size(); ++cpu) {
      if (set.test(cpu)) bits.push_back(cpu);
    }
    info[member].push_back(std::move(bits));
  }
}

Json build_info(const DomainConfig& config, const Said& said, Stage stage) {
  Json info = {{"max_vcpus", config.max_vcpus}, {"avail_vcpus", Json::array()}};
  for (std::uint32_t vcpu = 0; vcpu < config.vcpus; ++vcpu) info["avail_vcpus"].push_back(vcpu);
  add_affinity(info, "vcpu_hard_affinity", config.scheduling.cpus);
  add_affinity(info, "vcpu_soft_affinity", config.scheduling.cpus_soft);
  if (said.no_numa_placement) info["numa_placement"] = "False";
  info["max_memkb"] = in_kib(config.max_memory);
  info["target_memkb"] = in_kib(config.memory);
  if (stage != Stage::asked) info["video_memkb"] = 0;
  info["sched_params"] = sched_params(config.scheduling, said);
  info["claim_mode"] = "True";  // xl.conf(5)'s default
  info["kernel"] = config.kernel;
  if (!config.command_line.empty()) info["cmdline"] = config.command_line;
  if (!config.ramdisk.empty()) info["ramdisk"] = config.ramdisk;
  if (!config.acpi || said.acpi) info["acpi"] = config.acpi ? "True" : "False";
  info["type.pvh"] = Json::object();
  info["arch_arm"] = Json::object();
  info["arch_x86"] = Json::object();
  if (stage != Stage::asked) info["arch_x86"]["msr_relaxed"] = "False";
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

// As libxl does, an array only if there is something in it.
template <typename Device>
void add_devices(Json& config, const char* member, const std::vector<Device>& devices) {
  std::uint32_t devid = 0;
  for (const Device& device : devices) {
    if constexpr (requires { to_libxl_json(device, Devid(devid)); }) {
      config[member].push_back(to_libxl_json(device, Devid(devid++)));
    } else {
      config[member].push_back(to_libxl_json(device));
    }
  }
}

Json domain_config(const DomainConfig& config, const Devices& devices, Stage stage) {
  Json inner = {{"c_info", create_info(config, devices.said, stage)},
                {"b_info", build_info(config, devices.said, stage)}};
  add_devices(inner, "disks", devices.disks);
  add_devices(inner, "nics", devices.vifs);
  add_devices(inner, "pcidevs", devices.pcis);
  add_devices(inner, "vfbs", devices.vfbs);
  add_devices(inner, "vkbs", devices.vkbs);
  add_devices(inner, "vtpms", devices.vtpms);
  add_devices(inner, "p9s", devices.p9s);
  add_devices(inner, "pvcallsifs", devices.pvcalls);
  add_devices(inner, "vdispls", devices.displays);
  add_devices(inner, "vsnds", devices.sound_cards);
  add_devices(inner, "channels", devices.channels);
  add_devices(inner, "usbctrls", devices.usb_controllers);
  add_devices(inner, "usbdevs", devices.usb_devices);
  add_action(inner, "on_poweroff", config.on_poweroff);
  add_action(inner, "on_reboot", config.on_reboot);
  add_action(inner, "on_watchdog", config.on_watchdog);
  add_action(inner, "on_crash", config.on_crash);
  add_action(inner, "on_soft_reset", config.on_soft_reset);
  return inner;
}

void set_kib(Json& info, const char* member, const std::optional<Bytes>& size) {
  if (size) info[member] = in_kib(*size);
}

}  // namespace

Json to_libxl_json(const DomainConfig& config, const Devices& devices) {
  return domain_config(config, devices, Stage::asked);
}

Json to_stored_libxl_json(const DomainConfig& config) {
  return domain_config(config, Devices(), Stage::stored);
}

Json domain0_to_stored_libxl_json() {
  Json build = {{"max_memkb", 0}, {"target_memkb", 0}};
  for (const char* member : {"sched_params", "type.pv", "arch_arm", "arch_x86"}) {
    build[member] = Json::object();
  }
  return {{"c_info", {{"type", "pv"}, {"name", "Domain-0"}}}, {"b_info", build}};
}

Result<Json> stored_libxl_json(std::string_view text) {
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object() || !config["c_info"].is_object() || !config["b_info"].is_object()) {
    return fail(ErrorCode::io, "this is no libxl_domain_config as JSON");
  }
  return config;
}

Result<Json> to_listed_libxl_json(std::string_view stored, DomId domid, const LibxlUpdate& now) {
  XL_TRY_ASSIGN(Json config, stored_libxl_json(stored));
  config["c_info"]["name"] = now.name;
  Json& info = config["b_info"];
  // Of Domain-0 libxl keeps no vcpus.
  if (info.contains("max_vcpus")) info["avail_vcpus"] = now.vcpus;
  set_kib(info, "max_memkb", now.max_memory);
  set_kib(info, "target_memkb", now.memory);
  if (now.weight && now.cap) {
    info["sched_params"] = {{"sched", now.scheduler}, {"weight", *now.weight}, {"cap", *now.cap}};
  }
  return Json{{"domid", domid.value()}, {"config", std::move(config)}};
}

}  // namespace xl::config

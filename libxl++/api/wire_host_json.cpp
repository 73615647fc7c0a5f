// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {

using nlohmann::json;

json to_json(const HostView& view) {
  return {{"hypervisor", view.hypervisor},
          {"hypervisor_version", view.hypervisor_version},
          {"capabilities", view.capabilities},
          {"virt_caps", view.virt_caps},
          {"command_line", view.command_line},
          {"scheduler", view.scheduler},
          {"hypervisor_machine", view.hypervisor_machine},
          {"node", view.node},
          {"os_release", view.os_release},
          {"os_version", view.os_version},
          {"arch", view.arch},
          {"hw_caps", view.hw_caps},
          {"compiler", view.compiler},
          {"compile_by", view.compile_by},
          {"compile_domain", view.compile_domain},
          {"compile_date", view.compile_date},
          {"build_id", view.build_id},
          {"toolstack_version", view.toolstack_version},
          {"cpus", view.cpus},
          {"cpu_khz", view.cpu_khz},
          {"total_memory_kib", view.total_memory_kib},
          {"free_memory_kib", view.free_memory_kib},
          {"scrub_pending_kib", view.scrub_pending_kib},
          {"overhead_kib", view.overhead_kib}};
}

template <>
Result<HostView> from_json(const json& value) {
  JsonReader reader(value, "host");
  HostView view;
  reader.need("hypervisor", view.hypervisor);
  reader.need("hypervisor_version", view.hypervisor_version);
  reader.need("capabilities", view.capabilities);
  reader.need("virt_caps", view.virt_caps);
  reader.need("command_line", view.command_line);
  reader.need("scheduler", view.scheduler);
  reader.need("hypervisor_machine", view.hypervisor_machine);
  reader.need("node", view.node);
  reader.need("os_release", view.os_release);
  reader.need("os_version", view.os_version);
  reader.need("arch", view.arch);
  reader.need("hw_caps", view.hw_caps);
  reader.need("compiler", view.compiler);
  reader.need("compile_by", view.compile_by);
  reader.need("compile_domain", view.compile_domain);
  reader.need("compile_date", view.compile_date);
  reader.need("build_id", view.build_id);
  reader.need("toolstack_version", view.toolstack_version);
  reader.need("cpus", view.cpus);
  reader.need("cpu_khz", view.cpu_khz);
  reader.need("total_memory_kib", view.total_memory_kib);
  reader.need("free_memory_kib", view.free_memory_kib);
  reader.need("scrub_pending_kib", view.scrub_pending_kib);
  reader.need("overhead_kib", view.overhead_kib);
  return reader.finish(std::move(view));
}

json to_json(const DaemonView& view) {
  return {{"pid", view.pid},
          {"socket", view.socket},
          {"version", view.version},
          {"runtime_dir", view.runtime_dir},
          {"log_file", view.log_file},
          {"hypervisor_running", view.hypervisor_running},
          {"hypervisor", view.hypervisor},
          {"domains", view.domains},
          {"started_ms", view.started_ms},
          {"xenstore_sockets", view.xenstore_sockets}};
}

template <>
Result<DaemonView> from_json(const json& value) {
  JsonReader reader(value, "daemon");
  DaemonView view;
  reader.need("pid", view.pid);
  reader.need("socket", view.socket);
  reader.need("version", view.version);
  reader.need("runtime_dir", view.runtime_dir);
  reader.need("log_file", view.log_file);
  reader.need("hypervisor_running", view.hypervisor_running);
  reader.need("hypervisor", view.hypervisor);
  reader.need("domains", view.domains);
  reader.need("started_ms", view.started_ms);
  reader.need("xenstore_sockets", view.xenstore_sockets);
  return reader.finish(std::move(view));
}

}  // namespace xl::api

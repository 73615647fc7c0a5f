// SPDX-License-Identifier: Apache-2.0
// The host's, the daemon's, events' and errors' forms, and JSON text itself.
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
          {"hypervisor_machine", view.hypervisor_machine},
          {"node", view.node},
          {"os_release", view.os_release},
          {"os_version", view.os_version},
          {"arch", view.arch},
          {"hw_caps", view.hw_caps},
          {"compiler", view.compiler},
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
  reader.need("hypervisor_machine", view.hypervisor_machine);
  reader.need("node", view.node);
  reader.need("os_release", view.os_release);
  reader.need("os_version", view.os_version);
  reader.need("arch", view.arch);
  reader.need("hw_caps", view.hw_caps);
  reader.need("compiler", view.compiler);
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
          {"started_ms", view.started_ms}};
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
  return reader.finish(std::move(view));
}

json to_json(const EventView& view) {
  json object{{"event", view.event}, {"domid", view.domid}, {"name", view.name}};
  if (view.end) {
    object["end"] = {{"reason", optional_json(view.end->reason)},
                     {"last_console_line", view.end->last_console_line},
                     {"report", view.end->report},
                     {"action", view.end->action},
                     {"successor", optional_json(view.end->successor)}};
  }
  return object;
}

template <>
Result<EventView> from_json(const json& value) {
  JsonReader reader(value, "event");
  EventView view;
  reader.need("event", view.event);
  reader.need("domid", view.domid);
  reader.need("name", view.name);
  XL_TRY(reader.check());
  if (const auto end = value.find("end"); end != value.end()) {
    JsonReader inner(*end, "end");
    EndView& out = view.end.emplace();
    inner.maybe("reason", out.reason);
    inner.maybe("last_console_line", out.last_console_line);
    inner.maybe("report", out.report);
    inner.maybe("action", out.action);
    inner.maybe("successor", out.successor);
    XL_TRY(inner.check());
  }
  return view;
}

json to_json(const WireError& wire) {
  const Error& error = wire.error;
  json object{{"code", to_string(error.code)},
              {"message", error.message},
              {"hint", error.hint},
              {"context", error.context}};
  if (!wire.rendered.empty()) {
    object["rendered"] = wire.rendered;
  }
  if (!wire.diagnostics.empty()) {
    object["diagnostics"] = json::parse(wire.diagnostics);
  }
  return {{"error", std::move(object)}};
}

template <>
Result<WireError> from_json(const json& value) {
  json object;
  JsonReader outer(value, "error answer");
  outer.need("error", object);
  XL_TRY(outer.check());
  JsonReader reader(object, "error");
  WireError wire;
  std::string code;
  reader.need("code", code);
  reader.need("message", wire.error.message);
  reader.maybe("hint", wire.error.hint);
  reader.maybe("context", wire.error.context);
  reader.maybe("rendered", wire.rendered);
  json findings;
  reader.maybe("diagnostics", findings);
  wire.diagnostics = findings.is_null() ? std::string() : dump(findings);
  wire.error.code = error_code_of(code);
  return reader.finish(std::move(wire));
}

ErrorCode error_code_of(std::string_view name) {
  for (int value = 0; value <= static_cast<int>(ErrorCode::internal); ++value) {
    if (to_string(static_cast<ErrorCode>(value)) == name) {
      return static_cast<ErrorCode>(value);
    }
  }
  return ErrorCode::internal;
}

Result<json> parse_json(std::string_view text) {
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > max_nesting;
    return !too_deep;
  };
  try {
    json value = json::parse(text, watch);
    if (too_deep) {
      return fail(ErrorCode::protocol, "the JSON is nested too deep");
    }
    return value;
  } catch (const json::parse_error& error) {
    return fail(ErrorCode::protocol, "not JSON, byte " + std::to_string(error.byte));
  }
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace xl::api

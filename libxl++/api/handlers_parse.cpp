// SPDX-License-Identifier: Apache-2.0
// Device specifications and sets of CPUs, read and checked only: what the dry runs print.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "libxl++/api/config_findings.hpp"
#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/cpu_list.hpp"
#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/devices/report.hpp"
#include "libxl++/config/host_defaults.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

template <typename Device>
Answer<Reply> device_reply(const config::ParsedSpec<Device>& parsed, const Words& words,
                           const std::string& warnings = {}) {
  const std::vector<config::Diagnostic> findings =
      config::describe_spec(parsed.findings, "command line", words);
  if (!parsed.value) {
    return Unexpected(refusal(findings));
  }
  nlohmann::ordered_json body;
  body["device"] = config::to_libxl_json(*parsed.value);
  body["rendered_warnings"] = warnings + config::render(findings);
  Reply reply;
  reply.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

struct Kind {
  std::string_view name;
  Answer<Reply> (*parse)(Service& service, const Words& words);
};

Answer<Reply> parse_disk(Service&, const Words& words) {
  return device_reply(config::parse_disk(words), words);
}

Answer<Reply> parse_vif(Service& service, const Words& words) {
  XL_TRY_ASSIGN(const HostConfigFile::View host, service.host_config.read());
  config::ParsedSpec<config::Vif> parsed = config::parse_vif(words);
  if (parsed.value) {
    config::fill_in(host.config, *parsed.value);
  }
  return device_reply(parsed, words, host.warnings);
}

// For the devices that the command line has no words for: one string, as a config has it.
template <auto Parse>
Answer<Reply> parse_one(Service&, const Words& words) {
  if (words.size() != 1) {
    return fail(ErrorId::bad_request, "such a device is one word");
  }
  return device_reply(Parse(words.front()), words);
}

constexpr Kind kinds[] = {
    {"disk", parse_disk},
    {"vif", parse_vif},
    {"channel", parse_one<config::parse_channel>},
    {"p9", parse_one<config::parse_p9>},
    {"pvcalls", parse_one<config::parse_pvcalls>},
    {"pci", parse_one<config::parse_pci>},
    {"rdm", parse_one<config::parse_rdm>},
    {"usbctrl", parse_one<config::parse_usb_controller>},
    {"usbdev", parse_one<config::parse_usb_device>},
    {"vtpm", parse_one<config::parse_vtpm>},
    {"vkb", parse_one<config::parse_vkb>},
    {"vdispl", parse_one<config::parse_vdispl>},
    {"vsnd",
     [](Service&, const Words& words) { return device_reply(config::parse_vsnd(words), words); }},
    {"vfb", parse_one<config::parse_vfb>},
};

// A set as text, with the host's CPUs only; "-" stays.
Result<std::string> show_cpus(const std::string& text, std::uint32_t host_cpus) {
  if (text == "-") {
    return text;
  }
  XL_TRY_ASSIGN(config::CpuSet set, config::parse_cpu_list(text));
  for (std::uint32_t cpu = host_cpus; cpu < config::cpu_list_limit; ++cpu) {
    set.reset(cpu);
  }
  if (set.none()) {
    return fail(ErrorId::cpus_not_on_host,
                fmt::format("'{}' has none of the host's {} CPUs", text, host_cpus));
  }
  return config::format_cpu_list(set, host_cpus);
}

}  // namespace

Answer<Reply> parse_device(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  JsonReader reader(body, "parse request");
  Words words;
  reader.only({"words"});
  reader.need("words", words);
  XL_TRY(reader.check());
  for (const Kind& kind : kinds) {
    if (kind.name == request.captured.at(0)) {
      return kind.parse(service, words);
    }
  }
  return fail(ErrorCode::not_found, "there is no such kind of device", "see openapi.yaml");
}

Answer<Reply> parse_cpumap(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  JsonReader reader(body, "cpumap request");
  std::string hard;
  std::optional<std::string> soft;
  reader.only({"hard", "soft"});
  reader.need("hard", hard);
  reader.maybe("soft", soft);
  XL_TRY(reader.check());
  // How many CPUs there are is known while the hypervisor runs. It is not started for this.
  std::uint32_t cpus = config::cpu_list_limit;
  if (service.toolstack.hypervisor_running()) {
    XL_TRY_ASSIGN(const hv::HostInfo host, service.toolstack.host_info());
    cpus = host.cpus;
  }
  XL_TRY_ASSIGN(std::string cpumap, show_cpus(hard, cpus));
  if (soft && *soft != "-") {
    XL_TRY_ASSIGN(const std::string more, show_cpus(*soft, cpus));
    cpumap += " " + more;
  }
  return json_reply({{"cpumap", cpumap}});
}

}  // namespace xl::api

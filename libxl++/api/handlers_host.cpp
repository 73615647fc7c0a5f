// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "libdomainbuilder/image/image_report.hpp"
#include "libdomainbuilder/image/report_json.hpp"
#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

std::vector<DomId> guests(toolstack::Toolstack& toolstack) {
  std::vector<DomId> ids;
  if (!toolstack.hypervisor_running()) {
    return ids;
  }
  // A hypervisor that does not answer has no domains left to speak of.
  if (const Result<std::vector<toolstack::DomainSummary>> list = toolstack.list()) {
    for (const toolstack::DomainSummary& domain : *list) {
      if (domain.info.id != DomId(0)) {
        ids.push_back(domain.info.id);
      }
    }
  }
  return ids;
}

}  // namespace

Answer<Reply> get_host(Service& service, const Request&) {
  XL_TRY_ASSIGN(const hv::HostInfo info, service.toolstack.host_info());
  HostView view = host_view(info);
  view.toolstack_version = service.facts.version;
  return json_reply(to_json(view));
}

Answer<Reply> get_hypervisor_log(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const std::uint64_t from, query_number(request, "from", service.log_cleared));
  XL_TRY_ASSIGN(const hv::Hypervisor::LogText log, service.toolstack.read_hypervisor_log(from));
  return json_reply({{"text", log.text}, {"next", log.next}});
}

Answer<Reply> clear_hypervisor_log(Service& service, const Request& request) {
  if (!request.target.query.contains("before")) {
    return fail(ErrorId::bad_request, "the query lacks 'before'");
  }
  XL_TRY_ASSIGN(service.log_cleared, query_number(request, "before", 0));
  return empty_reply();
}

Answer<Reply> inspect_image(Service&, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  JsonReader reader(body, "inspect request");
  std::string path;
  reader.only({"path"});
  reader.need("path", path);
  XL_TRY(reader.check());
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::invalid_argument, "'" + path + "' is not an absolute path");
  }
  XL_TRY_ASSIGN(const build::ImageReport report, build::inspect(path));
  return json_reply(json(report));
}

Answer<Reply> get_daemon(Service& service, const Request&) {
  DaemonView view;
  view.pid = ::getpid();
  view.socket = service.facts.socket;
  view.version = service.facts.version;
  view.runtime_dir = service.facts.runtime_dir;
  view.log_file = service.facts.log_file;
  view.xenstore_sockets = service.facts.xenstore_sockets;
  view.started_ms = service.started_ms;
  view.hypervisor_running = service.toolstack.hypervisor_running();
  if (view.hypervisor_running) {
    if (const Result<hv::HostInfo> info = service.toolstack.host_info()) {
      view.hypervisor = info->hypervisor + " (" + info->machine + ")";
    } else {
      view.hypervisor = "not answering: " + info.error().message;
    }
    view.domains = static_cast<std::uint32_t>(guests(service.toolstack).size());
  }
  return json_reply(to_json(view));
}

Answer<Reply> stop_daemon(Service& service, const Request& request) {
  bool all = false;
  if (!request.body.empty()) {
    XL_TRY_ASSIGN(const json body, parse_json(request.body));
    JsonReader reader(body, "stop request");
    reader.only({"all"});
    reader.maybe("all", all);
    XL_TRY(reader.check());
  }
  service.stopping = true;
  for (const DomId id : all ? guests(service.toolstack) : std::vector<DomId>()) {
    if (Result<void> destroyed = service.toolstack.destroy(id);
        !destroyed && destroyed.error().code != ErrorCode::not_found &&
        destroyed.error().code != ErrorCode::hypervisor_gone) {
      service.stopping = false;
      return Unexpected(std::move(destroyed).error().while_doing("destroying domain " +
                                                                 std::to_string(id.value())));
    }
  }
  Reply reply = empty_reply();
  reply.stop_daemon = true;
  return reply;
}

}  // namespace xl::api

// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <nlohmann/json.hpp>

#include "libxl++/api/config_findings.hpp"
#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/config/host_defaults.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

static_assert(max_config_bytes == config::max_source_size);

struct ParsedRequest {
  CreateRequest request;
  config::DomainConfig config;
  config::Devices devices;
  config::HostConfig host;
  toolstack::CreateOptions options;
  std::string rendered_warnings;
};

Answer<ParsedRequest> parse_create(Service& service, const Request& request, bool dry_run) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  ParsedRequest parsed;
  XL_TRY_ASSIGN(parsed.request, from_json<CreateRequest>(body));
  const CreateRequest& asked = parsed.request;
  config::Parsed result =
      config::parse_domain_config({asked.config_name, asked.config_text}, asked.overrides,
                                  {.strict = asked.strict, .dry_run = dry_run});
  if (!result.config) {
    return Unexpected(refusal(result.diagnostics));
  }
  parsed.config = std::move(*result.config);
  parsed.devices = *result.devices;
  XL_TRY_ASSIGN(const HostConfigFile::View host, service.host_config.read());
  if (!asked.ignore_host_masks) {
    XL_TRY(config::restrict_cpus(host.config, parsed.config));
  }
  parsed.host = host.config;
  config::fill_in(host.config, parsed.devices);
  parsed.rendered_warnings = host.warnings + config::render(result.diagnostics);
  parsed.options.paused = asked.paused || asked.hold;
  parsed.options.hold = asked.hold;
  parsed.options.ignore_death = asked.ignore_death;
  parsed.options.working_directory = asked.working_directory;
  return parsed;
}

}  // namespace

Reply json_reply(const json& body, int status) {
  Reply reply;
  reply.status = status;
  reply.body = dump(body);
  return reply;
}

Reply empty_reply() {
  Reply reply;
  reply.status = 204;
  return reply;
}

Result<DomId> captured_domain(Service& service, const Request& request) {
  return service.toolstack.find(request.captured.at(0));
}

Answer<Reply> create_domain(Service& service, const Request& request) {
  const auto began = std::chrono::steady_clock::now();
  XL_TRY_ASSIGN(const ParsedRequest parsed, parse_create(service, request, false));
  const std::chrono::nanoseconds parsing = std::chrono::steady_clock::now() - began;
  if (service.stopping) {
    return fail(ErrorId::daemon_stopping, "xld is stopping",
                "call it again: that starts another xld");
  }
  XL_TRY_ASSIGN(const toolstack::CreatedDomain domain,
                service.toolstack.create_domain(parsed.config, parsed.options, request.cancel));
  CreatedView view = created_view(domain);
  view.phases.insert(view.phases.begin(), {"config", static_cast<std::uint64_t>(parsing.count())});
  view.rendered_warnings = parsed.rendered_warnings;
  Reply reply = json_reply(to_json(view), 201);
  reply.created = domain.id;
  reply.hold = parsed.request.hold;
  return reply;
}

Answer<Reply> check_config(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const ParsedRequest parsed, parse_create(service, request, true));
  XL_TRY_ASSIGN(std::string layout, service.toolstack.check_domain(parsed.config, parsed.options));
  nlohmann::ordered_json libxl = config::to_libxl_json(parsed.config, parsed.devices);
  config::fill_in(parsed.host, libxl);
  std::string text = libxl.dump(4, ' ', false, json::error_handler_t::replace) + "\n";
  return json_reply(to_json(CheckedView{parsed.config.name, std::move(layout),
                                        parsed.rendered_warnings, std::move(text)}));
}

Answer<Reply> destroy_domain(Service& service, const Request& request) {
  XL_TRY(ask_captured(service, request, [&](DomId id) { return service.toolstack.destroy(id); }));
  return empty_reply();
}

Answer<Reply> pause_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.pause(id));
  return empty_reply();
}

Answer<Reply> unpause_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.unpause(id));
  Reply reply = empty_reply();
  reply.unpaused = id;
  return reply;
}

Answer<Reply> rename_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  JsonReader reader(body, "rename request");
  std::string name;
  reader.only({"name"});
  reader.need("name", name);
  XL_TRY(reader.check());
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.rename(id, name));
  return empty_reply();
}

Answer<Reply> console_log(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  Reply reply;
  const auto history = request.target.query.find("history");
  const bool in_memory = history != request.target.query.end() && history->second == "true";
  XL_TRY_ASSIGN(reply.body, in_memory ? service.toolstack.console_history(id)
                                      : service.toolstack.console_log(id));
  reply.type = "text/plain";
  return reply;
}

}  // namespace xl::api

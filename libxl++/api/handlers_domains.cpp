// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/views.hpp"
#include "libxl++/api/wire_json.hpp"
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
  toolstack::CreateOptions options;
  std::string rendered_warnings;
};

// The first error says it in one line; all findings go along.
WireError refusal(const std::vector<config::Diagnostic>& findings) {
  const auto first =
      std::find_if(findings.begin(), findings.end(), [](const config::Diagnostic& finding) {
        return finding.severity == config::Severity::error;
      });
  json list = json::array();
  for (const config::Diagnostic& finding : findings) {
    list.push_back(config::to_json(finding));
  }
  WireError error(first == findings.end()
                      ? Error{ErrorCode::internal, "the config was refused without a reason", {}, {}}
                      : Error{ErrorCode::invalid_config, config::summary(*first), first->hint, {}},
                  config::render(findings));
  error.diagnostics = dump(list);
  return error;
}

Answer<ParsedRequest> parse_create(const Request& request) {
  XL_TRY_ASSIGN(const json body, parse_json(request.body));
  ParsedRequest parsed;
  XL_TRY_ASSIGN(parsed.request, from_json<CreateRequest>(body));
  const CreateRequest& asked = parsed.request;
  config::Parsed result =
      config::parse_domain_config({asked.config_name, asked.config_text}, asked.overrides);
  if (!result.config) {
    return Unexpected(refusal(result.diagnostics));
  }
  parsed.config = std::move(*result.config);
  parsed.rendered_warnings = config::render(result.diagnostics);
  parsed.options.paused = asked.paused || asked.hold;
  parsed.options.ignore_death = asked.ignore_death;
  parsed.options.working_directory = asked.working_directory;
  return parsed;
}

std::vector<toolstack::DomainSummary>::const_iterator find_summary(
    const std::vector<toolstack::DomainSummary>& list, DomId id) {
  return std::find_if(list.begin(), list.end(), [id](const toolstack::DomainSummary& domain) {
    return domain.info.id == id;
  });
}

json counters_json(const std::vector<hv::NamedCounter>& counters) {
  json object = json::object();
  for (const hv::NamedCounter& counter : counters) {
    object[counter.name] = counter.count;
  }
  return {{"counters", std::move(object)}};
}

// Domain 0 is the host: it has no config, but libxl's shape shows it all the same.
nlohmann::ordered_json domain0_json(const toolstack::DomainSummary& domain) {
  const std::uint64_t kib = to_bytes(domain.info.memory).count() >> 10;
  const nlohmann::ordered_json about = {
      {"name", domain.name}, {"uuid", config::to_string(config::Uuid(domain.info.handle))}};
  const nlohmann::ordered_json build = {
      {"max_vcpus", domain.info.max_vcpus}, {"max_memkb", kib}, {"target_memkb", kib}};
  return {{"domid", 0}, {"config", {{"c_info", about}, {"b_info", build}}}};
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

Answer<Reply> list_domains(Service& service, const Request&) {
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainSummary> list, service.toolstack.list());
  json entries = json::array();
  for (const toolstack::DomainSummary& domain : list) {
    entries.push_back(to_json(domain_view(domain)));
  }
  return json_reply({{"domains", std::move(entries)}});
}

Answer<Reply> create_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const ParsedRequest parsed, parse_create(request));
  if (service.stopping) {
    return fail(ErrorCode::busy, "xld is stopping");
  }
  XL_TRY_ASSIGN(const toolstack::CreatedDomain domain,
                service.toolstack.create_domain(parsed.config, parsed.options, request.cancel));
  CreatedView view = created_view(domain);
  view.rendered_warnings = parsed.rendered_warnings;
  Reply reply = json_reply(to_json(view), 201);
  reply.created = domain.id;
  reply.hold = parsed.request.hold;
  return reply;
}

Answer<Reply> check_config(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const ParsedRequest parsed, parse_create(request));
  XL_TRY_ASSIGN(std::string layout, service.toolstack.check_domain(parsed.config, parsed.options));
  return json_reply(to_json(CheckedView{std::move(layout), parsed.rendered_warnings}));
}

Answer<Reply> get_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainSummary> list, service.toolstack.list());
  const auto found = find_summary(list, id);
  if (found == list.end()) {
    return fail(ErrorCode::not_found, "domain '" + request.captured[0] + "' has just ended");
  }
  return json_reply(to_json(domain_view(*found)));
}

Answer<Reply> destroy_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.destroy(id));
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

Answer<Reply> domain_counters(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY_ASSIGN(const std::vector<hv::NamedCounter> counters, service.toolstack.counters(id));
  return json_reply(counters_json(counters));
}

Answer<Reply> host_counters(Service& service, const Request&) {
  XL_TRY_ASSIGN(const std::vector<hv::NamedCounter> counters,
                service.toolstack.counters(std::nullopt));
  return json_reply(counters_json(counters));
}

Answer<Reply> console_log(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  Reply reply;
  XL_TRY_ASSIGN(reply.body, service.toolstack.console_log(id));
  reply.type = "text/plain";
  return reply;
}

Answer<Reply> libxl_list(Service& service, const Request& request) {
  std::optional<DomId> only;
  if (const auto name = request.target.query.find("domain"); name != request.target.query.end()) {
    XL_TRY_ASSIGN(only, service.toolstack.find(name->second));
  }
  XL_TRY_ASSIGN(const std::vector<toolstack::DomainSummary> list, service.toolstack.list());
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const toolstack::DomainSummary& domain : list) {
    if (only && domain.info.id != *only) {
      continue;
    }
    if (domain.info.id == DomId(0)) {
      entries.push_back(domain0_json(domain));
    } else if (Result<config::DomainConfig> config = service.toolstack.config_of(domain.info.id)) {
      entries.push_back(config::to_libxl_json(*config, domain.info.id));
    }  // else it ended between the two questions
  }
  Reply reply;
  reply.body = entries.dump(4, ' ', false, json::error_handler_t::replace) + "\n";
  return reply;
}

}  // namespace xl::api

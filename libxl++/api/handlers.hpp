// SPDX-License-Identifier: Apache-2.0
// The handlers behind the routes; see openapi.yaml for what each does.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "libxl++/api/request.hpp"
#include "libxl++/api/routes.hpp"

namespace xl::api {

class JsonReader;

Answer<Reply> list_domains(Service& service, const Request& request);
Answer<Reply> create_domain(Service& service, const Request& request);
Answer<Reply> check_config(Service& service, const Request& request);
Answer<Reply> convert_config(Service& service, const Request& request);
Answer<Reply> validate_configs(Service& service, const Request& request);
Answer<Reply> parse_device(Service& service, const Request& request);
Answer<Reply> parse_cpumap(Service& service, const Request& request);
Answer<Reply> get_domain(Service& service, const Request& request);
Answer<Reply> destroy_domain(Service& service, const Request& request);
Answer<Reply> pause_domain(Service& service, const Request& request);
Answer<Reply> unpause_domain(Service& service, const Request& request);
Answer<Reply> rename_domain(Service& service, const Request& request);
Answer<Reply> get_memory(Service& service, const Request& request);
Answer<Reply> set_memory(Service& service, const Request& request);
Answer<Reply> domain_counters(Service& service, const Request& request);
Answer<Reply> core_needs_upgrade(Service& service, const Request& request);
Answer<Reply> shutdown_domain(Service& service, const Request& request);
Answer<Reply> sysrq_domain(Service& service, const Request& request);
Answer<Reply> set_vcpus(Service& service, const Request& request);
Answer<Reply> trigger_domain(Service& service, const Request& request);
Answer<Reply> list_vcpus(Service& service, const Request& request);
Answer<Reply> pin_vcpus(Service& service, const Request& request);
Answer<Reply> get_scheduling(Service& service, const Request& request);
Answer<Reply> set_scheduling(Service& service, const Request& request);
Answer<Reply> console_log(Service& service, const Request& request);
Answer<Reply> libxl_list(Service& service, const Request& request);

Answer<Reply> recent_events(Service& service, const Request& request);  // follow=false

Answer<Reply> get_metrics(Service& service, const Request& request);
Answer<Reply> get_host(Service& service, const Request& request);
Answer<Reply> host_counters(Service& service, const Request& request);
Answer<Reply> get_hypervisor_log(Service& service, const Request& request);
Answer<Reply> clear_hypervisor_log(Service& service, const Request& request);
Answer<Reply> inspect_image(Service& service, const Request& request);
Answer<Reply> get_daemon(Service& service, const Request& request);
Answer<Reply> stop_daemon(Service& service, const Request& request);

// --- shared by them ---
Reply json_reply(const nlohmann::json& body, int status = 200);
Reply empty_reply();  // 204
// The domain that the first capture names.
Result<DomId> captured_domain(Service& service, const Request& request);
// What `ask` answers of it. One that has gone meanwhile, as it is being restarted under its name,
// is meant with its successor.
template <typename Ask>
auto ask_captured(Service& service, const Request& request, Ask&& ask) -> decltype(ask(DomId())) {
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  auto answer = ask(id);
  if (!answer && answer.error().code == ErrorCode::not_found) {
    if (const auto successor = captured_domain(service, request); successor && *successor != id) {
      return ask(*successor);
    }
  }
  return answer;
}
// `timeout_ms`, at most an hour. The reader has to be read to its end otherwise.
Result<std::chrono::milliseconds> read_timeout(JsonReader& reader, std::uint64_t fallback_ms);

}  // namespace xl::api

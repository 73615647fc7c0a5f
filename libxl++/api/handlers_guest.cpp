// SPDX-License-Identifier: Apache-2.0
// Requests that the guest's own kernel has to take.
#include <nlohmann/json.hpp>

#include "libxl++/api/handlers.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {
namespace {

constexpr std::uint64_t longest_wait_ms = 3'600'000;

}  // namespace

Result<std::chrono::milliseconds> read_timeout(JsonReader& reader, std::uint64_t fallback_ms) {
  std::uint64_t ms = fallback_ms;
  reader.maybe("timeout_ms", ms);
  XL_TRY(reader.check());
  if (ms > longest_wait_ms) {
    return fail(ErrorCode::invalid_argument, "timeout_ms: " + std::to_string(ms) +
                                                 " is more than " +
                                                 std::to_string(longest_wait_ms) + ", an hour");
  }
  return std::chrono::milliseconds(ms);
}

Answer<Reply> shutdown_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const nlohmann::json body, parse_json(request.body));
  JsonReader reader(body, "shutdown request");
  std::string action;
  toolstack::ShutdownRequest asked;
  reader.only({"action", "timeout_ms", "trigger"});
  reader.need("action", action);
  reader.maybe("trigger", asked.fall_back_to_trigger);
  XL_TRY_ASSIGN(asked.timeout, read_timeout(reader, default_guest_timeout_ms));
  if (action != "poweroff" && action != "reboot") {
    return Unexpected(WireError(
        Error{ErrorCode::invalid_argument, "action: 'poweroff' or 'reboot' expected", {}, {}}));
  }
  asked.reboot = action == "reboot";
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.request_shutdown(id, asked, request.cancel));
  return empty_reply();
}

Answer<Reply> sysrq_domain(Service& service, const Request& request) {
  XL_TRY_ASSIGN(const nlohmann::json body, parse_json(request.body));
  JsonReader reader(body, "SysRq request");
  std::string letter;
  reader.only({"letter", "timeout_ms"});
  reader.need("letter", letter);
  XL_TRY_ASSIGN(const std::chrono::milliseconds timeout,
                read_timeout(reader, default_guest_timeout_ms));
  if (letter.size() != 1) {
    return Unexpected(
        WireError(make_error(ErrorId::sysrq_wrong, "letter: one letter or digit expected",
                             "Linux's sysrq.rst has what each does")));
  }
  XL_TRY_ASSIGN(const DomId id, captured_domain(service, request));
  XL_TRY(service.toolstack.send_sysrq(id, letter[0], timeout, request.cancel));
  return empty_reply();
}

}  // namespace xl::api

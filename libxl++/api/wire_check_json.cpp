// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "libxl++/api/daemon_checks.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> status_names = {"ok", "warning", "failed", "skipped"};

Result<Check> check_of(const json& value) {
  JsonReader reader(value, "check");
  Check check;
  std::string status;
  reader.need("name", check.name);
  reader.need("status", status);
  reader.need("detail", check.detail);
  reader.maybe("cure", check.cure);
  XL_TRY(reader.check());
  const auto found = std::find(status_names.begin(), status_names.end(), status);
  if (found == status_names.end()) {
    return fail(ErrorId::daemon_bad_answer, "check has a status '" + status + "'");
  }
  check.status = static_cast<CheckStatus>(found - status_names.begin());
  return check;
}

}  // namespace

std::string_view to_string(CheckStatus status) {
  return status_names.at(static_cast<std::size_t>(status));
}

bool is_fit(const std::vector<Check>& checks) {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.status == CheckStatus::failed; });
}

std::string doctor_text(const DoctorReport& report) {
  json checks = json::array();
  for (const Check& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"status", to_string(check.status)},
                      {"detail", check.detail},
                      {"cure", check.cure}});
  }
  return dump({{"version", report.version},
               {"fit", is_fit(report.checks)},
               {"checks", std::move(checks)}}) +
         "\n";
}

Result<DoctorReport> parse_doctor(std::string_view text) {
  XL_TRY_ASSIGN(const json value, parse_json(text));
  JsonReader reader(value, "report");
  DoctorReport report;
  json checks;
  reader.need("version", report.version);
  reader.need("checks", checks);
  XL_TRY(reader.check());
  if (!checks.is_array()) {
    return fail(ErrorId::daemon_bad_answer, "report has wrong 'checks'");
  }
  for (const json& entry : checks) {
    XL_TRY_ASSIGN(Check check, check_of(entry));
    report.checks.push_back(std::move(check));
  }
  return report;
}

}  // namespace xl::api

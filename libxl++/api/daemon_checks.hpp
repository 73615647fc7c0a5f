// SPDX-License-Identifier: Apache-2.0
// What `xld --doctor` says of this machine, and how xl asks it. xld does not serve for that: it
// works where xld cannot start (docs/adr/0134).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/error.hpp"
#include "libxl++/api/runtime_dir.hpp"

namespace xl::api {

struct DoctorReport {
  std::string version;  // of who says it
  std::vector<Check> checks;
};

// One line of JSON: {"version":..., "fit":..., "checks":[{name, status, detail, cure}]}.
std::string doctor_text(const DoctorReport& report);
Result<DoctorReport> parse_doctor(std::string_view text);
bool is_fit(const std::vector<Check>& checks);  // nothing failed

// "ok", "warning", "failed", "skipped"
std::string_view to_string(CheckStatus status);

// Runs `program --doctor`. Errors: daemon_not_started with its last words; daemon_bad_answer.
Result<DoctorReport> ask_daemon_program(const std::string& program, const RuntimeDir& dir);

}  // namespace xl::api

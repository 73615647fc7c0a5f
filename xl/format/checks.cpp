// SPDX-License-Identifier: Apache-2.0
#include "xl/format/checks.hpp"

#include "libxl++/api/daemon_checks.hpp"
#include "xl/output.hpp"

namespace xl::cli {

std::string check_lines(std::span<const Check> checks) {
  std::string text;
  for (const Check& check : checks) {
    text += format("%-8s %-18s %s", std::string(api::to_string(check.status)).c_str(),
                   check.name.c_str(), check.detail.c_str());
    text.append(check.cure.empty() ? "" : "; ").append(check.cure).append("\n");
  }
  return text;
}

}  // namespace xl::cli

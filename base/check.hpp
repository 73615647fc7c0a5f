// SPDX-License-Identifier: Apache-2.0
// Check: one thing that was looked at on this machine, by xl doctor. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace xl {

enum class CheckStatus : std::uint8_t {
  ok,
  warning,  // domains run, but not well, or not for long
  failed,   // no domain runs before this is mended
  skipped,  // it cannot be told before something else is mended
};

struct Check {
  std::string name;
  CheckStatus status = CheckStatus::ok;
  std::string detail;     // what was found, with the value
  std::string cure = {};  // what to do; empty if ok
};

inline Check check_ok(std::string name, std::string detail) {
  return {std::move(name), CheckStatus::ok, std::move(detail), {}};
}
inline Check check_warning(std::string name, std::string detail, std::string cure) {
  return {std::move(name), CheckStatus::warning, std::move(detail), std::move(cure)};
}
inline Check check_failed(std::string name, std::string detail, std::string cure) {
  return {std::move(name), CheckStatus::failed, std::move(detail), std::move(cure)};
}
inline Check check_skipped(std::string name, std::string detail) {
  return {std::move(name), CheckStatus::skipped, std::move(detail), {}};
}

}  // namespace xl

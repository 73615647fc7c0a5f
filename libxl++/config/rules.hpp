// SPDX-License-Identifier: Apache-2.0
// The bounds of DomainConfig, each checked in one place: the parsers add where, validate() adds
// which field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libxl++/config/domain_config.hpp"

namespace xl::config {

struct Problem {
  std::string message;  // begins with the value, reads on behind "FIELD: "
  std::string hint;
};

using Verdict = std::optional<Problem>;  // none: the value is fine

Verdict judge_name(std::string_view name);
Verdict judge_kernel(std::string_view path);
Verdict judge_ramdisk(std::string_view path);  // empty is fine
Verdict judge_command_line(std::string_view text);
Verdict judge_memory(Bytes size);
Verdict judge_vcpus(std::uint32_t count);
Verdict judge_weight(std::uint32_t weight);
Verdict judge_cap(std::uint32_t cap);

}  // namespace xl::config

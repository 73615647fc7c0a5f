// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

Problem problem(std::string message, std::string hint = {}) {
  return {std::move(message), std::move(hint)};
}

// Why this is not text that a domain's config can hold.
Verdict judge_text(std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return problem(fmt::format("'{}' is {} bytes long, more than {}", printable(text, 20),
                               text.size(), limit));
  }
  if (text.find('\0') != std::string_view::npos || find_invalid_utf8(text) != text.npos) {
    return problem(fmt::format("'{}' is not UTF-8 text without NUL", printable(text)));
  }
  return std::nullopt;
}

Verdict judge_name_shape(std::string_view name) {
  const bool digits = name.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) {
    return problem(fmt::format("'{}' would read as a domain ID", name), "use a letter in the name");
  }
  if (name == "Domain-0") {
    return problem("'Domain-0' is the name of the host's domain", "choose another name");
  }
  if (name.front() == '-') {
    return problem(fmt::format("'{}' would read as an option", name), "begin it with a letter");
  }
  if (name == "." || name == "..") {
    return problem(fmt::format("'{}' cannot name a file", name), "choose another name");
  }
  if (name.front() == ' ' || name.back() == ' ') {
    return problem(fmt::format("'{}' begins or ends with a space", name), "remove the space");
  }
  return std::nullopt;
}

Result<void> say(std::string_view field, const Verdict& verdict) {
  if (!verdict) return {};
  return fail(ErrorCode::invalid_config, fmt::format("{}: {}", field, verdict->message),
              verdict->hint);
}

Result<void> validate_amounts(const DomainConfig& config) {
  XL_TRY(say("memory", judge_memory(config.memory)));
  XL_TRY(say("max_memory", judge_memory(config.max_memory)));
  XL_TRY(say("vcpus", judge_vcpus(config.vcpus)));
  XL_TRY(say("max_vcpus", judge_vcpus(config.max_vcpus)));
  if (config.max_memory < config.memory) {
    return fail(ErrorCode::invalid_config,
                fmt::format("max_memory: {} KiB is less than memory, {} KiB",
                            config.max_memory.count() >> 10, config.memory.count() >> 10));
  }
  if (config.max_vcpus < config.vcpus) {
    return fail(ErrorCode::invalid_config, fmt::format("max_vcpus: {} is less than vcpus, {}",
                                                       config.max_vcpus, config.vcpus));
  }
  return {};
}

Result<void> validate_scheduling(const DomainConfig& config) {
  const Scheduling& scheduling = config.scheduling;
  XL_TRY(say("cpu_weight", judge_weight(scheduling.weight)));
  XL_TRY(say("cap", judge_cap(scheduling.cap)));
  for (const std::vector<CpuSet>* const sets : {&scheduling.cpus, &scheduling.cpus_soft}) {
    const bool empty =
        std::any_of(sets->begin(), sets->end(), [](auto& set) { return set.none(); });
    if (empty || sets->size() > config.max_vcpus) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("cpus: {} sets, none of them empty, are for {} vcpus", sets->size(),
                              config.max_vcpus));
    }
  }
  return {};
}

}  // namespace

Verdict judge_name(std::string_view name) {
  if (name.empty()) return problem("the name is empty");
  if (Verdict text = judge_text(name, max_name_length)) return text;
  const auto bad =
      std::find_if(name.begin(), name.end(), [](char c) { return c == '/' || is_control(c); });
  if (bad != name.end()) {
    return problem(fmt::format("'{}' must not contain '{}'", printable(name),
                               printable(std::string_view(&*bad, 1))),
                   "use letters, digits, '-', '_' and '.'");
  }
  return judge_name_shape(name);
}

Verdict judge_kernel(std::string_view path) {
  if (path.empty()) return problem("the path is empty", "name a kernel image");
  return judge_text(path, max_path_length);
}

Verdict judge_ramdisk(std::string_view path) {
  return judge_text(path, max_path_length);
}

Verdict judge_command_line(std::string_view text) {
  return judge_text(text, max_command_line_length);
}

Verdict judge_memory(Bytes size) {
  if (size < min_memory || size > max_memory_limit || size.count() % kib(1).count() != 0) {
    return problem(fmt::format("{} bytes is not a whole number of KiB from {} to {} MiB",
                               size.count(), min_memory.count() >> 20,
                               max_memory_limit.count() >> 20));
  }
  return std::nullopt;
}

Verdict judge_vcpus(std::uint32_t count) {
  if (count < 1 || count > max_vcpu_count) {
    return problem(fmt::format("{} is not from 1 to {}", count, max_vcpu_count));
  }
  return std::nullopt;
}

Verdict judge_weight(std::uint32_t weight) {
  if (weight < 1 || weight > max_weight) {
    return problem(fmt::format("{} is not from 1 to {}", weight, max_weight),
                   "256 is the weight of a domain that says nothing");
  }
  return std::nullopt;
}

Verdict judge_cap(std::uint32_t cap) {
  if (cap > max_cap) {
    return problem(fmt::format("{} is more than {}", cap, max_cap), "0 is no cap");
  }
  return std::nullopt;
}

Result<void> check_domain_name(std::string_view name) {
  return say("name", judge_name(name));
}

Result<void> validate(const DomainConfig& config) {
  XL_TRY(check_domain_name(config.name));
  if (config.uuid && config.uuid->is_nil()) {
    return fail(ErrorCode::invalid_config, "uuid: the nil UUID is the host's domain");
  }
  XL_TRY(say("kernel", judge_kernel(config.kernel)));
  XL_TRY(say("ramdisk", judge_ramdisk(config.ramdisk)));
  XL_TRY(say("command_line", judge_command_line(config.command_line)));
  XL_TRY(validate_amounts(config));
  return validate_scheduling(config);
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/death_policy.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>

namespace xl::toolstack {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// Whether `name` stands in the line as a word of its own, or with a vcpu behind it (d3v0).
bool mentions(std::string_view line, const std::string& name) {
  for (std::size_t at = line.find(name); at != line.npos; at = line.find(name, at + 1)) {
    const bool starts_word = at == 0 || !is_word_character(line[at - 1]);
    const std::size_t end = at + name.size();
    const bool ends_word = end == line.size() || !is_word_character(line[end]) || line[end] == 'v';
    if (starts_word && ends_word) {
      return true;
    }
  }
  return false;
}

}  // namespace

config::ShutdownAction action_for(hv::ShutdownReason reason, const config::DomainConfig& config,
                                  bool ignore_death) {
  if (ignore_death) {
    return config::ShutdownAction::preserve;
  }
  switch (reason) {
    case hv::ShutdownReason::poweroff: return config.on_poweroff;
    case hv::ShutdownReason::reboot: return config.on_reboot;
    case hv::ShutdownReason::soft_reset: return config.on_soft_reset;
    case hv::ShutdownReason::suspend: return config::ShutdownAction::preserve;
    case hv::ShutdownReason::crash: return config.on_crash;
    case hv::ShutdownReason::watchdog: return config.on_watchdog;
  }
  return config::ShutdownAction::destroy;
}

std::string_view to_string(hv::ShutdownReason reason) {
  switch (reason) {
    case hv::ShutdownReason::poweroff: return "poweroff";
    case hv::ShutdownReason::reboot: return "reboot";
    case hv::ShutdownReason::suspend: return "suspend";
    case hv::ShutdownReason::crash: return "crash";
    case hv::ShutdownReason::watchdog: return "watchdog";
    case hv::ShutdownReason::soft_reset: return "soft_reset";
  }
  return "unknown";
}

std::chrono::nanoseconds restart_delay(std::chrono::nanoseconds ran_for,
                                       std::chrono::nanoseconds interval) {
  return std::max(std::chrono::nanoseconds::zero(), interval - ran_for);
}

std::string preserved_suffix(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "-%Y%m%dT%H%MZ", &utc)};
}

std::string lines_about(DomId domain, std::string_view log) {
  const std::string id = std::to_string(domain.value());
  const std::string names[] = {"d" + id, "dom" + id, "domain " + id};
  std::string found;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (std::any_of(std::begin(names), std::end(names),
                    [&](const std::string& name) { return mentions(line, name); })) {
      found += line;
      found += '\n';
    }
  }
  return found;
}

bool tells_of_triple_fault(std::string_view lines) {
  // "crashed: triple fault" here, "Triple fault - invoking HVM shutdown action 1" in Xen.
  return lines.find("riple fault") != lines.npos;
}

}  // namespace xl::toolstack

// SPDX-License-Identifier: Apache-2.0
#include "xl/format/domains.hpp"

#include <algorithm>
#include <cinttypes>
#include <iterator>
#include <optional>

#include "xl/format/host.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

// The reason's number in public/sched.h.
std::optional<unsigned> reason_code(const api::DomainView& domain) {
  if (!domain.shutdown_reason) {
    return std::nullopt;
  }
  const auto found = std::find(std::begin(api::shutdown_names), std::end(api::shutdown_names),
                               *domain.shutdown_reason);
  return static_cast<unsigned>(found - std::begin(api::shutdown_names));
}

std::string state_letters(const api::DomainView& domain) {
  static constexpr char reason_letters[] = "-rscwS";
  const std::optional<unsigned> reason = reason_code(domain);
  const char letter = !reason                               ? '-'
                      : *reason < sizeof reason_letters - 1 ? reason_letters[*reason]
                                                            : '?';
  return {domain.running ? 'r' : '-',
          domain.blocked ? 'b' : '-',
          domain.paused ? 'p' : '-',
          reason ? 's' : '-',
          letter,
          domain.dying ? 'd' : '-'};
}

std::string uptime_text(std::int64_t seconds, bool with_seconds) {
  const std::int64_t days = seconds / 86400;
  const int hours = static_cast<int>(seconds / 3600 % 24);
  const int minutes = static_cast<int>(seconds / 60 % 60);
  std::string text;
  if (days > 0) {
    text = std::to_string(days) + (days > 1 ? " days, " : " day, ");
  }
  text += format("%2d:%02d", hours, minutes);
  return with_seconds ? text + format(":%02d", static_cast<int>(seconds % 60)) : text;
}

std::int64_t uptime_of(const api::DomainView& domain, std::int64_t now_ms) {
  return std::max<std::int64_t>(0, (now_ms - domain.created_ms) / 1000);
}

}  // namespace

std::string domain_table(std::span<const api::DomainView> domains, ListColumns columns) {
  std::string text = "Name                                        ID   Mem VCPUs\tState\tTime(s)";
  text += columns.verbose   ? "   UUID                            Reason-Code\tSecurity Label"
          : columns.context ? "   Security Label"
                            : "";
  text += columns.cpupool ? "         Cpupool" : "";
  text += columns.numa ? " NODE Affinity" : "";
  text += columns.claims ? "  Claimed" : "";
  text += '\n';
  for (const api::DomainView& domain : domains) {
    text +=
        format("%-40s %5u %5" PRIu64 " %5u     %s  %8.1f", domain.name.c_str(),
               static_cast<unsigned>(domain.domid), domain.memory_kib / 1024, domain.vcpus_online,
               state_letters(domain).c_str(), static_cast<double>(domain.cpu_time_ns) / 1e9);
    if (columns.verbose) {
      const std::optional<unsigned> reason = reason_code(domain);
      text += " " + domain.uuid;
      text += reason ? format(" %8x", *reason) : format(" %8s", "-");
    }
    text += columns.verbose || columns.context ? format(" %16s", "-") : "";
    text += columns.cpupool ? format("%16s", only_pool) : "";
    text += columns.numa ? " all" : "";
    text += columns.claims ? format(" %5u", 0U) : "";
    text += '\n';
  }
  return text;
}

std::string sharing_table(std::span<const api::DomainView> domains) {
  std::string text = "Name                                        ID   Mem Shared\n";
  for (const api::DomainView& domain : domains) {
    text += format("%-40s %5u %5" PRIu64 "  %5u\n", domain.name.c_str(),
                   static_cast<unsigned>(domain.domid), domain.memory_kib / 1024, 0U);
  }
  return text;
}

std::string vm_table(std::span<const api::DomainView> domains) {
  std::string text = "UUID                                  ID    name\n";
  for (const api::DomainView& domain : domains) {
    text += format("%s  %u    %-30s\n", domain.uuid.c_str(), static_cast<unsigned>(domain.domid),
                   domain.name.c_str());
  }
  return text;
}

std::string uptime_table(std::span<const api::DomainView> domains, std::int64_t now_ms) {
  std::string text = format("%-33s %4s %s\n", "Name", "ID", "Uptime");
  for (const api::DomainView& domain : domains) {
    text += format("%-33s %4u %s\n", domain.name.c_str(), static_cast<unsigned>(domain.domid),
                   uptime_text(uptime_of(domain, now_ms), true).c_str());
  }
  return text;
}

std::string uptime_lines(std::span<const api::DomainView> domains, std::int64_t now_ms,
                         const std::string& clock) {
  std::string text;
  for (const api::DomainView& domain : domains) {
    text += format(" %s up %s, %s (%u)\n", clock.c_str(),
                   uptime_text(uptime_of(domain, now_ms), false).c_str(), domain.name.c_str(),
                   static_cast<unsigned>(domain.domid));
  }
  return text;
}

}  // namespace xl::cli

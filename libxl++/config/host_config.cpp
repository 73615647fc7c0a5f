// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/host_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/suggest.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/formats/format.hpp"
#include "libxl++/config/source_text.hpp"
#include "libxl++/config/syntax.hpp"
#include "libxl++/config/values.hpp"

namespace xl::config {
namespace {

enum class Kind : std::uint8_t { text, number, cpu_mask };

struct HostKey {
  std::string_view name;
  Kind kind;
  // Why it has no effect; empty: it is honoured.
  std::string_view why = {};
  // Values that ask for what happens anyway, separated by '|': no warning.
  std::string_view as_is = {};
};

constexpr std::string_view no_network = "there is no network backend yet";
constexpr std::string_view no_grant_limits = "a domain's grant table has the hypervisor's limits";
constexpr std::string_view no_migration = "domains cannot be replicated";

constexpr HostKey table[] = {
    {"autoballoon", Kind::text, "Domain-0 is the host, whose memory no domain takes", "off|auto|0"},
    {"blkdev_start", Kind::text, "there are no disks for a time"},
    {"claim_mode", Kind::number, "whether there is memory enough is always looked at first", "1"},
    {"colo.default.proxyscript", Kind::text, no_migration},
    {"defaultbridge", Kind::text, no_network},
    {"domid_policy", Kind::text, "domids are given one after the other", "xen"},
    {"lockfile", Kind::text, "xld serves many commands at once and needs no lock file"},
    {"max_grant_frames", Kind::number, no_grant_limits},
    {"max_grant_version", Kind::number, no_grant_limits},
    {"max_maptrack_frames", Kind::number, no_grant_limits},
    {"output_format", Kind::text, "output for machines is JSON", "json"},
    {"remus.default.netbufscript", Kind::text, no_migration},
    {"run_hotplug_scripts", Kind::number, "there are no hotplug scripts to run"},
    {"vif.default.backend", Kind::text, no_network},
    {"vif.default.bridge", Kind::text, no_network},
    {"vif.default.gatewaydev", Kind::text, no_network},
    {"vif.default.script", Kind::text, no_network},
    {"vifscript", Kind::text, no_network},
    {"vm.cpumask", Kind::cpu_mask},
    {"vm.hvm.cpumask", Kind::cpu_mask},
    {"vm.pv.cpumask", Kind::cpu_mask, "there are no PV domains"},
};

const HostKey* find(std::string_view name) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [name](const HostKey& key) { return key.name == name; });
  return found == std::end(table) ? nullptr : found;
}

bool is_among(std::string_view value, std::string_view choices) {
  while (!choices.empty()) {
    const std::size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == value) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

void warn_of_unknown(const Assignment& assignment, Findings& findings) {
  const std::string_view near =
      nearest(assignment.key, table, [](const HostKey& key) { return key.name; });
  findings.warning(
      assignment.key_span,
      fmt::format("'{}' is not a key of xl.conf and has no effect", printable(assignment.key)),
      near.empty() ? "" : fmt::format("did you mean '{}'?", near));
}

void read_mask(const Assignment& assignment, Findings& findings, CpuSet& mask) {
  const std::optional<std::string> text = read_text(assignment, findings);
  if (!text) return;
  const Result<CpuSet> set = parse_cpu_list(*text);
  if (!set) {
    findings.error(assignment.value.span,
                   fmt::format("'{}': {}", assignment.key, set.error().message), set.error().hint);
    return;
  }
  mask &= *set;
}

void read(const Assignment& assignment, Findings& findings, HostConfig& config) {
  const HostKey* const key = find(assignment.key);
  if (key == nullptr) {
    warn_of_unknown(assignment, findings);
    return;
  }
  CpuSet ignored = CpuSet().set();
  std::optional<std::string> text;
  switch (key->kind) {
    case Kind::cpu_mask:
      read_mask(assignment, findings, key->why.empty() ? config.cpu_mask : ignored);
      break;
    case Kind::number:
      if (read_number(assignment, {0, UINT32_MAX}, findings)) text = assignment.value.text;
      break;
    case Kind::text: text = read_text(assignment, findings); break;
  }
  if (!key->why.empty() && !(text && is_among(*text, key->as_is))) {
    findings.warning(assignment.key_span,
                     fmt::format("'{}' has no effect: {}", assignment.key, key->why));
  }
}

}  // namespace

ParsedHostConfig parse_host_config(const Source& file) {
  const std::array sources = {SourceText(file.name, file.text)};
  Findings findings(sources);
  HostConfig config;
  if (admit_source(file.text.size(), sources[0], 0, findings)) {
    std::vector<Assignment> assignments;
    parse_assignments(sources[0], 0, Dialect::file, findings, assignments);
    for (std::size_t at = 0; at < assignments.size() && !findings.full(); ++at) {
      // A later assignment replaces an earlier one.
      const bool last =
          std::none_of(assignments.begin() + static_cast<std::ptrdiff_t>(at) + 1, assignments.end(),
                       [&](const Assignment& later) { return later.key == assignments[at].key; });
      if (last) read(assignments[at], findings, config);
    }
  }
  ParsedHostConfig parsed;
  if (!findings.has_errors()) parsed.config = config;
  parsed.diagnostics = std::move(findings).take();
  return parsed;
}

Result<CpuSet> restrict_cpus(const HostConfig& host, const CpuSet& set) {
  const CpuSet left = set & host.cpu_mask;
  if (left.none()) {
    return Unexpected(Error{ErrorCode::invalid_argument,
                            fmt::format("of the CPUs {} the mask {} leaves none",
                                        format_cpu_list(set), format_cpu_list(host.cpu_mask)),
                            "choose others, or change vm.cpumask in xl.conf",
                            {}});
  }
  return left;
}

Result<void> restrict_cpus(const HostConfig& host, DomainConfig& domain) {
  if (host.cpu_mask.all()) return {};
  std::vector<CpuSet>& cpus = domain.scheduling.cpus;
  cpus.resize(domain.max_vcpus, CpuSet().set());
  for (CpuSet& set : cpus) {
    Result<CpuSet> left = restrict_cpus(host, set);
    if (!left) {
      Error error = left.error();
      error.code = ErrorCode::invalid_config;
      return Unexpected(std::move(error));
    }
    set = *left;
  }
  return {};
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/host_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "base/suggest.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/findings.hpp"
#include "libxl++/config/formats/format.hpp"
#include "libxl++/config/source_text.hpp"
#include "libxl++/config/syntax.hpp"
#include "libxl++/config/values.hpp"

namespace xl::config {
namespace {

// Where a key's value goes; null: nowhere.
struct Target {
  CpuSet HostConfig::*mask = nullptr;
  std::string VifDefaults::*vif = nullptr;
  std::optional<std::string> HostConfig::*text = nullptr;
  std::optional<std::uint32_t> HostConfig::*number = nullptr;
  bool HostConfig::*boolean = nullptr;
};

enum class Kind : std::uint8_t { text, number, boolean, cpu_mask };

struct HostKey {
  std::string_view name;
  Kind kind;
  Target target = {};
  // What is to be said of it, behind "has no effect: " unless it begins with "is ".
  std::string_view why = {};
  // Values that ask for what happens anyway, separated by '|': nothing is said.
  std::string_view as_is = {};
};

constexpr std::string_view grant_limits =
    "is shown by `xl -N create` alone: a domain's grant table has the hypervisor's limits";
constexpr std::string_view no_migration = "domains cannot be replicated";

constexpr HostKey table[] = {
    {"autoballoon",
     Kind::text,
     {},
     "Domain-0 is the host, whose memory no domain takes",
     "off|auto|0"},
    {"blkdev_start",
     Kind::text,
     {.text = &HostConfig::blkdev_start},
     "is shown by `xl -N create` alone: no disk is needed for a time"},
    {"claim_mode",
     Kind::boolean,
     {.boolean = &HostConfig::claim_mode},
     "is shown by `xl -N create` alone: whether there is memory enough is always looked at first",
     "1"},
    {"colo.default.proxyscript", Kind::text, {}, no_migration},
    {"defaultbridge",
     Kind::text,
     {.vif = &VifDefaults::bridge},
     "is the old name of vif.default.bridge"},
    {"domid_policy", Kind::text, {}, "domids are given one after the other", "xen"},
    {"lockfile", Kind::text, {}, "xld serves many commands at once and needs no lock file"},
    {"max_grant_frames", Kind::number, {.number = &HostConfig::max_grant_frames}, grant_limits},
    {"max_grant_version", Kind::number, {.number = &HostConfig::max_grant_version}, grant_limits},
    {"max_maptrack_frames",
     Kind::number,
     {.number = &HostConfig::max_maptrack_frames},
     grant_limits},
    {"output_format", Kind::text, {}, "output for machines is JSON", "json"},
    {"remus.default.netbufscript", Kind::text, {}, no_migration},
    {"run_hotplug_scripts", Kind::boolean, {.boolean = &HostConfig::run_hotplug_scripts}},
    {"vif.default.backend", Kind::text, {.vif = &VifDefaults::backend}},
    {"vif.default.bridge", Kind::text, {.vif = &VifDefaults::bridge}},
    {"vif.default.gatewaydev", Kind::text, {.vif = &VifDefaults::gateway_device}},
    {"vif.default.script", Kind::text, {.vif = &VifDefaults::script}},
    {"vifscript",
     Kind::text,
     {.vif = &VifDefaults::script},
     "is the old name of vif.default.script"},
    {"vm.cpumask", Kind::cpu_mask, {.mask = &HostConfig::cpu_mask}},
    {"vm.hvm.cpumask", Kind::cpu_mask, {.mask = &HostConfig::cpu_mask}},
    {"vm.pv.cpumask", Kind::cpu_mask, {}, "there are no PV domains"},
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

// The old name of a vif's default does not count beside the new one.
bool is_superseded(const Assignment& assignment, std::span<const Assignment> all) {
  const std::string_view newer = assignment.key == "vifscript"       ? "vif.default.script"
                                 : assignment.key == "defaultbridge" ? "vif.default.bridge"
                                                                     : "";
  return std::any_of(all.begin(), all.end(),
                     [newer](const Assignment& each) { return each.key == newer; });
}

// The value as text, for the comparison with `as_is`; none if it is wrong or a mask.
std::optional<std::string> read_value(const HostKey& key, const Assignment& assignment,
                                      Findings& findings, HostConfig& config) {
  constexpr std::uint64_t most = INT32_MAX;  // as xl
  CpuSet ignored = CpuSet().set();
  switch (key.kind) {
    case Kind::cpu_mask:
      read_mask(assignment, findings,
                key.target.mask == nullptr ? ignored : config.*key.target.mask);
      return std::nullopt;
    case Kind::number: {
      const std::optional<std::uint64_t> number = read_number(assignment, {0, most}, findings);
      if (number) config.*key.target.number = static_cast<std::uint32_t>(*number);
      return std::nullopt;
    }
    case Kind::boolean: {
      const std::optional<bool> value = read_boolean(assignment, findings);
      if (!value) return std::nullopt;
      config.*key.target.boolean = *value;
      return std::string(*value ? "1" : "0");
    }
    case Kind::text: break;
  }
  std::optional<std::string> text = read_text(assignment, findings);
  if (text && key.target.vif != nullptr) config.vif.*key.target.vif = *text;
  if (text && key.target.text != nullptr) config.*key.target.text = *text;
  return text;
}

void read(const Assignment& assignment, std::span<const Assignment> all, Findings& findings,
          HostConfig& config) {
  const HostKey* const key = find(assignment.key);
  if (key == nullptr) {
    warn_of_unknown(assignment, findings);
    return;
  }
  HostConfig ignored;
  const std::optional<std::string> text =
      read_value(*key, assignment, findings, is_superseded(assignment, all) ? ignored : config);
  if (!key->why.empty() && !(text && is_among(*text, key->as_is))) {
    findings.warning(assignment.key_span,
                     fmt::format("'{}' {}{}", assignment.key,
                                 key->why.starts_with("is ") ? "" : "has no effect: ", key->why));
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
      if (last) read(assignments[at], assignments, findings, config);
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
    return fail(ErrorId::cpus_not_on_host,
                fmt::format("of the CPUs {} the mask {} leaves none", format_cpu_list(set),
                            format_cpu_list(host.cpu_mask)),
                "choose others, or change vm.cpumask in xl.conf");
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
      return fail(ErrorId::config_cpus, left.error().message, left.error().hint);
    }
    set = *left;
  }
  return {};
}

}  // namespace xl::config

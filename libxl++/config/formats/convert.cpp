// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/formats/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "libxl++/config/formats/writers.hpp"

namespace xl::config {
namespace {

using namespace std::string_view_literals;

// What one looks for first; all other keys follow in the order of the alphabet.
constexpr std::array first_keys = {
    "name"sv,        "uuid"sv,      "type"sv,        "kernel"sv,    "ramdisk"sv,
    "cmdline"sv,     "root"sv,      "extra"sv,       "memory"sv,    "maxmem"sv,
    "vcpus"sv,       "maxvcpus"sv,  "cpus"sv,        "cpus_soft"sv, "cpu_weight"sv,
    "cap"sv,         "acpi"sv,      "disk"sv,        "vif"sv,       "pci"sv,
    "on_poweroff"sv, "on_reboot"sv, "on_watchdog"sv, "on_crash"sv,  "on_soft_reset"sv};

auto rank(const Assignment& assignment) {
  const auto* const at = std::find(first_keys.begin(), first_keys.end(), assignment.key);
  return std::tuple(at - first_keys.begin(), std::string_view(assignment.key));
}

bool append(Assignment& whole, Assignment& part, Findings& findings) {
  const bool was_list = whole.value.kind == Value::Kind::list;
  if (was_list != (part.value.kind == Value::Kind::list)) {
    findings.error(part.value.span,
                   fmt::format("'{}' is a {} so far; '+=' cannot add a {} to it", part.key,
                               was_list ? "list" : "string", was_list ? "string" : "list"));
    return false;
  }
  if (!was_list) whole.value.kind = Value::Kind::string;
  whole.value.text += part.value.text;
  std::move(part.value.items.begin(), part.value.items.end(),
            std::back_inserter(whole.value.items));
  return true;
}

std::optional<std::string> write(Format to, std::span<const Assignment> assignments,
                                 Findings& findings) {
  switch (to) {
    case Format::cfg: return write_cfg(assignments);
    case Format::yaml: return write_yaml(assignments);
    case Format::json: return write_json(assignments);
    case Format::xml: return write_xml(assignments, findings);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Assignment> settle(std::vector<Assignment> assignments, Findings& findings) {
  std::map<std::string, Assignment> settled;
  for (Assignment& assignment : assignments) {
    const auto at = settled.find(assignment.key);
    const bool append_it = assignment.append && at != settled.end();
    assignment.append = false;
    if (append_it) {
      append(at->second, assignment, findings);
    } else {
      settled.insert_or_assign(assignment.key, std::move(assignment));
    }
  }
  std::vector<Assignment> out;
  for (auto& [key, assignment] : settled) out.push_back(std::move(assignment));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return out;
}

Converted convert(const Source& source, std::optional<Format> from, Format to) {
  const std::array sources = {SourceText(source.name, source.text)};
  Findings findings(sources);
  findings.begin(Rule::syntax);
  std::vector<Assignment> assignments;
  if (admit_source(source.text.size(), sources[0], 0, findings)) {
    read_document(from.value_or(guess_format(source.name, sources[0].text())), sources[0], 0,
                  findings, assignments);
  }
  assignments = settle(std::move(assignments), findings);
  Converted converted;
  if (!findings.has_errors()) converted.text = write(to, assignments, findings);
  converted.diagnostics = std::move(findings).take();
  return converted;
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
#include "xl/format/timing.hpp"

#include <nlohmann/json.hpp>

#include "libxl++/api/wire_json.hpp"
#include "xl/format/json.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

std::uint64_t sum_of(std::span<const api::PhaseView> phases) {
  std::uint64_t sum = 0;
  for (const api::PhaseView& phase : phases) {
    sum += phase.ns;
  }
  return sum;
}

std::string line(const std::string& name, std::uint64_t ns, std::uint64_t total,
                 const std::string& note) {
  const double share = total == 0 ? 0 : 100 * static_cast<double>(ns) / static_cast<double>(total);
  std::string text =
      format("%-12s %10.3f ms  %5.1f %%", name.c_str(), static_cast<double>(ns) / 1e6, share);
  text.append(note.empty() ? "" : "  ").append(note).append("\n");
  return text;
}

}  // namespace

std::string timing_table(std::span<const api::PhaseView> phases) {
  const std::uint64_t total = sum_of(phases);
  std::string text;
  for (const api::PhaseView& phase : phases) {
    text += line(phase.phase, phase.ns, total, phase.note);
  }
  return text + line("total", total, total, {});
}

std::string timing_json(const api::CreatedView& created, std::span<const api::PhaseView> phases) {
  api::CreatedView whole = created;
  whole.phases.assign(phases.begin(), phases.end());
  nlohmann::json json = api::to_json(whole);
  json.erase("rendered_warnings");
  json["total_ns"] = sum_of(phases);
  return indented(json);
}

}  // namespace xl::cli

// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/draft.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/unhonoured.hpp"

namespace xl::config {
namespace {

// For each key, which of the assignments holds; none if the key was not assigned.
using Effective = std::array<Assignment*, key_count>;

// Gives `later`, which has +=, the value of `earlier` with its own behind. `earlier` loses it, so
// that a long chain of += costs no more than its result.
bool append_to(Assignment& earlier, Assignment& later, Findings& findings) {
  const bool was_list = earlier.value.kind == Value::Kind::list;
  const bool is_list = later.value.kind == Value::Kind::list;
  if (was_list != is_list) {
    findings.error(later.value.span,
                   fmt::format("'{}' is a {} so far; '+=' cannot add a {} to it", later.key,
                               was_list ? "list" : "string", is_list ? "list" : "string"));
    return false;
  }
  earlier.value.text += later.value.text;
  std::move(later.value.items.begin(), later.value.items.end(),
            std::back_inserter(earlier.value.items));
  later.value.text = std::move(earlier.value.text);
  later.value.items = std::move(earlier.value.items);
  return true;
}

// Whether `later` holds now instead of `earlier`. On the command line it does so without a word.
bool replace(Assignment& earlier, Assignment& later, Findings& findings) {
  if (later.append) return append_to(earlier, later, findings);
  if (earlier.key_span.source == later.key_span.source && !findings.enough_warnings()) {
    findings.warning(Rule::contradiction, later.key_span,
                     fmt::format("'{}' is set a second time: this one counts", later.key),
                     "keep one of the two");
  }
  return true;
}

void answer_unknown(const Assignment& assignment, bool strict, Findings& findings) {
  if (!strict && findings.enough_warnings()) return;
  const std::string key = printable(assignment.key);
  const std::string_view near = nearest_key(assignment.key);
  std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'?", near);
  if (strict) {
    findings.error(assignment.key_span, fmt::format("'{}' is not supported: unknown key", key),
                   std::move(hint));
  } else {
    findings.warning(assignment.key_span, fmt::format("'{}' is ignored: unknown key", key),
                     std::move(hint));
  }
}

Effective find_effective(std::vector<Assignment>& assignments, bool strict, Findings& findings) {
  Effective effective{};
  for (Assignment& assignment : assignments) {
    if (findings.full()) break;
    const std::optional<std::size_t> index = find_key(assignment.key);
    if (!index) {
      findings.begin(Rule::key);
      answer_unknown(assignment, strict, findings);
      findings.begin(Rule::value);
      continue;
    }
    Assignment*& holder = effective[*index];
    if (holder != nullptr && !replace(*holder, assignment, findings)) continue;
    holder = &assignment;
  }
  return effective;
}

void require(std::string_view key, const char* hint, const Effective& effective,
             std::uint32_t source, Findings& findings) {
  if (effective[*find_key(key)] == nullptr) {
    findings.error_in(source, fmt::format("'{}' is missing", key), hint);
  }
}

}  // namespace

Evaluated evaluate(std::vector<Assignment>& assignments, std::uint32_t main_source,
                   const ParseOptions& options, Findings& findings) {
  // Behind a syntax error a key may only seem to be missing.
  const bool complete = !findings.has_errors();
  const Effective effective = find_effective(assignments, options.strict, findings);
  Draft draft(findings);
  Unhonoured unhonoured(options.dry_run, draft);
  for (std::size_t index = 0; index < key_count; ++index) {
    if (effective[index] == nullptr) continue;
    const Key& key = keys()[index];
    if (key.fate == Key::Fate::honoured) {
      key.handler(*effective[index], draft);
    } else {
      unhonoured.answer(key, *effective[index]);
    }
  }
  finish(draft);
  findings.begin(Rule::key);
  unhonoured.finish();
  if (complete) {
    require("name", "add name=\"...\"", effective, main_source, findings);
    require("kernel", "add kernel=\"PATH\" of a kernel image", effective, main_source, findings);
  }
  return {std::move(draft.config), std::move(draft.devices)};
}

}  // namespace xl::config

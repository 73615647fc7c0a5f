// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/unhonoured.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "libxl++/config/key_reasons.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

using Fate = Key::Fate;

bool is_one_of(std::string_view word, std::string_view words) {
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    if (words.substr(0, comma) == word) return true;
    words.remove_prefix(comma + 1);
  }
  return false;
}

// Whether the value asks for no more than any domain has.
bool is_granted(const Key& key, const Value& value) {
  if (value.kind == Value::Kind::list) return value.items.empty();
  if (value.text.empty() || is_one_of(value.text, key.granted)) return true;
  const Number number = parse_number(value.text);
  const bool plain = number.fault == Number::Fault::none && !number.negative && !number.huge;
  if (!plain) return false;
  const bool boolean = key.value.kind == KeyValue::Kind::boolean;
  const std::uint64_t meant = boolean ? number.magnitude != 0 : number.magnitude;
  return is_one_of(std::to_string(meant), key.granted);
}

}  // namespace

void Unhonoured::refuse(const Key& key, const Assignment& assignment) {
  const std::string cure(key.reason->cure);
  if (key.fate == Fate::device && dry_run_) {
    draft_.findings.warning(
        Rule::unsupported, assignment.key_span,
        fmt::format("'{}' is only looked at: create refuses it, as {}", key.name, key.reason->why),
        cure);
  } else {
    draft_.findings.error(Rule::unsupported, assignment.key_span,
                          fmt::format("'{}' is not supported: {}", key.name, key.reason->why),
                          cure);
  }
}

void Unhonoured::answer(const Key& key, const Assignment& assignment) {
  if (!check_value(key.value, assignment, draft_.findings)) return;
  if (key.handler != nullptr) key.handler(assignment, draft_);
  if (key.fate == Fate::accepted) {
    accepted_.push_back({&key, &assignment});
  } else if (!is_granted(key, assignment.value)) {
    refuse(key, assignment);
  }
}

void Unhonoured::finish() {
  // Where there is a pci= these keys do have a meaning, and it is that key which is answered.
  std::erase_if(accepted_, [this](const Accepted& accepted) {
    return draft_.asks_for_pci && accepted.key->reason == &reasons::pci_devices;
  });
  const auto place = [](const Accepted& accepted) {
    const Span& span = accepted.assignment->key_span;
    return std::tuple(span.source, span.offset);
  };
  std::sort(accepted_.begin(), accepted_.end(),
            [&](const Accepted& a, const Accepted& b) { return place(a) < place(b); });
  for (auto begin = accepted_.cbegin(); begin != accepted_.cend();) {
    const std::uint32_t source = begin->assignment->key_span.source;
    const auto end = std::find_if(begin, accepted_.cend(), [&](const Accepted& accepted) {
      return accepted.assignment->key_span.source != source;
    });
    warn(begin, end);
    begin = end;
  }
}

void Unhonoured::warn(std::vector<Accepted>::const_iterator begin,
                      std::vector<Accepted>::const_iterator end) {
  std::string names;
  for (auto at = begin; at != end; ++at) {
    const char* const link = at == begin ? "" : at + 1 == end ? " and " : ", ";
    names += fmt::format("{}'{}'", link, at->key->name);
  }
  const bool one = end - begin == 1;
  const bool same = std::all_of(begin, end, [&](const Accepted& accepted) {
    return accepted.key->reason == begin->key->reason;
  });
  draft_.findings.warning(
      begin->assignment->key_span,
      fmt::format("{} {} no meaning for a PVH domain and {} ignored", names, one ? "has" : "have",
                  one ? "is" : "are"),
      same ? fmt::format("{} about {}", one ? "it is" : "they are", begin->key->reason->why)
           : "xl.cfg(5) says what each of them is about; a PVH domain runs without");
}

}  // namespace xl::config

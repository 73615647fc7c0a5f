// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/keyed_spec.hpp"

#include <fmt/format.h>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

void split_word(const Piece& word, std::vector<SpecItem>& items) {
  for (std::size_t begin = 0; begin <= word.text.size();) {
    const std::size_t end = std::min(word.text.find(',', begin), word.text.size());
    const Piece item = word.part(begin, end - begin).trimmed();
    begin = end + 1;
    if (item.text.empty()) continue;
    const std::size_t equals = item.text.find('=');
    SpecItem split{item, item.part(0, equals).trimmed(), {}};
    if (equals != std::string_view::npos) split.value = item.part(equals + 1).trimmed();
    items.push_back(split);
  }
}

}  // namespace

std::vector<SpecItem> split_items(std::span<const std::string> words, SpecFindings& findings) {
  std::vector<SpecItem> items;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Piece word = Piece::whole(words[i], static_cast<std::uint32_t>(i));
    if (check_characters(word, findings)) split_word(word, items);
  }
  return items;
}

std::optional<std::uint64_t> read_natural(const SpecItem& item, std::uint64_t least,
                                          std::uint64_t most, SpecFindings& findings) {
  const Number number = parse_number(item.value->text);
  if (number.fault != Number::Fault::none) {
    findings.error(item.value->place,
                   fmt::format("'{}' is not a number", printable(item.value->text)),
                   fmt::format("'{}' takes a number from {} to {}", item.key.text, least, most));
    return {};
  }
  const bool below = number.negative ? number.magnitude != 0 || least != 0
                                     : !number.huge && number.magnitude < least;
  if (below || number.huge || number.magnitude > most) {
    findings.error(item.value->place,
                   fmt::format("'{}' is out of range", printable(item.value->text)),
                   fmt::format("'{}' takes a number from {} to {}", item.key.text, least, most));
    return {};
  }
  return number.magnitude;
}

std::optional<bool> read_flag(const SpecItem& item, SpecFindings& findings) {
  const Number number = parse_number(item.value->text);
  if (number.fault != Number::Fault::none) {
    findings.error(item.value->place,
                   fmt::format("'{}' is not a number", printable(item.value->text)),
                   fmt::format("write {0}=1 for yes, {0}=0 for no", item.key.text));
    return {};
  }
  return number.huge || number.magnitude != 0;
}

std::optional<std::string> read_string(const SpecItem& item, SpecFindings& findings) {
  if (item.value->text.empty()) {
    findings.error(item.whole.place, fmt::format("'{}' has an empty value", item.key.text),
                   "give one, or leave the key out");
    return {};
  }
  return std::string(item.value->text);
}

void report_unknown(const SpecItem& item, std::string_view what, std::string hint,
                    SpecFindings& findings) {
  if (item.key.text.empty()) {
    findings.error(item.whole.place, fmt::format("'{}' has no key", printable(item.whole.text)),
                   "write key=value");
    return;
  }
  findings.error(item.key.place, fmt::format("{} has no key '{}'", what, printable(item.key.text)),
                 std::move(hint));
}

void report_repeated(const SpecItem& item, SpecFindings& findings) {
  findings.warning(item.whole.place,
                   fmt::format("'{}' is given a second time: this one counts", item.key.text),
                   "keep one of the two");
}

bool check_form(const SpecItem& item, bool is_flag, SpecFindings& findings) {
  if (is_flag && item.value) {
    findings.error(item.whole.place, fmt::format("'{}' takes no value", item.key.text),
                   fmt::format("write {}", item.key.text));
    return false;
  }
  if (!is_flag && !item.value) {
    findings.error(item.whole.place, fmt::format("'{}' needs a value", item.key.text),
                   fmt::format("write {}=...", item.key.text));
    return false;
  }
  return true;
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/formats/document.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/formats/spec_map.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

constexpr std::string_view digits = "0123456789";

bool takes_boolean(const KeyValue& value) {
  using Kind = KeyValue::Kind;
  return value.kind == Kind::boolean || value.kind == Kind::boolean_or_choice ||
         value.kind == Kind::boolean_or_list;
}

// true and false are 1 and 0, but only where the key takes a boolean: `vcpus: true` is no number.
std::optional<Value> value_of_boolean(std::string_view key, const Node& node, bool in_list,
                                      Findings& findings) {
  const std::optional<std::size_t> known = find_key(key);
  if (!known || (!in_list && takes_boolean(keys()[*known].value))) {
    return Value{Value::Kind::number, node.span, node.text == "true" ? "1" : "0", {}};
  }
  const KeyValue& wanted = keys()[*known].value;
  const bool number = wanted.kind == KeyValue::Kind::number;
  findings.error(node.span,
                 in_list
                     ? fmt::format("'{}' takes strings in its list, not {}", key, node.text)
                     : fmt::format("'{}' takes {}, not {}", key, describe_short(wanted), node.text),
                 number ? "" : fmt::format("put the word in quotes: \"{}\"", node.text));
  return std::nullopt;
}

std::optional<Value> value_of(std::string_view key, const Node& node, bool in_list,
                              Findings& findings) {
  switch (node.kind) {
    case Node::Kind::text: return Value{Value::Kind::string, node.span, node.text, {}};
    case Node::Kind::number: return Value{Value::Kind::number, node.span, node.text, {}};
    case Node::Kind::boolean: return value_of_boolean(key, node, in_list, findings);
    case Node::Kind::map: return value_of_map(key, node, findings);
    case Node::Kind::list: break;
    case Node::Kind::null:
      findings.error(node.span, fmt::format("'{}' has no value", key),
                     "remove it, or write \"\" for an empty string");
      return std::nullopt;
  }
  Value list{Value::Kind::list, node.span, {}, {}};
  bool fine = true;  // all that is wrong is said
  for (const Node& item : node.items) {
    std::optional<Value> value = value_of(key, item, true, findings);
    fine = fine && value;
    if (value) list.items.push_back(std::move(*value));
  }
  return fine ? std::optional(std::move(list)) : std::nullopt;
}

bool admit_key(const Member& member, std::set<std::string_view>& seen, Findings& findings) {
  const std::string key = printable(member.name);
  if (!is_key(member.name)) {
    findings.error(member.span, fmt::format("'{}' is not a key", key),
                   "a key is made of letters, digits, '_' and '.'");
    return false;
  }
  if (!seen.insert(member.name).second) {
    findings.error(member.span, fmt::format("'{}' is set twice", key), "remove one of the two");
    return false;
  }
  return true;
}

Node node_of(std::string_view key, const Value& value) {
  if (std::optional<Node> map = map_of_value(key, value)) return std::move(*map);
  switch (value.kind) {
    case Value::Kind::string: return {Node::Kind::text, value.span, value.text};
    case Value::Kind::number: return {Node::Kind::number, value.span, value.text};
    case Value::Kind::list: break;
  }
  Node list{Node::Kind::list, value.span};
  for (const Value& item : value.items) list.items.push_back(node_of(key, item));
  return list;
}

}  // namespace

void assign_document(const Node& root, Findings& findings, std::vector<Assignment>& assignments) {
  if (root.kind != Node::Kind::map) {
    findings.error(root.span, "expected a map of keys and values",
                   "write name, kernel, memory, ... with their values");
    return;
  }
  std::set<std::string_view> seen;
  for (const Member& member : root.members) {
    if (findings.full()) return;
    if (!admit_key(member, seen, findings)) continue;
    Node const* node = &member.value;
    Node sited;
    if (node->kind == Node::Kind::null) {  // it has no place of its own in YAML
      sited = {Node::Kind::null, member.span};
      node = &sited;
    }
    if (std::optional<Value> value = value_of(member.name, *node, false, findings)) {
      assignments.push_back({member.name, member.span, false, std::move(*value)});
    }
  }
}

Node document_of(std::span<const Assignment> assignments) {
  Node root{Node::Kind::map, {}};
  for (const Assignment& assignment : assignments) {
    root.members.push_back(
        {assignment.key, assignment.key_span, node_of(assignment.key, assignment.value)});
  }
  return root;
}

bool is_key(std::string_view name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  return !name.empty() && letters.find(name.front()) != std::string_view::npos &&
         name.find_first_not_of(std::string(letters) + "0123456789.") == std::string_view::npos;
}

bool reads_as_number(std::string_view text) {
  return text.find_first_of(digits) != std::string_view::npos &&
         parse_number(text).fault == Number::Fault::none;
}

bool is_plain_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.starts_with('0') && text.size() > 1;
  return !text.empty() && text.size() <= 15 && !leading_zero &&
         text.find_first_not_of(digits) == std::string_view::npos;
}

}  // namespace xl::config

// SPDX-License-Identifier: Apache-2.0
// Node: what YAML and JSON have in common, a tree of values with their places, and its two ways to
// and from assignments. Plain values.
//
// A key's value is an atom or a list, as in xl.cfg. true and false are 1 and 0 of a key that takes
// booleans. Where xl.cfg has a string with a grammar of its own ("mac=...,bridge=..."), a map of
// the same names may stand for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

// The whole of a document, aliases expanded.
inline constexpr std::size_t max_document_nodes = 32768;

struct Member;

struct Node {
  enum class Kind : std::uint8_t { text, number, boolean, null, list, map };
  Kind kind = Kind::null;
  Span span;
  std::string text = {};        // of an atom, as written; "true" or "false" of a boolean
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in the order of the text, names perhaps twice
};

struct Member {
  std::string name;
  Span span;  // of the name
  Node value;
};

// The document's assignments; what is wrong goes to the findings.
void assign_document(const Node& root, Findings& findings, std::vector<Assignment>& assignments);

// The inverse: a map of the keys in this order. Spec strings become maps where the map says exactly
// the same.
Node document_of(std::span<const Assignment> assignments);

// A name as the grammar of xl.cfg(5) takes it.
bool is_key(std::string_view name);
// Whether a bare word of this text is a number, to xl.cfg's keys as well as to YAML.
bool reads_as_number(std::string_view text);
// -?(0|[1-9][0-9]*) of at most 15 digits: what every format writes in the same way.
bool is_plain_integer(std::string_view text);

}  // namespace xl::config

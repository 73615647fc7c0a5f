// SPDX-License-Identifier: Apache-2.0
// XML text to a tree with places, by libxml2, which is not used outside xml_tree.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/findings.hpp"

namespace xl::config {

inline constexpr std::size_t max_xml_elements = 32768;

struct XmlAttribute {
  std::string name;  // without prefix; those with a namespace are left out
  std::string value;
  Span span;  // of the value, with its quotes
};

struct XmlElement {
  std::string name;  // without prefix
  std::string namespace_uri;
  Span span;              // of its name in the opening tag
  Span text_span;         // of what stands first between its tags, up to the line's end
  std::string text = {};  // all that is directly in it
  std::vector<XmlAttribute> attributes = {};
  std::vector<XmlElement> children = {};

  // The first of that name without a namespace; null if there is none.
  const XmlElement* child(std::string_view wanted) const;
  const XmlAttribute* attribute(std::string_view wanted) const;
};

// The root element. None, with a finding, if the text is not well-formed, too deep or too large, or
// has a document type: nothing in it is ever expanded or fetched.
std::optional<XmlElement> read_xml_tree(const SourceText& text, std::uint32_t source,
                                        Findings& findings);

}  // namespace xl::config

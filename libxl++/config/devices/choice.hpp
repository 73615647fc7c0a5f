// SPDX-License-Identifier: Apache-2.0
// Words that stand for values of an enum: exact, with a hint for those that are none.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/suggest.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

inline constexpr std::size_t names_in_hint = 16;

// "did you mean 'x'?", or the names that there are.
template <typename Names, typename NameOf>
std::string name_hint(std::string_view word, const Names& names, NameOf name_of) {
  if (const std::string_view near = nearest(word, names, name_of); !near.empty()) {
    return fmt::format("did you mean '{}'?", near);
  }
  std::string list;
  std::size_t left = names_in_hint;
  for (const auto& entry : names) {
    if (left-- == 0) {
      list += ", ...";
      break;
    }
    list.append(list.empty() ? "" : ", ").append(name_of(entry));
  }
  return "there are: " + list;
}

// None, with an error, if it is none of them; `what` says what it was to be ("a format").
template <typename Choices>
auto read_choice(const Piece& word, std::string_view what, const Choices& choices,
                 SpecFindings& findings) -> std::optional<decltype(std::begin(choices)->value)> {
  for (const auto& choice : choices) {
    if (choice.name == word.text) return choice.value;
  }
  findings.error(word.place, fmt::format("'{}' is not {}", printable(word.text), what),
                 name_hint(word.text, choices, [](const auto& choice) { return choice.name; }));
  return {};
}

template <typename Choices, typename Value>
std::string_view name_of(const Choices& choices, Value value) {
  for (const auto& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return {};
}

}  // namespace xl::config

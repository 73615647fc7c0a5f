// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of some names.
#pragma once

#include <cstddef>
#include <string_view>

namespace xl {

// Edits (insert, delete, replace, swap neighbours) that turn one into the other, case aside; gives
// up at `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// How far a name of this length may be away and still be what was meant.
constexpr std::size_t suggestion_limit(std::size_t length) {
  return length < 4 ? 1 : length < 8 ? 2 : 3;
}

// The name nearest to `word` among `names`, each seen through `name_of`; empty if none is near.
template <typename Names, typename NameOf>
std::string_view nearest(std::string_view word, const Names& names, NameOf name_of) {
  std::string_view best;
  std::size_t best_distance = suggestion_limit(word.size()) + 1;
  for (const auto& entry : names) {
    const std::string_view name = name_of(entry);
    const std::size_t distance = edit_distance(word, name, best_distance - 1);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
    if (best_distance == 0) break;
  }
  return best;
}

}  // namespace xl

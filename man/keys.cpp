// SPDX-License-Identifier: Apache-2.0
// Writes xl.cfg(5): its template with the table of all keys in the place of the line @KEYS@. The
// table is the parser's own, so that the page cannot say anything else. Called by the build:
// keys TEMPLATE > PAGE.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "libxl++/config/keys.hpp"

namespace {

using xl::config::Key;

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\e"; break;
      case '"': out += "\\(dq"; break;
      case '\'': out += "\\(aq"; break;
      case '-': out += "\\-"; break;
      case '`': out += "\\(ga"; break;
      default: out += c;
    }
  }
  return out;
}

// "A", "A and B", "A, B and C" of a list that has a comma behind each.
std::string granted_values(std::string_view list) {
  std::string out;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const bool last = comma + 1 == list.size();
    out += out.empty() ? "" : last ? " and " : ", ";
    out += list.substr(0, comma);
    list.remove_prefix(comma + 1);
  }
  return out;
}

std::string answer(const Key& key) {
  switch (key.fate) {
    case Key::Fate::honoured: return "Honoured; see above.";
    case Key::Fate::accepted: return fmt::format("No meaning: it is about {}.", key.reason->why);
    case Key::Fate::device:
      return fmt::format("Read in full, and refused by create: {}. To do: {}.", key.reason->why,
                         key.reason->cure);
    case Key::Fate::refused: break;
  }
  const std::string granted = granted_values(key.granted);
  return fmt::format("Refused: {}. To do: {}.{}", key.reason->why, key.reason->cure,
                     granted.empty() ? "" : fmt::format(" Taken: {}.", granted));
}

void print_rows() {
  std::cout << ".Bl -tag -width Ds -compact\n";
  for (const Key& key : xl::config::keys()) {
    std::cout << ".It Ic " << key.name << " Pq " << roff(describe(key.value)) << '\n'
              << roff(answer(key)) << '\n';
  }
  std::cout << ".El\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream page(argc == 2 ? argv[1] : "");
  bool found = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "@KEYS@") {
      found = true;
      print_rows();
    } else {
      std::cout << line << '\n';
    }
  }
  if (!found || !std::cout.flush()) {
    std::fputs("keys: no template with a line @KEYS@, or no room for the page\n", stderr);
    return 1;
  }
  return 0;
}

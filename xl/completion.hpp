// SPDX-License-Identifier: Apache-2.0
// What may come next on a command line, from the table of commands: all that the shells' scripts
// ask, so that there is nothing in them that can go stale. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "xl/command.hpp"

namespace xl::cli {

struct Candidate {
  std::string word;
  std::string description;  // or empty
};

struct Completion {
  std::vector<Candidate> candidates;  // those that begin as the last word does
  bool domains = false;               // names of domains as well
  bool files = false;                 // files as well, which the shell knows best
};

// `words` stand behind `xl`; the last one is being typed and may be empty.
Completion complete(std::span<const std::string> words);

// An option as a line of Command::options has it: "-t N, --timeout=N   Text".
struct OptionLine {
  std::vector<std::string> names;  // a long one that takes a value ends in '='
  std::string value;               // "N", or empty
  std::string description;
};
std::vector<OptionLine> option_lines(std::string_view options);

}  // namespace xl::cli

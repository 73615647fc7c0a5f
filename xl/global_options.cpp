// SPDX-License-Identifier: Apache-2.0
#include "xl/global_options.hpp"

#include <string_view>

namespace xl::cli {
namespace {

bool take(char letter, GlobalOptions& options) {
  Arguments& arguments = options.arguments;
  switch (letter) {
    case 'v': ++arguments.verbosity; return true;
    case 'N': return arguments.dry_run = true;
    case 'f': return arguments.force = true;
    case 't': return arguments.carriage_return = true;
    case 'T': return arguments.stamps = true;
    case 'h': return options.help = true;
    default: return false;
  }
}

}  // namespace

Outcome<GlobalOptions> parse_global_options(std::span<char* const> words) {
  GlobalOptions options;
  for (const char* const text : words) {
    const std::string_view word = text;
    if (!word.starts_with('-')) {
      break;
    }
    ++options.words;
    if (word == "--help") {
      options.help = true;
      continue;
    }
    if (word == "--") {
      break;
    }
    for (const char letter : word.substr(1)) {
      if (!take(letter, options)) {
        return wrong_usage(
            "there is no global option '" +
            (word.starts_with("--") ? std::string(word) : std::string("-") + letter) +
            "'; there are -v -N -f -t -T");
      }
    }
    if (word.size() == 1) {
      return wrong_usage("'-' is not a command; see `xl help`");
    }
  }
  return options;
}

}  // namespace xl::cli

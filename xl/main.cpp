// SPDX-License-Identifier: Apache-2.0
// xl: finds the subcommand, runs it, prints its one error, gives its exit status.
#include <exception>
#include <string>

#include "xl/command.hpp"
#include "xl/output.hpp"

namespace {

using namespace xl::cli;  // NOLINT: this is the program's top

Outcome<void> run(int count, char** words) {
  Arguments arguments;
  int at = 1;
  for (; at < count && words[at][0] == '-'; ++at) {
    const std::string_view word = words[at];
    if (word == "-h" || word == "--help") {
      return run_help(arguments);
    }
    if (word.find_first_not_of('v', 1) != word.npos || word.size() == 1) {
      return wrong_usage("there is no global option '" + std::string(word) + "'");
    }
    arguments.verbosity += static_cast<int>(word.size()) - 1;
  }
  if (at == count) {
    return wrong_usage("no command was given; see `xl help`");
  }
  XL_TRY_ASSIGN(const Command* command, find_command(words[at]));
  arguments.words.assign(words + at + 1, words + count);
  for (const std::string& word : arguments.words) {
    if (word == "--") {
      break;
    }
    if (word == "-h" || word == "--help") {
      arguments.words = {std::string(command->name)};
      return run_help(arguments);
    }
  }
  Outcome<void> outcome = command->run(arguments);
  if (!outcome && outcome.error().exit == Exit::usage) {
    outcome.error().text = std::string(command->name) + ": " + outcome.error().text +
                           "; see `xl help " + std::string(command->name) + "`";
  }
  return outcome;
}

int finish(const Outcome<void>& outcome) {
  if (!outcome) {
    const Failure& failure = outcome.error();
    flush_output();
    print_note(failure.complete ? failure.text : "xl: error: " + failure.text + "\n");
    return static_cast<int>(failure.exit);
  }
  if (!flush_output()) {
    print_note("xl: error: not everything could be written to standard output\n");
    return static_cast<int>(Exit::failure);
  }
  return static_cast<int>(Exit::success);
}

}  // namespace

int main(int count, char** words) {
  try {
    return finish(run(count, words));
  } catch (const std::exception& bug) {
    print_note(std::string("xl: error: ") + bug.what() + "\n");
    return static_cast<int>(Exit::failure);
  }
}

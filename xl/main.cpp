// SPDX-License-Identifier: Apache-2.0
// xl: finds the subcommand, runs it, prints its one error, gives its exit status.
#include <exception>
#include <span>
#include <string>

#include "xl/command.hpp"
#include "xl/global_options.hpp"
#include "xl/message.hpp"
#include "xl/output.hpp"

namespace {

using namespace xl::cli;  // NOLINT: this is the program's top

bool asks_for_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") {
      return false;
    }
    if (word == "-h" || word == "--help") {
      return true;
    }
  }
  return false;
}

Outcome<void> run_command(const Command& command, const Arguments& arguments) {
  if (command.run == nullptr) {
    return xl::Unexpected(Failure(Exit::failure, xl::ErrorId::command_refused,
                                  std::string(command.name) + ": " + std::string(command.summary)));
  }
  if (arguments.dry_run && command.effect != Effect::dry_runs) {
    return wrong_usage("it takes no -N: there is nothing that it could show without doing it");
  }
  return command.run(arguments);
}

Outcome<void> run(std::span<char* const> words, bool& verbose) {
  XL_TRY_ASSIGN(GlobalOptions options, parse_global_options(words));
  set_message_style(style_for(options.arguments));
  verbose = options.arguments.verbosity > 0;
  words = words.subspan(options.words);
  if (options.help) {
    return run_help({});
  }
  if (words.empty()) {
    return wrong_usage("no command was given; see `xl help`");
  }
  XL_TRY_ASSIGN(const Command* command, find_command(words[0]));
  Arguments& arguments = options.arguments;
  arguments.command = command->name;
  arguments.words.assign(words.begin() + 1, words.end());
  if (asks_for_help(arguments.words)) {
    arguments.words = {std::string(command->name)};
    return run_help(arguments);
  }
  Outcome<void> outcome = run_command(*command, arguments);
  if (!outcome && outcome.error().exit == Exit::usage) {
    std::string& text = outcome.error().text;
    const bool has_hint = text.find("; see `") != text.npos;
    text.insert(0, std::string(command->name) + ": ");
    text += has_hint ? std::string() : "; see `xl help " + std::string(command->name) + "`";
  }
  return outcome;
}

// People look an error up by its name (`xl explain`); programs get it from the API, and for their
// sake the line stays as it is where nobody looks.
std::string named(const Failure& failure, bool verbose) {
  const bool shown = verbose || message_style().terminal;
  return failure.id && shown ? failure.text + " [" + std::string(xl::to_string(*failure.id)) + "]"
                             : failure.text;
}

// The same behind findings, which have a form of their own.
std::string more_about(const Failure& failure, bool verbose) {
  const bool shown = failure.id && (verbose || message_style().terminal);
  return shown ? "xl: note: `xl explain " + std::string(xl::to_string(*failure.id)) +
                     "` says more about such errors\n"
               : std::string();
}

int finish(const Outcome<void>& outcome, bool verbose) {
  if (!outcome) {
    const Failure& failure = outcome.error();
    flush_output();
    if (failure.complete) {
      print_findings(failure.text + more_about(failure, verbose));
    } else {
      print_error(named(failure, verbose));
    }
    return static_cast<int>(failure.exit);
  }
  if (!flush_output()) {
    return finish(xl::Unexpected(Failure(Exit::failure, xl::ErrorId::output_lost,
                                         "not everything could be written to standard output")),
                  verbose);
  }
  return static_cast<int>(Exit::success);
}

}  // namespace

int main(int count, char** words) {
  try {
    set_message_style(style_for({}));  // for what is wrong with the options
    bool verbose = false;
    const Outcome<void> outcome =
        run(std::span<char* const>(words, static_cast<std::size_t>(count)).subspan(1), verbose);
    return finish(outcome, verbose);
  } catch (const std::exception& bug) {
    print_error(bug.what());
    return static_cast<int>(Exit::failure);
  }
}

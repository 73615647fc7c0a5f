// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

std::string indent(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    text.append(" ").append(lines.substr(0, end)).append("\n");
    lines.remove_prefix(end + 1);
  }
  return text;
}

std::string overview() {
  std::string text = "Usage: xl [-v] <command> [arguments]\n\nCommands:\n\n";
  for (const Command& command : commands()) {
    text += format(" %-12s %s\n", command.name.data(), command.summary.data());
  }
  return text +
         "\nA command's name may be shortened as long as it stays unambiguous.\n"
         "`xl help <command>` tells more, xl(1) everything.\n";
}

}  // namespace

Outcome<void> run_help(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 1));
  if (options.words().empty()) {
    print(overview());
    return {};
  }
  XL_TRY_ASSIGN(const Command* command, find_command(options.words()[0]));
  std::string text = "Usage: xl [-v] " + std::string(command->name);
  text.append(command->parameters.empty() ? "" : " ").append(command->parameters);
  text.append("\n\n").append(command->summary).append(".\n");
  if (!command->options.empty()) {
    text.append("\nOptions:\n\n").append(indent(command->options));
  }
  print(text);
  return {};
}

}  // namespace xl::cli

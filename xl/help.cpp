// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/groups.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr std::size_t name_width = 19;

std::string indent(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    text.append(" ").append(lines.substr(0, end)).append("\n");
    lines.remove_prefix(end + 1);
  }
  return text;
}

constexpr std::string_view heading =
    "Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n";

// In the form of stock xl: scripts take the names out of it.
std::string row(const Command& command) {
  std::string text = format(" %-19s ", command.name.data());
  text += command.name.size() > name_width ? format("\n %-19s ", "") : std::string();
  text.append(command.run == nullptr ? "refused: " : "").append(command.summary);
  return text + "\n";
}

std::string overview() {
  std::string text(heading);
  for (const Command& command : commands()) {
    text += row(command);
  }
  return text +
         "\n`xl help <subcommand>` tells more, xl(1) everything; `xl help --long` lists also "
         "what\ndoes not work here, and why.\n";
}

std::string long_overview() {
  std::string text(heading);
  for (const CommandGroup& group : command_groups()) {
    text.append(&group == command_groups().data() ? "" : "\n").append(group.title).append(":\n\n");
    for (const std::string_view name : group.names) {
      if (const Outcome<const Command*> command = find_command(name)) {
        text += row(**command);
      }
    }
  }
  return text;
}

std::string help_on(const Command& command) {
  std::string text = "Usage: xl [-v";
  text.append(command.effect == Effect::none ? "" : "f");
  text.append(command.effect == Effect::dry_runs ? "N" : "").append("] ").append(command.name);
  text.append(command.parameters.empty() ? "" : " ").append(command.parameters);
  text.append(command.run == nullptr ? "\n\nRefused: " : "\n\n");
  text.append(command.summary).append(".\n");
  if (!command.options.empty()) {
    text.append("\nOptions:\n\n").append(indent(command.options));
  }
  return text;
}

}  // namespace

Outcome<void> run_help(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"long", 'l'}}));
  XL_TRY(options.need_words(0, 1));
  if (options.words().empty()) {
    print(options.has('l') ? long_overview() : overview());
    return {};
  }
  XL_TRY_ASSIGN(const Command* command, find_command(options.words()[0]));
  print(help_on(*command));
  return {};
}

}  // namespace xl::cli

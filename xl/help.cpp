// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
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

// In the form of stock xl: scripts take the names out of it.
std::string rows(std::span<const Command> commands) {
  std::string text;
  for (const Command& command : commands) {
    text += format(" %-19s ", command.name.data());
    text += command.name.size() > name_width ? format("\n %-19s ", "") : std::string();
    text.append(command.summary).append("\n");
  }
  return text;
}

std::string overview(bool everything) {
  std::string text = "Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n" +
                     rows(commands());
  if (everything) {
    text += "\nThese of xl(1) do not work here:\n\n" + rows(refused_commands());
  } else {
    text +=
        "\n`xl help <subcommand>` tells more, xl(1) everything; `xl help --long` lists also "
        "what\ndoes not work here, and why.\n";
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
    print(overview(options.has('l')));
    return {};
  }
  XL_TRY_ASSIGN(const Command* command, find_command(options.words()[0]));
  print(help_on(*command));
  return {};
}

}  // namespace xl::cli

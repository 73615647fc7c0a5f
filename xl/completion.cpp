// SPDX-License-Identifier: Apache-2.0
#include "xl/completion.hpp"

#include <algorithm>

namespace xl::cli {
namespace {

void offer(Completion& completion, std::string_view typed, std::string_view word,
           std::string_view description = {}) {
  if (word.starts_with(typed)) {
    completion.candidates.push_back({std::string(word), std::string(description)});
  }
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) {
      parts.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_placeholder(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char letter) { return letter >= 'A' && letter <= 'Z'; });
}

// What a parameter or an option's value is called says what it is.
void offer_kind(Completion& completion, std::string_view typed, std::string_view name) {
  if (name.starts_with("Domain") || name == "DOMAIN") {
    completion.domains = true;
  } else if (name == "ConfigFile" || name == "File" || name == "FILE" || name == "Kernel") {
    completion.files = true;
  } else if (name == "Subcommand") {
    for (const std::span<const Command> table : {commands(), refused_commands()}) {
      for (const Command& command : table) {
        offer(completion, typed, command.name, command.summary);
      }
    }
  } else if (name == "FORMAT") {
    for (const std::string_view format : {"cfg", "yaml", "json", "xml"}) {
      offer(completion, typed, format);
    }
  } else if (name.find('|') != name.npos) {
    for (const std::string_view choice : split(name, "|")) {
      offer(completion, typed, choice);
    }
  }
}

// "[options] <Domain> <nmi|reset> [Vcpu ...]" as Domain, nmi|reset, Vcpu, ...: without options.
std::vector<std::string_view> parameters_of(std::string_view text) {
  std::vector<std::string_view> found;
  bool value_of_option = false;
  for (std::string_view word : split(text, "[] ")) {
    if (word.starts_with("-a|")) {
      word.remove_prefix(3);  // -a stands for a domain
    }
    if (word.starts_with('-')) {
      value_of_option = word.size() == 2 && word != "-f";
      continue;
    }
    if (word.starts_with('<') && word.ends_with('>')) {
      word = word.substr(1, word.size() - 2);
    }
    if (!value_of_option && word != "options" && word != "|") {
      found.push_back(word);
    }
    value_of_option = false;
  }
  return found;
}

const OptionLine* option_named(const std::vector<OptionLine>& options, std::string_view name) {
  for (const OptionLine& option : options) {
    for (const std::string& each : option.names) {
      if (each == name || (each.ends_with('=') && each.substr(0, each.size() - 1) == name)) {
        return &option;
      }
    }
  }
  return nullptr;
}

void offer_options(Completion& completion, std::string_view typed,
                   const std::vector<OptionLine>& options) {
  for (const OptionLine& option : options) {
    for (const std::string& name : option.names) {
      if (!option.description.starts_with("Refused")) {
        offer(completion, typed, name, option.description);
      }
    }
  }
  offer(completion, typed, "--help", "Show what is known of this command");
}

// What may stand behind "--to=".
void offer_joined_value(Completion& completion, std::string_view typed,
                        const std::vector<OptionLine>& options) {
  const std::size_t end = typed.find('=');
  const OptionLine* const option =
      end == typed.npos ? nullptr : option_named(options, typed.substr(0, end));
  if (option == nullptr) {
    return;
  }
  Completion values;
  offer_kind(values, typed.substr(end + 1), option->value);
  for (const Candidate& value : values.candidates) {
    completion.candidates.push_back({std::string(typed.substr(0, end + 1)) + value.word, {}});
  }
}

// Of one command; `words` stand behind its name.
Completion complete_command(const Command& command, std::span<const std::string> words) {
  Completion completion;
  const std::string& typed = words.back();
  const std::vector<OptionLine> options = option_lines(command.options);
  std::size_t position = 0;
  const OptionLine* pending = nullptr;  // takes the next word as its value
  bool only_words = false;
  for (const std::string& word : words.first(words.size() - 1)) {
    if (pending != nullptr) {
      pending = nullptr;
    } else if (only_words || !word.starts_with('-')) {
      ++position;
    } else if (word == "--") {
      only_words = true;
    } else {
      pending = option_named(options, word);
      pending = pending != nullptr && !pending->value.empty() ? pending : nullptr;
    }
  }
  if (pending != nullptr) {
    offer_kind(completion, typed, pending->value);
    return completion;
  }
  if (!only_words && typed.starts_with('-')) {
    offer_joined_value(completion, typed, options);
    if (completion.candidates.empty()) {
      offer_options(completion, typed, options);
    }
    return completion;
  }
  const std::vector<std::string_view> parameters = parameters_of(command.parameters);
  if (!parameters.empty() && parameters.back() == "...") {
    position = std::min(position, parameters.size() - 2);  // the last one again and again
  }
  if (position < parameters.size()) {
    offer_kind(completion, typed, parameters[position]);
  }
  return completion;
}

}  // namespace

std::vector<OptionLine> option_lines(std::string_view options) {
  std::vector<OptionLine> lines;
  for (const std::string_view line : split(options, "\n")) {
    if (!line.starts_with('-')) {
      continue;  // the text goes on
    }
    OptionLine option;
    const std::size_t gap = line.find("  ");
    const std::string_view names = line.substr(0, gap);
    if (gap != line.npos) {
      option.description = line.substr(line.find_first_not_of(' ', gap));
    }
    for (std::string_view name : split(names, ",")) {
      name.remove_prefix(name.find_first_not_of(' '));
      name = name.substr(0, name.find('['));
      // Behind the last ' ' or '=' stands a value if it is in capitals: "-t N", "--timeout=N".
      const std::size_t end = name.find_last_of(" =");
      if (end != name.npos && is_placeholder(name.substr(end + 1))) {
        option.value = name.substr(end + 1);
        name = name.substr(0, end + (name[end] == '=' ? 1 : 0));
      }
      option.names.emplace_back(name);
    }
    lines.push_back(std::move(option));
  }
  return lines;
}

Completion complete(std::span<const std::string> words) {
  Completion completion;
  while (words.size() > 1 && words.front().starts_with('-')) {
    words = words.subspan(1);
  }
  if (words.empty()) {
    return completion;
  }
  if (words.size() > 1) {
    const Outcome<const Command*> command = find_command(words.front());
    return command ? complete_command(**command, words.subspan(1)) : completion;
  }
  const std::string& typed = words.front();
  if (!typed.starts_with('-')) {
    for (const Command& command : commands()) {
      offer(completion, typed, command.name, command.summary);
    }
    return completion;
  }
  offer(completion, typed, "-v", "Say more");
  offer(completion, typed, "-N", "Show what would be done, change nothing");
  offer(completion, typed, "-f", "Force");
  offer(completion, typed, "-t", "Progress by carriage returns alone");
  offer(completion, typed, "-T", "Time and pid before each message");
  return completion;
}

}  // namespace xl::cli

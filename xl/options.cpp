// SPDX-License-Identifier: Apache-2.0
#include "xl/options.hpp"

#include <getopt.h>

#include <algorithm>

#include "base/suggest.hpp"

namespace xl::cli {
namespace {

// " (did you mean '--timeout'?)", or nothing.
std::string suggestion(std::string_view word, std::initializer_list<LongOption> longs) {
  if (!word.starts_with("--")) {
    return {};
  }
  word = word.substr(2, word.find('=') - 2);
  const std::string_view near =
      nearest(word, longs, [](const LongOption& option) { return std::string_view(option.name); });
  return near.empty() ? std::string() : " (did you mean '--" + std::string(near) + "'?)";
}

Unexpected<Failure> refused(int problem, const std::string& word,
                            std::initializer_list<LongOption> longs) {
  const bool is_long = word.starts_with("--");
  const std::string name = ::optopt != 0 && !is_long ? std::string("-") + char(::optopt) : word;
  if (problem == ':') {
    return wrong_usage("option '" + name + "' needs a value");
  }
  if (::optopt != 0 && is_long) {  // getopt_long names a known one that was given a value
    return wrong_usage("option '" + name.substr(0, name.find('=')) + "' takes no value");
  }
  return wrong_usage("there is no option '" + name + "'" + suggestion(word, longs));
}

// "`xl pause <Domain>`"
std::string usage_of(std::string_view name) {
  const Outcome<const Command*> command = find_command(name);
  std::string text = "`xl " + std::string(name);
  if (command && !(*command)->parameters.empty()) {
    text.append(" ").append((*command)->parameters);
  }
  return text + "`";
}

}  // namespace

Outcome<Options> Options::parse(const Arguments& arguments, const char* letters,
                                std::initializer_list<LongOption> longs) {
  std::vector<std::string> copy = arguments.words;
  std::vector<char*> vector = {const_cast<char*>("xl")};
  for (std::string& word : copy) {
    vector.push_back(word.data());
  }
  vector.push_back(nullptr);
  std::vector<option> table;
  for (const LongOption& option : longs) {
    table.push_back({option.name, option.value ? required_argument : no_argument, nullptr,
                     static_cast<unsigned char>(option.letter)});
  }
  table.push_back({});

  Options options;
  options.command_ = arguments.command;
  const std::string quiet = std::string(":") + letters;
  const int count = static_cast<int>(vector.size()) - 1;
  ::optind = 0;  // a new scan
  while (true) {
    const int at = std::max(::optind, 1);
    const int letter = ::getopt_long(count, vector.data(), quiet.c_str(), table.data(), nullptr);
    if (letter == -1) {
      break;
    }
    if (letter == '?' || letter == ':') {
      return refused(letter, vector[static_cast<std::size_t>(std::max(at, ::optind - 1))], longs);
    }
    options.given_.push_back(
        {static_cast<char>(letter), ::optarg == nullptr ? std::string() : ::optarg});
  }
  for (int index = ::optind; index < count; ++index) {
    options.words_.emplace_back(vector[static_cast<std::size_t>(index)]);
  }
  return options;
}

bool Options::has(char letter) const {
  return value(letter) != nullptr;
}

std::size_t Options::count(char letter) const {
  return static_cast<std::size_t>(
      std::count_if(given_.begin(), given_.end(),
                    [letter](const Given& given) { return given.letter == letter; }));
}

const char* Options::value(char letter) const {
  const auto found = std::find_if(given_.rbegin(), given_.rend(),
                                  [letter](const Given& given) { return given.letter == letter; });
  return found == given_.rend() ? nullptr : found->value.c_str();
}

Outcome<void> Options::need_words(std::size_t least, std::size_t most) const {
  if (words_.size() > most) {
    return wrong_usage("'" + words_[most] + "' is one argument too many");
  }
  if (words_.size() < least) {
    return wrong_usage(std::string(least == words_.size() + 1 ? "an argument is missing: "
                                                              : "arguments are missing: ") +
                       usage_of(command_));
  }
  return {};
}

Outcome<void> Options::refuse(char letter, std::string_view reason) const {
  if (!has(letter)) {
    return {};
  }
  return Unexpected(Failure(Exit::failure, ErrorId::command_refused,
                            std::string(command_) + ": " + std::string(reason)));
}

}  // namespace xl::cli

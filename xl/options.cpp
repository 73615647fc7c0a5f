// SPDX-License-Identifier: Apache-2.0
#include "xl/options.hpp"

#include <getopt.h>

#include <algorithm>

namespace xl::cli {
namespace {

Unexpected<Failure> refused(int problem, const std::string& word) {
  const std::string name =
      ::optopt != 0 && word.compare(0, 2, "--") != 0 ? std::string("-") + char(::optopt) : word;
  return wrong_usage(problem == ':' ? "option '" + name + "' needs a value"
                                    : "there is no option '" + name + "'");
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
      return refused(letter, vector[static_cast<std::size_t>(std::max(at, ::optind - 1))]);
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
    return wrong_usage(least == 1 && words_.empty() ? "an argument is missing"
                                                    : "arguments are missing");
  }
  return {};
}

}  // namespace xl::cli

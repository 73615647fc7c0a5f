// SPDX-License-Identifier: Apache-2.0
// A subcommand's options, by getopt_long: single letters may be joined, options and words may stand
// in any order, -- ends the options.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "xl/command.hpp"

namespace xl::cli {

struct LongOption {
  const char* name;
  char letter;         // what it stands for
  bool value = false;  // takes one
};

class Options {
 public:
  // `letters` as getopt's. Error: usage.
  static Outcome<Options> parse(const Arguments& arguments, const char* letters,
                                std::initializer_list<LongOption> longs = {});

  bool has(char letter) const;
  std::size_t count(char letter) const;
  const char* value(char letter) const;  // null if it was not given; else valid while this is
  const std::vector<std::string>& words() const { return words_; }
  // Error usage, showing the parameters, unless the number of words is right.
  Outcome<void> need_words(std::size_t least, std::size_t most) const;
  // Error command_refused, with the reason, if one of stock xl's options was given that asks for
  // what is not there.
  Outcome<void> refuse(char letter, std::string_view reason) const;

 private:
  struct Given {
    char letter;
    std::string value;
  };
  std::string_view command_;
  std::vector<Given> given_;
  std::vector<std::string> words_;
};

}  // namespace xl::cli

// SPDX-License-Identifier: Apache-2.0
// Exact texts of errors: each is brought about by a test, and shown as xl shows it, with its name
// in brackets. golden/NAME.txt has them all; with XL_UPDATE_GOLDEN set it is written anew: read the
// diff. every_error_test.py holds that no error is without.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace xl::errors {

class Goldens {
 public:
  explicit Goldens(std::string_view name)
      : path_(std::string(XL_SOURCE_DIR) + "/tests/errors/golden/" + std::string(name) + ".txt") {}
  Goldens(const Goldens&) = delete;
  Goldens& operator=(const Goldens&) = delete;
  ~Goldens() {
    if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(path_) << text_;
    }
    std::ostringstream golden;
    golden << std::ifstream(path_).rdbuf();
    EXPECT_EQ(golden.str(), text_) << path_;
  }

  // What is another in each run is shown as `shown`.
  void hide(std::string what, std::string shown) {
    hidden_.emplace_back(std::move(what), std::move(shown));
  }
  void add(std::string_view when, const Error& error) { add(when, describe(error), id_of(error)); }
  // A text that is shown without its name.
  void add(std::string_view when, const std::string& text, ErrorId id) {
    std::string line = text + " [" + std::string(to_string(id)) + "]\n";
    for (const auto& [what, shown] : hidden_) {
      for (std::size_t at = line.find(what); at != line.npos; at = line.find(what, at)) {
        line.replace(at, what.size(), shown);
        at += shown.size();
      }
    }
    text_.append("# ").append(when).append("\n").append(line);
  }
  template <typename T>
  void add(std::string_view when, const Result<T>& result) {
    EXPECT_FALSE(result) << when;
    if (!result) {
      add(when, result.error());
    }
  }

 private:
  std::string path_;
  std::string text_;
  std::vector<std::pair<std::string, std::string>> hidden_;
};

}  // namespace xl::errors

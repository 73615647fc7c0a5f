// SPDX-License-Identifier: Apache-2.0
// Screen: the whole terminal while it lives, by ncurses; set back when it goes, and signals that
// would end the program become an answer instead, so that it goes in good order. One at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xl/command.hpp"
#include "xl/format/top.hpp"

namespace xl::cli {

class Screen {
 public:
  // Error: not a terminal, or one that ncurses does not know.
  static Outcome<Screen> open();
  Screen(Screen&& other) noexcept : is_open_(std::exchange(other.is_open_, false)) {}
  Screen& operator=(Screen&&) = delete;
  ~Screen();

  struct Frame {
    std::vector<std::string> head;
    std::vector<TopLine> table;
    std::string prompt;  // instead of the keys, unless empty
    std::vector<std::pair<std::string, bool>>
        keys;  // first letter is the key; shown as switched on
  };
  void draw(const Frame& frame);
  void repaint();  // all of it, at the next draw
  int rows() const;

  enum Special { none = -1, up = 0x1000, down, backspace, resized, quit };
  // A character, or one of Special; none when the time is over.
  int key(std::chrono::milliseconds wait);

 private:
  Screen() = default;
  bool is_open_ = true;
};

}  // namespace xl::cli

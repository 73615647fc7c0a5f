// SPDX-License-Identifier: Apache-2.0
// RawTerminal: standard input in raw mode while it lives, if it is a terminal; set back when it
// goes, and also when a signal ends the program. One at a time.
#pragma once

#include <termios.h>

namespace xl::cli {

class RawTerminal {
 public:
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();
  // After a message on standard error, which ends its line without a carriage return.
  void begin_line() const;
};

}  // namespace xl::cli

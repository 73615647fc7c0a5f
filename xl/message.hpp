// SPDX-License-Identifier: Apache-2.0
// Messages to standard error: errors, warnings, findings in a config. How they look is set once, by
// main, before the first of them and before any thread.
#pragma once

#include <string>
#include <string_view>

#include "xl/command.hpp"

namespace xl::cli {

struct MessageStyle {
  bool colours = false;
  bool terminal = false;         // standard error is one, so that progress may be shown
  bool carriage_return = false;  // -t: progress without terminal codes
  std::string stamp;             // what stands before each message, or empty
};

// As the options ask, the terminal can, and NO_COLOR allows.
MessageStyle style_for(const Arguments& arguments);
void set_message_style(MessageStyle style);
const MessageStyle& message_style();

void print_error(std::string_view text);         // "xl: error: TEXT"
void print_warning(std::string_view text);       // "xl: warning: TEXT"
void print_findings(std::string_view rendered);  // as xld rendered them: lines and carets

// Lines with the colours and stamps of a style.
std::string dressed(std::string_view lines, const MessageStyle& style);

}  // namespace xl::cli

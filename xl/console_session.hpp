// SPDX-License-Identifier: Apache-2.0
// ConsoleSession joins standard input and output with a domain's console until the console ends,
// the user types ^], or something else that is waited for happens. The end of standard input is
// not the end of the session. One thread.
#pragma once

#include <string>

#include "libxl++/api/http_client.hpp"
#include "xl/command.hpp"

namespace xl::cli {

class ConsoleSession {
 public:
  explicit ConsoleSession(api::ByteStream stream);

  enum class Stop { console_ended, detached, other_readable };
  int fd() const { return fd_.get(); }
  // `other_fd` (or -1) is watched as well. May be called again after other_readable.
  Outcome<Stop> run(int other_fd);
  // Prints what has already arrived, without waiting.
  Outcome<void> drain();

 private:
  Outcome<bool> receive();     // false at the end
  Outcome<bool> take_input();  // false: ^] was typed
  Outcome<void> send_input();
  Outcome<void> show(std::string_view bytes);

  UniqueFd fd_;
  std::string input_;  // typed, not yet sent
  bool input_open_ = true;
};

}  // namespace xl::cli

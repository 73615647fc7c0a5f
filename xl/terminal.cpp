// SPDX-License-Identifier: Apache-2.0
#include "xl/terminal.hpp"

#include <unistd.h>

#include <csignal>

#include "xl/output.hpp"

namespace xl::cli {
namespace {

// Read by a signal handler: set before the handler is, never changed while it may run.
termios saved;
volatile std::sig_atomic_t raw = 0;

constexpr int fatal_signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,
                                 SIGABRT, SIGSEGV, SIGBUS,  SIGALRM};

void restore() {
  if (raw != 0) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raw = 0;
  }
}

// The handler resets itself (SA_RESETHAND), so that the raised signal ends the program.
extern "C" void restore_and_die(int signal) {
  restore();
  static_cast<void>(::raise(signal));
}

}  // namespace

RawTerminal::RawTerminal() {
  if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &saved) != 0) {
    return;
  }
  struct sigaction action {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : fatal_signals) {
    ::sigaction(signal, &action, nullptr);
  }
  termios changed = saved;
  ::cfmakeraw(&changed);
  raw = 1;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &changed);
}

void RawTerminal::begin_line() const {
  if (raw != 0) {
    print_note("\r");
  }
}

RawTerminal::~RawTerminal() {
  if (raw == 0) {
    return;
  }
  restore();
  for (const int signal : fatal_signals) {
    std::signal(signal, SIG_DFL);
  }
}

}  // namespace xl::cli

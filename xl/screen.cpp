// SPDX-License-Identifier: Apache-2.0
#include "xl/screen.hpp"

// Functions, not macros with such names as `timeout` and `erase`.
#define NCURSES_NOMACROS
#include <curses.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <ctime>

namespace xl::cli {
namespace {

volatile std::sig_atomic_t ended_by = 0;

extern "C" void note_end(int signal) {
  ended_by = signal;
}

// Without SA_RESTART: what waits for a key returns.
void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second ends the program at once
  ::sigaction(signal, &action, nullptr);
}

constexpr int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Signals come only while input is waited for, so that none is missed between a look and the wait.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGWINCH);
    for (const int signal : ending_signals) {
      sigaddset(&held, signal);
    }
    ::sigprocmask(SIG_BLOCK, &held, &before_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // False when the time is over, or when there will never be any again: that counts as an end.
  bool wait_for_input(std::chrono::milliseconds wait) const {
    const auto left = std::max(wait, std::chrono::milliseconds(0));
    const timespec time = {static_cast<std::time_t>(left.count() / 1000),
                           static_cast<long>(left.count() % 1000 * 1'000'000)};
    pollfd fd = {STDIN_FILENO, POLLIN, 0};
    const int ready = ::ppoll(&fd, 1, &time, &before_);
    if (ready > 0 && fd.revents != POLLIN) {
      ended_by = SIGHUP;
    }
    return ready != 0;
  }

 private:
  sigset_t before_;
};

// Cut to the window, whose last column of the last row curses cannot fill without scrolling.
void put(int row, int column, const std::string& text, attr_t attributes) {
  const int room = COLS - column - (row == LINES - 1 ? 1 : 0);
  if (row < LINES && room > 0) {
    ::attrset(static_cast<int>(attributes));
    ::mvaddnstr(row, column, text.c_str(), std::min(room, static_cast<int>(text.size())));
  }
}

void put_line(int row, const TopLine& line) {
  const attr_t base = line.header ? A_REVERSE : A_NORMAL;
  const auto at = [&](std::size_t from, std::size_t to, attr_t attributes) {
    put(row, static_cast<int>(from), line.text.substr(from, to - from), attributes);
  };
  at(0, line.bold_from, base);
  at(line.bold_from, line.bold_to, base | A_BOLD);
  at(line.bold_to, line.text.size(), base);
}

}  // namespace

Outcome<Screen> Screen::open() {
  std::setlocale(LC_CTYPE, "");
  const char* kind = std::getenv("TERM");
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return Unexpected(Failure(Exit::failure, ErrorId::not_a_terminal,
                              "this is not a terminal; `-b` prints without one"));
  }
  // initscr ends the program where newterm answers.
  if (::newterm(nullptr, stdout, stdin) == nullptr) {
    return Unexpected(Failure(Exit::failure, ErrorId::not_a_terminal,
                              "the terminal '" + std::string(kind ? kind : "") +
                                  "' is not known; `-b` prints without it"));
  }
  Screen screen;
  ended_by = 0;
  for (const int signal : ending_signals) {
    handle(signal, note_end);
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  return screen;
}

Screen::~Screen() {
  if (is_open_) {
    ::endwin();
    for (const int signal : ending_signals) {
      std::signal(signal, SIG_DFL);
    }
  }
}

int Screen::rows() const {
  return LINES;
}

void Screen::repaint() {
  ::clearok(stdscr, TRUE);
}

// Curses sends what differs from the frame before, in one write: no flicker.
void Screen::draw(const Frame& frame) {
  ::erase();
  int row = 0;
  for (const std::string& line : frame.head) {
    put(row++, 0, line, A_NORMAL);
  }
  for (const TopLine& line : frame.table) {
    if (row >= LINES - 1) {
      break;
    }
    put_line(row++, line);
  }
  int column = 2;
  if (!frame.prompt.empty()) {
    put(LINES - 1, column, frame.prompt, A_NORMAL);
  } else {
    for (const auto& [word, on] : frame.keys) {
      put(LINES - 1, column, word.substr(0, 1), A_REVERSE);
      put(LINES - 1, column + 1, word.substr(1), on ? A_BOLD : A_NORMAL);
      column += static_cast<int>(word.size()) + 2;
    }
  }
  ::refresh();
}

int Screen::key(std::chrono::milliseconds wait) {
  const SignalsHeld held;
  ::timeout(0);
  int got = ::getch();  // also a change of size that came while we drew
  if (got == ERR && ended_by == 0) {
    if (!held.wait_for_input(wait)) {
      return ended_by != 0 ? quit : none;
    }
    got = ::getch();
  }
  if (ended_by != 0) {
    return quit;
  }
  switch (got) {
    case KEY_UP: return up;
    case KEY_DOWN: return down;
    case KEY_BACKSPACE:
    case 0x7f:
    case '\b': return backspace;
    case KEY_RESIZE: return resized;
    default: return got < 256 ? got : none;
  }
}

}  // namespace xl::cli

// SPDX-License-Identifier: Apache-2.0
#include "xl/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "xl/message.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr std::chrono::seconds patience{1};
constexpr std::size_t usual_width = 80;
constexpr std::uint64_t pages_per_mib = 256;

std::atomic<bool> one_is_active{false};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                           : usual_width;
}

}  // namespace

std::string progress_line(std::string_view what, std::string_view far, std::uint64_t seconds,
                          std::size_t width) {
  std::string text(what);
  text.append(" ... ").append(far).append(far.empty() ? "" : ", ");
  text.append(std::to_string(seconds)).append(" s");
  return text.substr(0, width - 1);  // the last column would wrap
}

Progress::Progress(std::string what) : what_(std::move(what)) {
  active_ = message_style().terminal && !one_is_active.exchange(true);
  if (active_) {
    thread_ = std::thread([this] { run(); });
  }
}

Progress::~Progress() {
  if (!active_) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
  one_is_active = false;
}

void Progress::at(std::uint64_t pages, std::uint64_t of) {
  if (active_ && of != 0) {
    const std::lock_guard lock(mutex_);
    far_ =
        std::to_string(pages * 100 / of) + " % of " + std::to_string(of / pages_per_mib) + " MiB";
  }
}

void Progress::run() {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (std::uint64_t seconds = 1;; ++seconds) {
    if (changed_.wait_until(lock, start + patience * seconds, [this] { return over_; })) {
      wipe();
      return;
    }
    show(seconds);
  }
}

void Progress::show(std::uint64_t seconds) {
  wipe();
  const std::string line = progress_line(what_, far_, seconds, terminal_width());
  print_note(line);
  shown_ = line.size();
}

void Progress::wipe() {
  if (shown_ == 0) {
    return;
  }
  print_note(message_style().carriage_return ? "\r" + std::string(shown_, ' ') + "\r" : "\r\033[K");
  shown_ = 0;
}

}  // namespace xl::cli

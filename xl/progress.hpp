// SPDX-License-Identifier: Apache-2.0
// Progress: while it lives, and once a second has gone by, says on the terminal what is being done
// and for how long; wiped away at the end. Nothing in a pipe or a file. Its thread exists on a
// terminal only. One inside another is silent. Nothing else may be printed while it lives.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace xl::cli {

class Progress {
 public:
  explicit Progress(std::string what);  // "waiting for 'guest'"
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void at(std::uint64_t pages, std::uint64_t of);  // how far it is

 private:
  void run();
  void show(std::uint64_t seconds);
  void wipe();

  std::string what_;
  bool active_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  // --- under mutex_ ---
  bool over_ = false;
  std::string far_;        // "45 % of 512 MiB", or empty
  std::size_t shown_ = 0;  // columns on the terminal
  std::thread thread_;     // last: it uses all of the above
};

// One line of it, no wider than the terminal.
std::string progress_line(std::string_view what, std::string_view far, std::uint64_t seconds,
                          std::size_t width);

}  // namespace xl::cli

// SPDX-License-Identifier: Apache-2.0
// A child process that outlives this one, watched by a pidfd; and the identity of a process across
// restarts of ours.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::hv::bundled {

// Start time in clock ticks since boot (proc(5), stat field 22): with the pid it names one process,
// whatever pids are used again. Nothing if there is no such process.
std::optional<std::uint64_t> start_time_of(pid_t pid);

// A pidfd of `pid` if it is still the process that started at `start_time`. Nothing if that one is
// gone.
std::optional<UniqueFd> open_process(pid_t pid, std::uint64_t start_time);

class Process {
 public:
  struct Spawn {
    std::vector<std::string> command;  // the program's path first
    std::vector<std::pair<int, int>>
        descriptors;        // ours, its number in the child (3 and up, ascending, no gap)
    std::string error_log;  // gets its stdout and stderr, truncated first
  };
  Process(Process&&) = default;
  Process& operator=(Process&&) = delete;
  ~Process();  // leaves it running; one that has ended is reaped
  // In a session of its own, so no signal of our terminal and not our end reaches it.
  static Result<Process> spawn(const Spawn& spawn);

  // One that another process may have started.
  static Process adopt(UniqueFd pidfd, pid_t pid, std::uint64_t start_time);

  pid_t pid() const { return pid_; }
  std::uint64_t start_time() const { return start_time_; }
  int fd() const { return pidfd_.get(); }  // readable once it has ended
  // SIGKILL, then waits until it is gone.
  void kill();
  // How it ended, "exit status 1" or "signal 9"; empty while it runs. Any thread, any number of
  // times.
  std::string end() const;

 private:
  struct Ended {
    std::mutex mutex;
    std::string how;
  };
  Process() = default;
  std::unique_ptr<Ended> ended_ = std::make_unique<Ended>();
  pid_t pid_ = -1;
  std::uint64_t start_time_ = 0;
  UniqueFd pidfd_;
};

// Waits until the process behind `pidfd` has ended; false after the timeout.
bool wait_ended(int pidfd, int timeout_ms);

}  // namespace xl::hv::bundled

// SPDX-License-Identifier: Apache-2.0
// SIGSTOP takes its time: a thread that runs may do some more work before it sees it.
#pragma once

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace xl::hv::bundled {

// proc(5): the state stands behind the name, which is in parentheses.
inline bool all_threads_stopped(pid_t pid) {
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream file(task.path() / "stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || text.substr(name_end + 2, 1) != "T") {
      return false;
    }
  }
  return true;
}

// Returns when no thread of the process runs any more.
inline void stop_process(pid_t pid) {
  ::kill(pid, SIGSTOP);
  while (!all_threads_stopped(pid)) {
    std::this_thread::yield();
  }
}

}  // namespace xl::hv::bundled

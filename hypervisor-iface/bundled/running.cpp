// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/running.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"

namespace xl::hv::bundled {
namespace {

namespace fs = std::filesystem;

constexpr int end_timeout_ms = 5000;
constexpr int search_rounds = 50;
constexpr int search_pause_ms = 20;

std::optional<pid_t> pid_of(const fs::path& entry) {
  const std::string name = entry.filename();
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? std::optional(pid)
                                                                  : std::nullopt;
}

bool has_open(const fs::path& process, const struct stat& file) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end;
       at.increment(error)) {
    struct stat info {};
    if (::stat(at->path().c_str(), &info) == 0 && info.st_dev == file.st_dev &&
        info.st_ino == file.st_ino) {
      return true;
    }
  }
  return false;
}

std::optional<RunningProcess> open_running(pid_t pid) {
  const std::optional<std::uint64_t> start_time = start_time_of(pid);
  std::optional<UniqueFd> process =
      start_time ? open_process(pid, *start_time) : std::optional<UniqueFd>();
  if (!process) {
    return std::nullopt;
  }
  return RunningProcess{std::move(*process), pid, *start_time};
}

// Who has the lock file open, beside ourselves.
std::optional<RunningProcess> search(const std::string& lock_path) {
  struct stat file {};
  if (::stat(lock_path.c_str(), &file) != 0) {
    return std::nullopt;
  }
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::optional<pid_t> pid = pid_of(at->path());
    if (!pid || *pid == ::getpid() || !has_open(at->path(), file)) {
      continue;
    }
    std::optional<RunningProcess> found = open_running(*pid);
    if (found && has_open(at->path(), file)) {  // again: now it is the process behind the pidfd
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<UniqueFd> lock_running(const std::string& directory) {
  const std::string path = directory + "/" + running_name;
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) {
    return Unexpected(system_error(errno, "opening " + path));
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? fail(ErrorId::hypervisor_in_use, "a process holds " + path,
                                       "try again in a moment")
                                : Unexpected(system_error(errno, "locking " + path));
  }
  return file;
}

Result<std::optional<RunningProcess>> find_running(const std::string& directory) {
  if (const std::optional<HypervisorState> state = read_state(directory)) {
    if (std::optional<UniqueFd> process = open_process(state->pid, state->start_time)) {
      return std::optional(RunningProcess{std::move(*process), state->pid, state->start_time});
    }
  }
  for (int i = 0; i < search_rounds; ++i) {
    const Result<UniqueFd> lock = lock_running(directory);
    if (lock) {
      return std::optional<RunningProcess>();
    }
    if (lock.error().code != ErrorCode::busy) {
      return Unexpected(lock.error());
    }
    if (std::optional<RunningProcess> found = search(directory + "/" + running_name)) {
      return std::optional(std::move(*found));
    }
    (void)::poll(nullptr, 0, search_pause_ms);  // it is just going, or not to be seen
  }
  return fail(ErrorId::hypervisor_in_use,
              fmt::format("a process that cannot be found runs the hypervisor of {}", directory),
              "end the qemu-system-x86_64 process that has hypervisor.running there open");
}

bool is_left_running(const std::string& directory) {
  const std::optional<HypervisorState> state = read_state(directory);
  if (state && open_process(state->pid, state->start_time)) {
    return true;
  }
  struct stat info {};
  if (::stat((directory + "/" + running_name).c_str(), &info) != 0) {
    return false;
  }
  const Result<UniqueFd> lock = lock_running(directory);
  return !lock && lock.error().code == ErrorCode::busy;
}

Result<void> end_stale(const std::string& directory) {
  XL_TRY_ASSIGN(const std::optional<RunningProcess> found, find_running(directory));
  if (found) {
    (void)::syscall(SYS_pidfd_send_signal, found->process.get(), SIGKILL, nullptr, 0);
    if (!wait_ended(found->process.get(), end_timeout_ms)) {
      return fail(ErrorId::hypervisor_in_use,
                  fmt::format("the earlier hypervisor, process {}, does not end", found->pid),
                  fmt::format("`kill -9 {}`, and look why it hangs", found->pid));
    }
    // If this very process started it, it is ours to reap; else this fails, and init does it.
    siginfo_t ignored{};
    (void)::waitid(P_PIDFD, static_cast<id_t>(found->process.get()), &ignored, WEXITED | WNOHANG);
  }
  remove_state(directory);
  return {};
}

}  // namespace xl::hv::bundled

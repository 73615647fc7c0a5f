// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/scope_exit.hpp"

extern char** environ;

namespace xl::hv::bundled {
namespace {

UniqueFd pidfd_open(pid_t pid) {
  return UniqueFd(
      static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // no wrapper before glibc 2.36
}

// posix_spawn's settings: own session, default signals, only the descriptors that are asked for.
struct SpawnSettings {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
  SpawnSettings() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }

  int prepare(const Process::Spawn& spawn, const std::vector<UniqueFd>& parked) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = error != 0 ? error : ::posix_spawnattr_setsigmask(&attributes, &none);
    error = error != 0 ? error : ::posix_spawnattr_setsigdefault(&attributes, &all);
    error = error != 0 ? error
                       : ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    error = error != 0
                ? error
                : ::posix_spawn_file_actions_addopen(&actions, 1, spawn.error_log.c_str(),
                                                     O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    error = error != 0 ? error : ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int next = 3;
    for (std::size_t i = 0; i < parked.size() && error == 0; ++i) {
      next = spawn.descriptors[i].second;
      error = ::posix_spawn_file_actions_adddup2(&actions, parked[i].get(), next++);
    }
    return error != 0 ? error : ::posix_spawn_file_actions_addclosefrom_np(&actions, next);
  }
};

}  // namespace

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) {
    return std::nullopt;
  }
  // The command's name, field 2, may hold blanks and parentheses: what follows the last ')' is
  // field 3 and on.
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(text.substr(close + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) {
    fields >> skipped;
  }
  std::uint64_t ticks = 0;
  return fields >> ticks ? std::optional(ticks) : std::nullopt;
}

std::optional<UniqueFd> open_process(pid_t pid, std::uint64_t start_time) {
  if (pid <= 1) {
    return std::nullopt;
  }
  // Open first, then compare: the descriptor stays with whatever process had the pid, so nothing
  // can slip between.
  UniqueFd pidfd = pidfd_open(pid);
  if (!pidfd || start_time_of(pid) != start_time || wait_ended(pidfd.get(), 0)) {
    return std::nullopt;
  }
  return pidfd;
}

Result<Process> Process::spawn(const Spawn& spawn) {
  // Parked above every number of the child's, so that no dup2 overwrites one that a later dup2
  // still needs.
  std::vector<UniqueFd> parked;
  for (const auto& [ours, theirs] : spawn.descriptors) {
    parked.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, 64));
    if (!parked.back()) {
      return Unexpected(system_error(errno, "preparing a descriptor for the child"));
    }
  }
  SpawnSettings settings;
  if (const int error = settings.prepare(spawn, parked); error != 0) {
    return Unexpected(system_error(error, "preparing to start " + spawn.command.front()));
  }
  std::vector<char*> argv;
  for (const std::string& word : spawn.command) {
    argv.push_back(const_cast<char*>(word.c_str()));  // posix_spawn's signature; it does not write
  }
  argv.push_back(nullptr);
  Process process;
  if (const int error = ::posix_spawn(&process.pid_, argv[0], &settings.actions,
                                      &settings.attributes, argv.data(), environ);
      error != 0) {
    return Unexpected(system_error(error, "starting " + spawn.command.front()));
  }
  // Not reaped before we ask for it, so the pid is still this child's.
  process.pidfd_ = pidfd_open(process.pid_);
  if (!process.pidfd_) {
    const int error = errno;
    ::kill(process.pid_, SIGKILL);
    (void)::waitpid(process.pid_, nullptr, 0);
    return Unexpected(system_error(error, "pidfd_open"));
  }
  process.start_time_ = start_time_of(process.pid_).value_or(0);
  return process;
}

Process Process::adopt(UniqueFd pidfd, pid_t pid, std::uint64_t start_time) {
  Process process;
  process.pid_ = pid;
  process.start_time_ = start_time;
  process.pidfd_ = std::move(pidfd);
  return process;
}

Process::~Process() {
  if (pidfd_) {
    (void)end();
  }
}

void Process::kill() {
  if (!pidfd_) {
    return;
  }
  (void)::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  (void)wait_ended(pidfd_.get(), -1);
  (void)end();
}

// By the pidfd, never by the number: once reaped, the pid may be another child's.
std::string Process::end() const {
  std::lock_guard lock(ended_->mutex);
  siginfo_t info{};
  if (!ended_->how.empty()) {
    return ended_->how;
  }
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
    ended_->how = "status unknown";  // not our child, or reaped by others (SIGCHLD is ignored)
  } else if (info.si_pid != 0) {
    ended_->how = info.si_code == CLD_EXITED ? fmt::format("exit status {}", info.si_status)
                                             : fmt::format("signal {}", info.si_status);
  }
  return ended_->how;
}

bool wait_ended(int pidfd, int timeout_ms) {
  pollfd entry{pidfd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace xl::hv::bundled

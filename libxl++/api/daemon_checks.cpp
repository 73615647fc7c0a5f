// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/daemon_checks.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "base/scope_exit.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/api/launch.hpp"

extern char** environ;  // NOLINT: POSIX has it in no header

namespace xl::api {
namespace {

// A file without a name, that the program writes to: a pipe for each output would need two readers.
Result<UniqueFd> scratch_file() {
  UniqueFd fd(::memfd_create("xl doctor", MFD_CLOEXEC));
  if (!fd) {
    return Unexpected(system_error(errno, "making a file in memory"));
  }
  return fd;
}

std::string content(const UniqueFd& fd) {
  std::string text;
  char piece[4096];
  ssize_t got = 0;
  while ((got = ::pread(fd.get(), piece, sizeof piece, static_cast<off_t>(text.size()))) > 0) {
    text.append(piece, static_cast<std::size_t>(got));
  }
  return text;
}

// posix_spawn(3) tells whether the program could be executed, in words of its own.
Result<int> run(std::vector<std::string> command, int out, int err) {
  std::vector<char*> arguments;
  for (std::string& word : command) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const ScopeExit destroy([&] { ::posix_spawn_file_actions_destroy(&actions); });
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t child = -1;
  const int problem =
      ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  if (problem != 0) {
    return Unexpected(system_error(problem, "executing '" + command[0] + "'"));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return Unexpected(system_error(errno, "waiting for '" + command[0] + "'"));
    }
  }
  return status;
}

std::string how(int status) {
  return WIFSIGNALED(status) ? "it was ended by signal " + std::to_string(WTERMSIG(status))
                             : "it ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<DoctorReport> ask_daemon_program(const std::string& program, const RuntimeDir& dir) {
  XL_TRY_ASSIGN(const UniqueFd out, scratch_file());
  XL_TRY_ASSIGN(const UniqueFd err, scratch_file());
  XL_TRY_ASSIGN(const int status,
                run({program, "--runtime-dir", dir.path(), "--doctor"}, out.get(), err.get()));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string words = content(err);
    return Unexpected(error_in_words(words.empty() ? how(status) : words));
  }
  return parse_doctor(content(out));
}

}  // namespace xl::api

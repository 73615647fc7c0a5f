// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/launch.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors/catalogue.hpp"
#include "libxl++/api/unix_socket.hpp"

namespace xl::api {
namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Unexpected(system_error(errno, "making a pipe"));
  }
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string_view name(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(name.substr(0, name.rfind('/') == name.npos ? 0 : name.rfind('/')));
}

std::string read_all(int fd) {
  std::string text;
  char piece[4096];
  while (true) {
    const ssize_t got = ::read(fd, piece, sizeof piece);
    if (got > 0) {
      text.append(piece, static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return text;
    }
  }
}

// In the child's child. Only async-signal-safe calls; never returns.
[[noreturn]] void become_daemon(char* const* arguments, int ready_fd, int words_fd) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);  // NOLINT
  const bool ok = ::dup2(null, 0) == 0 && ::dup2(null, 1) == 1 && ::dup2(words_fd, 2) == 2 &&
                  ::fcntl(ready_fd, F_SETFD, 0) == 0 && ::chdir("/") == 0;  // NOLINT
  if (ok) {
    ::execv(arguments[0], arguments);
  }
  static constexpr char text[] = "xld: error: it cannot be executed\n";
  static_cast<void>(!::write(2, text, sizeof text - 1));
  ::_exit(127);
}

// Forks twice, so that the daemon is init's child and this process has no zombie to wait for.
Result<void> spawn_detached(std::vector<std::string> command, int ready_fd, int words_fd) {
  std::vector<char*> arguments;
  for (std::string& word : command) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    return Unexpected(system_error(errno, "starting xld"));
  }
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      become_daemon(arguments.data(), ready_fd, words_fd);
    }
    ::_exit(grandchild > 0 ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) {
    return fail(
        ErrorId::host_out_of_memory, "xld could not be forked",
        "the host has no memory or no process number left; `xl doctor` looks at the limits");
  }
  return {};
}

Result<void> start(const RuntimeDir& dir, const std::vector<std::string>& options) {
  XL_TRY_ASSIGN(const std::string program, find_daemon());
  XL_TRY_ASSIGN(Pipe ready, make_pipe());
  XL_TRY_ASSIGN(Pipe words, make_pipe());
  std::vector<std::string> command = {program,
                                      "--runtime-dir",
                                      dir.path(),
                                      "--log-file",
                                      dir.log_file(),
                                      "--ready-fd",
                                      std::to_string(ready.write.get())};
  command.insert(command.end(), options.begin(), options.end());
  XL_TRY(spawn_detached(std::move(command), ready.write.get(), words.write.get()));
  ready.write.reset();
  words.write.reset();
  if (read_all(ready.read.get()) == "READY=1\n") {
    return {};
  }
  return Unexpected(error_in_words(read_all(words.read.get())));
}

}  // namespace

Error error_in_words(std::string_view words) {
  while (words.ends_with('\n')) {
    words.remove_suffix(1);
  }
  std::string_view line = words.substr(words.rfind('\n') == words.npos ? 0 : words.rfind('\n') + 1);
  for (const std::string_view prefix : {"xld: error: ", "xld: "}) {
    if (line.starts_with(prefix)) {
      line.remove_prefix(prefix.size());
    }
  }
  const std::size_t bracket = line.rfind(" [");
  if (line.ends_with(']') && bracket != line.npos) {
    const std::string_view name = line.substr(bracket + 2, line.size() - bracket - 3);
    if (const errors::ErrorRow* row = errors::find_row(name)) {
      return make_error(row->id, std::string(line.substr(0, bracket)));
    }
  }
  return make_error(ErrorId::daemon_not_started,
                    line.empty() ? "it ended without a word" : std::string(line),
                    "`xl doctor` checks all that it needs");
}

Result<std::string> find_daemon() {
  if (const char* chosen = std::getenv("XLD"); chosen != nullptr && *chosen != '\0') {
    char path[PATH_MAX];  // absolute: the daemon starts in another directory
    if (::realpath(chosen, path) == nullptr || ::access(path, X_OK) != 0) {
      return fail(ErrorId::daemon_missing,
                  "XLD is '" + std::string(chosen) + "', which is missing or cannot be executed",
                  "set it to the path of xld, or unset it");
    }
    return std::string(path);
  }
  const std::string here = own_folder();
  for (const std::string& path :
       {here + "/../xld/xld", here + "/../libexec/xl/xld", std::string(XL_LIBEXECDIR "/xld")}) {
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return fail(ErrorId::daemon_missing, "no xld was found beside '" + here + "'",
              "install it, or set XLD to its path");
}

Result<Launched> connect_or_start(const RuntimeDir& dir) {
  Result<UniqueFd> running = connect_unix(dir.socket());
  if (running) {
    return Launched{std::move(running).value(), false};
  }
  if (running.error().code != ErrorCode::not_found) {
    return Unexpected(std::move(running).error());
  }
  XL_TRY(dir.make());
  const UniqueFd lock(
      ::open(dir.start_lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));  // NOLINT
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    return Unexpected(system_error(errno, "locking '" + dir.start_lock() + "'"));
  }
  if (Result<UniqueFd> now = connect_unix(dir.socket())) {
    return Launched{std::move(now).value(), false};
  }
  Result<void> started = start(dir, {});
  // A daemon that somebody started by hand meanwhile serves as well.
  Result<UniqueFd> connection = connect_unix(dir.socket());
  if (!connection) {
    return Unexpected((started ? std::move(connection).error() : std::move(started).error())
                          .while_doing("starting xld"));
  }
  return Launched{std::move(connection).value(), true};
}

Result<void> end_left_domains(const RuntimeDir& dir) {
  if (::access(dir.path().c_str(), F_OK) != 0) {
    return {};
  }
  return start(dir, {"--end-domains"});
}

}  // namespace xl::api

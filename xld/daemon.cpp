// SPDX-License-Identifier: Apache-2.0
#include "xld/daemon.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iterator>
#include <thread>

#include "base/scope_exit.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/api/daemon_checks.hpp"
#include "libxl++/api/runtime_dir.hpp"
#include "libxl++/api/server.hpp"
#include "libxl++/api/unix_socket.hpp"
#include "xld/host_checks.hpp"
#include "xld/log.hpp"
#include "xld/notify.hpp"
#include "xld/store_sockets.hpp"

namespace xl::daemon {
namespace {

// Held until the process has gone, so nothing but the kernel lets go of it; `xl daemon stop` waits
// for that.
Result<void> take_lock(const api::RuntimeDir& dir) {
  UniqueFd fd(::open(dir.daemon_lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));  // NOLINT
  if (!fd) {
    return Unexpected(system_error(errno, "opening '" + dir.daemon_lock() + "'"));
  }
  // One that was killed has the lock until the kernel is done with it, and answers nobody.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (api::connect_unix(dir.socket()) || std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorId::daemon_already_runs, "another xld serves '" + dir.path() + "'",
                  "`xl daemon stop` ends it; XL_RUNTIME_DIR chooses another directory");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  static_cast<void>(fd.release());
  return {};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// On a Xen host the daemons of the host have work whenever a domain comes or goes, which nobody
// waits for; who called xl does (docs/adr/0161). Threads that are made later have it too.
void go_before_others() {
  constexpr int nice = -10;
  if (::setpriority(PRIO_PROCESS, 0, nice) != 0) {
    spdlog::warn("{}", describe(system_error(errno, "asking for a higher priority")));
  }
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&set, signal);
  }
  return set;
}

// Waits for a signal to stop on a thread of its own; every other thread has them blocked.
class StopOnSignal {
 public:
  explicit StopOnSignal(api::Server& server)
      : thread_([&server] {
          const sigset_t set = stop_signals();
          int signal = 0;
          sigwait(&set, &signal);
          server.stop();
        }) {}
  ~StopOnSignal() {
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

 private:
  std::thread thread_;
};

// What a library or the kernel has to say after the start goes into the log file.
void redirect_stderr(const std::string& log_file) {
  const UniqueFd log(::open(log_file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));  // NOLINT
  if (log) {
    ::dup2(log.get(), STDERR_FILENO);
  }
}

// Xen's folder for the host's daemon; beside the consoles' logs for a user's.
std::string dump_dir(const api::RuntimeDir& dir) {
  return dir.path() == "/run/xl" ? "/var/lib/xen/dump" : dir.path() + "/dump";
}

// Changes nothing that would still be there afterwards.
Result<void> examine(const Options& options, const Backend& backend) {
  api::DoctorReport report;
  report.version = XL_VERSION;
  report.checks = host_checks(options);
  if (backend.probe) {
    std::vector<Check> more = backend.probe();
    std::move(more.begin(), more.end(), std::back_inserter(report.checks));
  }
  const std::string text = api::doctor_text(report);
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    return fail(ErrorId::output_lost, "standard output does not take the report");
  }
  return {};
}

}  // namespace

Result<void> serve(const Options& options, Backend backend) {
  const api::RuntimeDir dir(options.runtime_dir);
  XL_TRY(dir.make());
  XL_TRY(take_lock(dir));
  XL_TRY(open_log(options.log_file, options.log_level));
  if (options.end_domains) {
    XL_TRY_DOING(backend.end(), "ending the hypervisor");
    notify_ready(options.ready_fd);
    return {};
  }
  toolstack::Options made{
      .hypervisor = std::move(backend.start),
      .attach = std::move(backend.attach),
      .host = std::move(backend.host),
      .runtime_dir = dir.path(),
      .log_dir = options.console_log_dir.empty() ? dir.console_dir() : options.console_log_dir,
      .console_log_limit = options.console_log_kib << 10,
      .kernel_cache_limit = options.kernel_cache_mib << 20};
  const bool serves_store = !made.host;
  if (made.host) {
    go_before_others();
  }
  made.dump_dir = options.dump_dir.empty() ? dump_dir(dir) : options.dump_dir;
  XL_TRY_ASSIGN(std::unique_ptr<toolstack::Toolstack> toolstack,
                toolstack::Toolstack::create(std::move(made)));
  // Domains that run go on; without any, the hypervisor is of no use to anyone.
  const ScopeExit end_backend([&] {
    const bool idle = toolstack->idle();
    toolstack.reset();
    const Result<void> ended = idle ? backend.end() : Result<void>();
    if (!ended) {
      spdlog::error("the hypervisor was left running: {}", describe(ended.error()));
    }
  });
  std::optional<StoreSockets> store_sockets;
  if (serves_store) {
    XL_TRY_ASSIGN(StoreSockets sockets, StoreSockets::listen(dir));
    store_sockets.emplace(std::move(sockets));
    XL_TRY(toolstack->serve_store(store_sockets->take_listeners()));
  }
  XL_TRY_ASSIGN(UniqueFd listener, api::listen_unix(dir.socket()));
  const ScopeExit remove_socket([&] { ::unlink(dir.socket().c_str()); });
  XL_TRY_ASSIGN(
      const std::unique_ptr<api::Server> server,
      api::Server::create(*toolstack, std::move(listener),
                          {XL_VERSION, dir.path(), dir.socket(), options.log_file,
                           store_sockets ? store_sockets->paths() : std::vector<std::string>()}));
  spdlog::info("xld {} (pid {}) serves {}", XL_VERSION, ::getpid(), dir.socket());
  notify_ready(options.ready_fd);
  if (!options.log_file.empty()) {
    redirect_stderr(options.log_file);
  }
  const StopOnSignal signals(*server);
  server->run();
  notify_stopping();
  spdlog::info("xld stops");
  return {};
}

int run(int count, char** words, const std::function<Backend(const Options&)>& choose) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // RLIMIT_FSIZE: an error of the call, not the end
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  raise_descriptor_limit();
  // Few arenas: the lanes' threads allocate little, and an arena for each would cost more.
  ::mallopt(M_ARENA_MAX, 2);
  try {
    Result<std::variant<Options, std::string>> parsed = parse_options(count, words);
    Result<void> outcome;
    if (!parsed) {
      outcome = Unexpected(std::move(parsed).error());
    } else if (const std::string* text = std::get_if<std::string>(&*parsed)) {
      std::fputs(text->c_str(), stdout);
    } else {
      const Options& options = std::get<Options>(*parsed);
      outcome =
          options.doctor ? examine(options, choose(options)) : serve(options, choose(options));
    }
    if (!outcome) {
      std::fprintf(stderr, "xld: error: %s [%s]\n", describe(outcome.error()).c_str(),
                   std::string(to_string(id_of(outcome.error()))).c_str());
      return 1;
    }
    return 0;
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "xld: error: %s\n", bug.what());
    return 1;
  }
}

}  // namespace xl::daemon

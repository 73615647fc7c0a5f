// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/qemu_command.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"

namespace xl::hv::bundled {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int program_timeout_ms = 10'000;
constexpr std::string_view install_qemu = "install another one: apt install qemu-system-x86";

class TemporaryDir {
 public:
  TemporaryDir() {
    const char* parent = ::getenv("TMPDIR");
    path_ =
        std::string(parent != nullptr && *parent == '/' ? parent : "/tmp") + "/xl-doctor-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) {
      error_ = errno;
      path_.clear();
    }
  }
  ~TemporaryDir() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;

  const std::string& path() const { return path_; }  // empty: it could not be made
  int error() const { return error_; }

 private:
  std::string path_;
  int error_ = 0;
};

struct Said {
  bool well = false;  // status 0
  std::string text;   // both outputs
};

Said run(std::vector<std::string> command, const TemporaryDir& dir) {
  const std::string log = dir.path() + "/said";
  Result<Process> process = Process::spawn({std::move(command), {}, log});
  if (!process) {
    return {false, describe(process.error())};
  }
  if (!wait_ended(process->fd(), program_timeout_ms)) {
    process->kill();
    return {false, fmt::format("it did not end within {} s", program_timeout_ms / 1000)};
  }
  std::ifstream file(log);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string end = process->end();
  const bool well = end == "exit status 0";
  return {well, well || !text.empty() ? text : end};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool has_word(std::string_view text, std::string_view word) {
  constexpr std::string_view between = " \n\t\r";
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || between.find(text[at - 1]) != between.npos) &&
        (end == text.size() || between.find(text[end]) != between.npos)) {
      return true;
    }
  }
  return false;
}

// The rest needs a QEMU that can be asked.
Check probe_qemu(const std::string& given, const TemporaryDir& dir, std::string& qemu) {
  const Result<std::string> found = find_qemu(given);
  if (!found) {
    return check_failed("QEMU", found.error().message, found.error().hint);
  }
  const Said said = run({*found, "--version"}, dir);
  if (!said.well) {
    return check_failed("QEMU", fmt::format("'{}' does not run: {}", *found, first_line(said.text)),
                        std::string(install_qemu));
  }
  qemu = *found;
  const std::string version = qemu_version(qemu);
  const std::string detail = fmt::format("version {}, {}", version, qemu);
  const unsigned long major = std::strtoul(version.c_str(), nullptr, 10);
  return major >= 7 ? check_ok("QEMU", detail)
                    : check_warning("QEMU", detail,
                                    "the oldest that xl++ is tested with is 7.2; use a newer one");
}

// Whether `qemu topic help` names all of the words.
Check probe_help(const char* name, const std::string& qemu, const char* topic,
                 std::initializer_list<std::string_view> words, const TemporaryDir& dir) {
  const Said said = run({qemu, topic, "help"}, dir);
  std::string missing;
  std::string all;
  for (const std::string_view word : words) {
    all.append(all.empty() ? "" : ", ").append(word);
    if (!said.well || !has_word(said.text, word)) {
      missing.append(missing.empty() ? "" : ", ").append(word);
    }
  }
  if (missing.empty()) {
    return check_ok(name, all);
  }
  return check_failed(name, fmt::format("{} {} help does not name {}", qemu, topic, missing),
                      std::string(install_qemu));
}

// A fact that people ask for first. There is no engine for it yet.
Check probe_kvm() {
  const bool there = ::access("/dev/kvm", F_OK) == 0;
  const bool usable = there && ::access("/dev/kvm", R_OK | W_OK) == 0;
  const char* kvm = usable  ? "/dev/kvm could be used"
                    : there ? "/dev/kvm is not this user's to use"
                            : "there is no /dev/kvm";
  return check_ok("engine", fmt::format("TCG, which needs no virtualization; {}, and xl++ does not "
                                        "use it today",
                                        kvm));
}

Check probe_image(const std::string& given, std::string& image) {
  const Result<std::string> found = find_hypervisor_image(given);
  if (!found) {
    return check_failed("hypervisor image", found.error().message, found.error().hint);
  }
  if (::access(found->c_str(), R_OK) != 0) {
    return check_failed("hypervisor image", fmt::format("'{}' cannot be read", *found),
                        fmt::format("chmod a+r '{}'", *found));
  }
  image = *found;
  std::error_code ignored;
  return check_ok("hypervisor image",
                  fmt::format("{}, {} KiB", image, fs::file_size(image, ignored) >> 10));
}

// QEMU's -sandbox needs seccomp.
Check probe_sandbox() {
  return ::access("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0
             ? check_ok("sandbox", "the kernel has seccomp, which shuts QEMU in")
             : check_failed("sandbox", "the kernel has no seccomp, which QEMU is shut in by",
                            "use a kernel with CONFIG_SECCOMP_FILTER");
}

Check probe_start(const Options& wanted, const TemporaryDir& dir) {
  Options options = wanted;
  options.runtime_dir = dir.path() + "/run";
  const Clock::time_point began = Clock::now();
  Result<std::unique_ptr<BundledHypervisor>> started = BundledHypervisor::start(options);
  if (!started) {
    const Error& error = started.error();
    return check_failed("start", error.message,
                        id_of(error) == ErrorId::hypervisor_slow_start
                            ? "the machine is too busy: try again when it has less to do"
                            : "mend what QEMU complains of; if nothing above has failed, it is "
                              "worth a bug report");
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  (*started)->terminate();
  return check_ok("start", fmt::format("the hypervisor starts, in {} ms", took.count()));
}

}  // namespace

Check probe_leftovers(const std::string& runtime_dir) {
  const std::optional<HypervisorState> state = read_state(runtime_dir);
  if (is_left_running(runtime_dir)) {
    return check_ok("hypervisor",
                    state ? fmt::format("runs as process {}, with {} MiB and {} CPUs", state->pid,
                                        state->ram.count() >> 20, state->cpus)
                          : "is being started");
  }
  return check_ok("hypervisor", state ? fmt::format("does not run; what process {} left in {} goes "
                                                    "with the next start",
                                                    state->pid, runtime_dir)
                                      : "does not run; the first create starts it");
}

std::vector<Check> probe(const Options& options) {
  std::vector<Check> checks;
  const TemporaryDir dir;
  if (dir.path().empty()) {
    checks.push_back(
        check_failed("temporary files",
                     system_error(dir.error(), "making a folder below $TMPDIR or /tmp").message,
                     "set TMPDIR to a directory that this user may write to"));
    return checks;
  }
  std::string qemu;
  std::string image;
  checks.push_back(probe_qemu(options.qemu, dir, qemu));
  if (!qemu.empty()) {
    checks.push_back(probe_help("QEMU machine", qemu, "-machine", {"microvm"}, dir));
    checks.push_back(probe_help("QEMU accelerator", qemu, "-accel", {"tcg"}, dir));
    checks.push_back(probe_help("QEMU CPU", qemu, "-cpu", {"svm", "npt", "vgif"}, dir));
  }
  checks.push_back(probe_kvm());
  checks.push_back(probe_sandbox());
  checks.push_back(probe_image(options.hypervisor_image, image));
  const Bytes memory = options.memory.value_or(default_memory());
  for (Check& check : probe_memory(memory)) {
    checks.push_back(std::move(check));
  }
  const unsigned cpus = options.cpus != 0 ? options.cpus : default_cpus();
  checks.push_back(check_ok("CPUs", fmt::format("{} for domains, of the {} that this process may "
                                                "run on",
                                                cpus, default_cpus())));
  checks.push_back(probe_leftovers(options.runtime_dir));
  checks.push_back(qemu.empty() || image.empty()
                       ? check_skipped("start", "cannot be tried without QEMU and the image")
                       : probe_start(options, dir));
  return checks;
}

}  // namespace xl::hv::bundled

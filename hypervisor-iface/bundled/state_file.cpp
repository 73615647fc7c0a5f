// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/state_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

namespace xl::hv::bundled {
namespace {

constexpr int state_version = 1;
constexpr int lock_rounds = 40;
constexpr int lock_pause_ms = 10;

Result<void> write_file(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) {
    return Unexpected(system_error(errno, "writing " + path));
  }
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return Unexpected(system_error(written < 0 ? errno : ENOSPC, "writing " + path));
  }
  return {};
}

}  // namespace

Result<void> prepare_runtime_dir(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Unexpected(system_error(errno, "making the runtime directory " + directory));
  }
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) {
    return Unexpected(system_error(errno, "looking at the runtime directory " + directory));
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 0022) != 0) {
    return fail(ErrorId::runtime_dir_unsafe,
                "the runtime directory " + directory +
                    " has to be a directory of this user that nobody else can write to",
                "remove it, or set XL_RUNTIME_DIR to another path");
  }
  return {};
}

Result<UniqueFd> lock_runtime_dir(const std::string& directory) {
  const std::string path = directory + "/" + lock_name;
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) {
    return Unexpected(system_error(errno, "opening " + path));
  }
  // A daemon that was killed while it started QEMU leaves, for the moment until the child has
  // become QEMU, a process that has the lock too.
  int result = -1;
  for (int i = 0; i < lock_rounds; ++i) {
    result = ::flock(file.get(), LOCK_EX | LOCK_NB);
    if (result == 0 || errno != EWOULDBLOCK) {
      break;
    }
    (void)::poll(nullptr, 0, lock_pause_ms);  // LOCK_EX alone would wait for a living daemon
    errno = EWOULDBLOCK;
  }
  if (result != 0) {
    return errno == EWOULDBLOCK
               ? fail(ErrorId::hypervisor_in_use,
                      "another daemon uses the hypervisor of the runtime directory " + directory,
                      "`xl daemon stop` ends it; XL_RUNTIME_DIR chooses another directory")
               : Unexpected(system_error(errno, "locking " + path));
  }
  return file;
}

Result<void> write_state(const std::string& directory, const HypervisorState& state) {
  const nlohmann::json json = {
      {"version", state_version},
      {"pid", state.pid},
      {"start_time_ticks", state.start_time},
      {"ram_fd", state.ram_fd},
      {"ram_bytes", state.ram.count()},
      {"doorbell", doorbell_name},
      {"cpus", state.cpus},
      {"image", state.image},
      {"qemu", state.qemu},
  };
  const std::string path = directory + "/" + state_file_name;
  XL_TRY(write_file(path + ".new", json.dump(2) + "\n"));
  if (::rename((path + ".new").c_str(), path.c_str()) != 0) {
    return Unexpected(system_error(errno, "writing " + path));
  }
  return {};
}

std::optional<HypervisorState> read_state(const std::string& directory) {
  std::ifstream file(directory + "/" + state_file_name);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  const auto number = [&](const char* key) -> std::uint64_t {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  };
  if (!json.is_object() || number("version") != state_version) {
    return std::nullopt;
  }
  HypervisorState state;
  state.pid = static_cast<pid_t>(number("pid"));
  state.start_time = number("start_time_ticks");
  state.ram_fd = static_cast<int>(number("ram_fd"));
  state.ram = Bytes(number("ram_bytes"));
  state.cpus = static_cast<unsigned>(number("cpus"));
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  state.image = text("image");
  state.qemu = text("qemu");
  return state;
}

void remove_state(const std::string& directory) {
  (void)::unlink((directory + "/" + state_file_name).c_str());
  (void)::unlink((directory + "/" + doorbell_name).c_str());
}

}  // namespace xl::hv::bundled

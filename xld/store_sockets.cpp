// SPDX-License-Identifier: Apache-2.0
#include "xld/store_sockets.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "libxl++/api/unix_socket.hpp"

namespace xl::daemon {
namespace {

const std::string default_directory = "/run/xenstored";  // of Debian's libxenstore
constexpr const char* kernel_devices[] = {"/dev/xen/xenbus", "/proc/xen/xenbus"};

// Where the kernel has a xenstore of its own, tools mean that one.
bool may_take_default() {
  if (::geteuid() != 0) {
    return false;
  }
  for (const char* device : kernel_devices) {
    if (::access(device, F_OK) == 0) {
      return false;
    }
  }
  const auto other = api::connect_unix(default_directory + "/socket");
  return !other && other.error().code == ErrorCode::not_found;
}

}  // namespace

Result<StoreSockets> StoreSockets::listen(const api::RuntimeDir& dir) {
  StoreSockets sockets;
  const std::string directory = dir.path() + "/xenstored";
  ::mkdir(directory.c_str(), 0700);  // a failure shows in what follows
  XL_TRY_ASSIGN(UniqueFd own, api::listen_unix(directory + "/socket"));
  sockets.listeners_.push_back(std::move(own));
  sockets.paths_.push_back(directory + "/socket");
  if (may_take_default()) {
    ::mkdir(default_directory.c_str(), 0755);
    auto listener = api::listen_unix(default_directory + "/socket");
    if (listener) {
      sockets.listeners_.push_back(std::move(listener).value());
      sockets.paths_.push_back(default_directory + "/socket");
    } else {
      spdlog::info("tools find the xenstore by XENSTORED_PATH only: {}",
                   describe(listener.error()));
    }
  }
  return sockets;
}

StoreSockets::~StoreSockets() {
  for (const std::string& path : paths_) {
    ::unlink(path.c_str());
  }
}

}  // namespace xl::daemon

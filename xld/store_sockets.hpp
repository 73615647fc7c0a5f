// SPDX-License-Identifier: Apache-2.0
// The sockets at which tools find the xenstore: always one in the runtime directory, and the one
// that libxenstore opens by itself, if this process may and nobody else serves it.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/api/runtime_dir.hpp"

namespace xl::daemon {

class StoreSockets {
 public:
  static Result<StoreSockets> listen(const api::RuntimeDir& dir);
  StoreSockets(StoreSockets&&) = default;
  StoreSockets& operator=(StoreSockets&&) = delete;
  ~StoreSockets();  // the files go

  std::vector<UniqueFd> take_listeners() { return std::move(listeners_); }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  StoreSockets() = default;

  std::vector<UniqueFd> listeners_;
  std::vector<std::string> paths_;
};

}  // namespace xl::daemon

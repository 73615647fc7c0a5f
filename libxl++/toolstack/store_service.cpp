// SPDX-License-Identifier: Apache-2.0
// The xenstore as tools see it.
#include <utility>

#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {

Result<void> Engine::serve_store(std::vector<UniqueFd> listeners) {
  XL_TRY_ASSIGN(store_sockets_, xenstore::SocketServer::create(store_, std::move(listeners)));
  return {};
}

}  // namespace xl::toolstack

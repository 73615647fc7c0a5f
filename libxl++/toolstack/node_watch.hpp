// SPDX-License-Identifier: Apache-2.0
// NodeWatch: tells when a node of the xenstore may have changed, for as long as it lives: a tool's
// watch, without its socket.
//
// Thread rule: `changed` is called from the thread that changed the node, must be quick and must
// not call the store. It is not called any more once this has gone.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "libxl++/xenstore/server.hpp"

namespace xl::toolstack {

class NodeWatch {
 public:
  NodeWatch(xenstore::Server& store, std::string_view path, std::function<void()> changed);

  // Drops the events that have come so far, so that they do not pile up. Not from `changed`.
  void drain();

 private:
  std::unique_ptr<xenstore::Client> client_;
};

}  // namespace xl::toolstack

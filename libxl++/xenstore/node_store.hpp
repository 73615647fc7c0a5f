// SPDX-License-Identifier: Apache-2.0
// NodeStore: the xenstore as the toolstack uses it, with domain 0's rights, whoever serves it: this
// process (Server) or the host's xenstored (HostStore).
//
// Thread rule: every function from any thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/xenstore/permissions.hpp"

namespace xl::xenstore {

// A node to write: what xenstore-ls shows as path = "value" (permissions).
struct NodeSpec {
  std::string path;
  std::string value;
  PermissionsRef permissions;  // null: as its parent
};

// A watch on a node and what is below it, for as long as it lives. Must not outlive its store.
class NodeWatch {
 public:
  virtual ~NodeWatch() = default;
  // Drops the events that have come so far, so that they do not pile up. Not from its callback.
  virtual void drain() = 0;
};

class NodeStore {
 public:
  virtual ~NodeStore() = default;

  // All at once for every reader; parents that are missing are made.
  virtual Result<void> write(std::span<const NodeSpec> nodes) = 0;
  // Nodes that are not there yet, of a domain that nobody looks at yet. After an error some may be
  // written.
  virtual Result<void> write_unseen(std::span<const NodeSpec> nodes) { return write(nodes); }
  virtual Result<std::string> read(std::string_view path) = 0;
  virtual Result<std::vector<std::string>> list(std::string_view path) = 0;
  // Whether the guest has a watch on this very path, as a driver has that serves it. True as well
  // where the store does not say.
  virtual bool may_be_watched(DomId domain, std::string_view path) = 0;
  // The paths with all below them, those that exist; then what else `domain` owns, anywhere.
  virtual void remove_domain(DomId domain, std::span<const std::string> paths) = 0;
  // It runs no more, but is still there: those who watch @releaseDomain hear of that too.
  virtual void domain_shut_down(DomId domain) = 0;
  // `changed` is called at once, and when the node may have changed, from the thread that changed it or that
  // reads the store's messages; it must be quick and must not call the store. It is not called any
  // more once the watch has gone.
  virtual std::unique_ptr<NodeWatch> watch(std::string_view path,
                                           std::function<void()> changed) = 0;
};

}  // namespace xl::xenstore

// SPDX-License-Identifier: Apache-2.0
// HostStore: the store of a Xen host, whose xenstored serves it at a unix socket; spoken to by the
// protocol (docs/misc/xenstore.txt), without libxenstore (docs/adr/0156).
//
// A connection that has broken stays so: every call fails at once, with io, and every watch is
// called once more. Thread rule: every function from any thread, but none from a watch's callback.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/xenstore/host_connection.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::xenstore {

class HostStore final : public NodeStore {
 public:
  // Errors: of the system, naming the path; not_found where there is no such socket.
  static Result<std::unique_ptr<HostStore>> connect(const std::string& path);
  // `socket` is a connected, blocking unix stream socket.
  static std::unique_ptr<HostStore> connect(UniqueFd socket);

  // --- NodeStore. Errors, beside the connection's: not_found, permission_denied, limit (a path
  // and its value longer than the protocol allows), invalid_argument; io and no_memory of
  // xenstored itself ---

  // More than one request goes in a transaction, which is begun again while others are in its way.
  Result<void> write(std::span<const NodeSpec> nodes) override;
  // Not at once, but over several connections, and without the requests that change nothing where a
  // node is new: for a parent that a child's write makes, for permissions that it has anyway.
  Result<void> write_unseen(std::span<const NodeSpec> nodes) override;
  Result<std::string> read(std::string_view path) override;
  Result<std::vector<std::string>> list(std::string_view path) override;
  // xenstored does not tell: true.
  bool may_be_watched(DomId domain, std::string_view path) override;
  // What else the domain owns xenstored removes itself when the domain dies.
  void remove_domain(DomId domain, std::span<const std::string> paths) override;
  // Nothing: xenstored hears of it by the same VIRQ as everybody.
  void domain_shut_down(DomId domain) override;
  // Where xenstored refuses the watch that is logged, and `changed` is never called.
  std::unique_ptr<NodeWatch> watch(std::string_view path, std::function<void()> changed) override;

  // --- beyond ---

  // The domain's ring is served from now on, and those who watch @introduceDomain hear of it; again
  // with another port after a soft reset. Errors: invalid_argument where xenstored cannot map the
  // ring or bind the port.
  Result<void> introduce(DomId domain, Gfn ring, EventPort port);

 private:
  class Watch;
  using Replies = Result<std::vector<HostConnection::Reply>>;

  explicit HostStore(UniqueFd socket, std::string path = {})
      : path_(std::move(path)), connection_(std::move(socket)) {}

  Result<std::string> ask(std::uint32_t type, std::string payload, std::string_view doing,
                          std::string_view subject);
  enum class Verdict { committed, conflict };
  Result<void> write_all(std::vector<HostRequest> requests);
  Result<Verdict> try_write(std::span<HostRequest> requests);
  Result<std::vector<std::string>> list_in_parts(std::string_view path);

  // More connections, for many requests at a time; none if they cannot be had.
  std::size_t open_lanes();
  std::vector<Replies> ask_by_lanes(std::span<const std::vector<HostRequest>> shares);
  Result<void> write_by_lanes(std::span<const std::vector<HostRequest>> shares);

  const std::string path_;  // of the socket; empty: there is this connection only
  HostConnection connection_;
  std::mutex lanes_use_;
  std::vector<std::unique_ptr<HostSocket>> lanes_;  // lanes_use_
  std::mutex transaction_;                          // our own would only be in each other's way
};

}  // namespace xl::xenstore

// SPDX-License-Identifier: Apache-2.0
// Server: the store with a lock round it, for the guests' rings, for tools, and for the toolstack,
// which writes as domain 0.
//
// Thread rule: every function may be called from any thread. Clients may outlive nothing but
// themselves: the server must outlive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/journal.hpp"
#include "libxl++/xenstore/limits.hpp"
#include "libxl++/xenstore/node_store.hpp"
#include "libxl++/xenstore/permissions.hpp"
#include "libxl++/xenstore/replay.hpp"
#include "libxl++/xenstore/store.hpp"

namespace xl::xenstore {

class Server;

// A Connection behind the server's lock. Disconnects when it goes.
class Client {
 public:
  Client(Server& server, std::unique_ptr<Connection> connection);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  std::size_t receive(std::span<const std::byte> bytes);
  std::size_t send(std::span<std::byte> room);
  bool has_output() const;
  bool broken() const;

  // Where the server stands in the guest's ring; none if it never began.
  std::optional<RingPosition> position() const;
  // What the guest may be offered: server_features.
  std::uint32_t features() const;

 private:
  friend class Server;
  friend class RingTurn;
  Server& server_;
  std::unique_ptr<Connection> connection_;
};

// One turn at a guest's ring, under the server's lock. Nothing that it did may be shown to the
// guest before commit() has put it into the journal.
class RingTurn {
 public:
  explicit RingTurn(Client& client);
  RingTurn(const RingTurn&) = delete;
  RingTurn& operator=(const RingTurn&) = delete;

  Connection& connection() { return connection_; }
  void commit(const RingPosition& position);

 private:
  const std::lock_guard<std::mutex> lock_;
  Server& server_;
  Connection& connection_;
};

class Server final : public NodeStore {
 public:
  explicit Server(Limits limits = {}) : store_(limits) {}

  // The store as it is kept in `directory`, of this or an earlier process; from now on every change
  // is kept there. Errors: io, if the journal cannot be read or made.
  static Result<std::unique_ptr<Server>> open(const std::string& directory, Limits limits = {});
  // Guests that were introduced to an earlier process and not adopted since.
  std::vector<DomId> unclaimed();
  // One of those. Its client is as it was, to the byte. Errors: not_found.
  Result<std::unique_ptr<Client>> adopt(DomId domain, std::function<void()> event_queued);

  // A guest, from now on introduced; until release(). `event_queued` as of Connection. Errors:
  // already_exists.
  Result<std::unique_ptr<Client>> introduce(DomId domain, std::function<void()> event_queued);
  // Before its Client goes.
  void release(DomId domain);
  // A tool, with domain 0's rights.
  std::unique_ptr<Client> connect(std::function<void()> event_queued);

  // --- as domain 0, all at once for every reader ---
  Result<void> write(std::span<const NodeSpec> nodes) override;
  Result<std::string> read(std::string_view path) override;
  Result<std::vector<std::string>> list(std::string_view path) override;
  bool may_be_watched(DomId domain, std::string_view path) override;
  void remove_domain(DomId domain, std::span<const std::string> paths) override;
  void domain_shut_down(DomId domain) override;
  std::unique_ptr<NodeWatch> watch(std::string_view path, std::function<void()> changed) override;

  // --- account ---
  Statistics statistics();
  std::uint64_t size();  // nodes
  LimitHits limit_hits(DomId domain);
  // `hit` is called, under the server's lock, at a domain's 1st, 2nd, 4th, ... hit.
  void tell_limit_hits(std::function<void(DomId, const LimitHits&)> hit);

 private:
  friend class Client;
  friend class RingTurn;
  class Change;

  void put(const NodeSpec& node, std::vector<xenstore::Change>& changes);
  Result<void> load(const std::string& path);
  // What was recorded goes into the journal.
  void flush();
  void rewrite_journal();

  std::mutex mutex_;
  Store store_;
  std::unique_ptr<Journal> journal_;  // none: kept in memory only
  Guests unclaimed_;
};

}  // namespace xl::xenstore

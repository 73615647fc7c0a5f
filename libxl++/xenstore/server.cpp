// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/server.hpp"

#include <utility>

#include "libxl++/xenstore/operations.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::xenstore {
namespace {

const Caller domain_zero{DomId(0), std::nullopt};

Error to_error(Errno error, std::string_view doing, std::string_view path) {
  const ErrorCode code = error.value == ENOENT ? ErrorCode::not_found : ErrorCode::invalid_argument;
  return {code, "xenstore: " + std::string(doing) + ' ' + std::string(path) + ": " +
                    std::string(wire_name(error))};
}

}  // namespace

// Holds the lock; on the way out what was recorded meanwhile goes into the journal.
class Server::Change {
 public:
  explicit Change(Server& server) : server_(server), lock_(server.mutex_) {}
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() { server_.flush(); }

 private:
  Server& server_;
  const std::lock_guard<std::mutex> lock_;
};

Client::Client(Server& server, std::unique_ptr<Connection> connection)
    : server_(server), connection_(std::move(connection)) {}

Client::~Client() {
  const std::lock_guard lock(server_.mutex_);
  connection_.reset();
}

std::size_t Client::receive(std::span<const std::byte> bytes) {
  const Server::Change change(server_);
  return connection_->receive(bytes);
}

std::size_t Client::send(std::span<std::byte> room) {
  const Server::Change change(server_);
  return connection_->send(room);
}

bool Client::has_output() const {
  const std::lock_guard lock(server_.mutex_);
  return connection_->has_output();
}

bool Client::broken() const {
  const std::lock_guard lock(server_.mutex_);
  return connection_->broken();
}

std::uint32_t Client::features() const {
  const std::lock_guard lock(server_.mutex_);
  return server_.store_.features(connection_->caller().domain);
}

std::optional<RingPosition> Client::position() const {
  const std::lock_guard lock(server_.mutex_);
  return connection_->position();
}

RingTurn::RingTurn(Client& client)
    : lock_(client.server_.mutex_), server_(client.server_), connection_(*client.connection_) {}

void RingTurn::commit(const RingPosition& position) {
  connection_.set_position(position);
  server_.flush();
}

Result<std::unique_ptr<Client>> Server::introduce(DomId domain,
                                                  std::function<void()> event_queued) {
  const Change change(*this);
  if (store_.connection_of(domain) != nullptr) {
    return fail(ErrorCode::already_exists,
                "xenstore: domain " + std::to_string(domain.value()) + " is introduced already");
  }
  auto connection =
      std::make_unique<Connection>(store_, Caller{domain, std::nullopt}, std::move(event_queued));
  store_.introduce(domain, *connection);
  return std::make_unique<Client>(*this, std::move(connection));
}

Result<std::unique_ptr<Client>> Server::adopt(DomId domain, std::function<void()> event_queued) {
  const std::lock_guard lock(mutex_);
  auto guest = unclaimed_.extract(domain.value());
  if (guest.empty()) {
    return fail(ErrorCode::not_found,
                "xenstore: domain " + std::to_string(domain.value()) + " is not known");
  }
  guest.mapped()->set_event_queued(std::move(event_queued));
  return std::make_unique<Client>(*this, std::move(guest.mapped()));
}

std::vector<DomId> Server::unclaimed() {
  const std::lock_guard lock(mutex_);
  std::vector<DomId> domains;
  for (const auto& guest : unclaimed_) {
    domains.emplace_back(guest.first);
  }
  return domains;
}

void Server::release(DomId domain) {
  const Change change(*this);
  store_.release(domain);
  unclaimed_.erase(domain.value());
}

std::unique_ptr<Client> Server::connect(std::function<void()> event_queued) {
  const std::lock_guard lock(mutex_);
  return std::make_unique<Client>(
      *this, std::make_unique<Connection>(store_, domain_zero, std::move(event_queued)));
}

// What an operation of domain 0 would do, without what can stop any other domain: this is most of
// the store's part in a create, so it walks the tree no more than it must.
void Server::put(const NodeSpec& node, std::vector<xenstore::Change>& changes) {
  Tree& tree = store_.tree();
  const NodeState* parent = tree.find(parent_of(node.path));
  if (parent == nullptr) {
    put({std::string(parent_of(node.path)), {}, nullptr}, changes);
    changes.pop_back();  // one event for the node that was asked for
    parent = tree.find(parent_of(node.path));
  }
  const NodeState* old = tree.find(node.path);
  PermissionsRef before = old == nullptr ? nullptr : old->permissions;
  PermissionsRef after = node.permissions;
  if (after == nullptr) {
    after = before != nullptr ? before : parent->permissions;
  }
  tree.put(node.path, {node.value, after});
  changes.push_back({node.path, std::move(before), std::move(after)});
}

Result<void> Server::write(std::span<const NodeSpec> nodes) {
  const Change change(*this);
  for (const NodeSpec& node : nodes) {
    if (const auto path = resolve_path(node.path, DomId(0)); !path) {
      return Unexpected(to_error(path.error(), "writing", node.path));
    }
  }
  std::vector<xenstore::Change> changes;
  changes.reserve(nodes.size());
  for (const NodeSpec& node : nodes) {
    put(node, changes);
  }
  store_.fire(changes);
  return {};
}

Result<std::string> Server::read(std::string_view path) {
  const std::lock_guard lock(mutex_);
  LimitHits hits;
  std::vector<xenstore::Change> changes;
  auto value =
      xenstore::read({store_.tree(), domain_zero, store_.default_limits(), hits, changes}, path);
  if (!value) {
    return Unexpected(to_error(value.error(), "reading", path));
  }
  return std::move(value).value();
}

bool Server::may_be_watched(DomId domain, std::string_view path) {
  const std::lock_guard lock(mutex_);
  bool found = false;
  store_.watches().visit(path, true, [&](const Watch& watch) {
    found = found || watch.owner->caller().domain == domain;
  });
  return found;
}

Result<std::vector<std::string>> Server::list(std::string_view path) {
  const std::lock_guard lock(mutex_);
  LimitHits hits;
  std::vector<xenstore::Change> changes;
  auto list =
      xenstore::list({store_.tree(), domain_zero, store_.default_limits(), hits, changes}, path);
  if (!list) {
    return Unexpected(to_error(list.error(), "listing", path));
  }
  return std::move(list).value().names;
}

void Server::remove_domain(DomId domain, std::span<const std::string> paths) {
  const Change change(*this);
  LimitHits hits;
  std::vector<xenstore::Change> changes;
  for (const std::string& path : paths) {
    (void)xenstore::remove({store_.tree(), domain_zero, store_.default_limits(), hits, changes},
                           path);
  }
  store_.fire(changes);
  store_.forget(domain);
}

void Server::domain_shut_down(DomId domain) {
  const Change change(*this);
  store_.fire_special(release_event, domain);
}

Statistics Server::statistics() {
  const std::lock_guard lock(mutex_);
  Statistics statistics;
  statistics.requests = store_.counts();
  statistics.nodes = store_.tree().size();
  statistics.watches = store_.watches().size();
  statistics.guests = store_.guests();
  statistics.journal_bytes = journal_ == nullptr ? 0 : journal_->size();
  for (const auto& [domain, hits] : store_.all_hits()) {
    statistics.limit_hits.emplace(DomId(domain), hits);
  }
  return statistics;
}

std::uint64_t Server::size() {
  const std::lock_guard lock(mutex_);
  return store_.tree().size();
}

void Server::tell_limit_hits(std::function<void(DomId, const LimitHits&)> hit) {
  const std::lock_guard lock(mutex_);
  store_.limits_hit = std::move(hit);
}

LimitHits Server::limit_hits(DomId domain) {
  const std::lock_guard lock(mutex_);
  const auto found = store_.all_hits().find(domain.value());
  return found == store_.all_hits().end() ? LimitHits{} : found->second;
}

}  // namespace xl::xenstore

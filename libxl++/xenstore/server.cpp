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

Client::Client(Server& server, Caller caller, std::function<void()> event_queued)
    : server_(server), connection_(server.store_, caller, std::move(event_queued)) {}

Client::~Client() {
  const std::lock_guard lock(server_.mutex_);
  connection_.reset();
}

std::size_t Client::receive(std::span<const std::byte> bytes) {
  const std::lock_guard lock(server_.mutex_);
  return connection_.receive(bytes);
}

std::size_t Client::send(std::span<std::byte> room) {
  const std::lock_guard lock(server_.mutex_);
  return connection_.send(room);
}

bool Client::has_output() const {
  const std::lock_guard lock(server_.mutex_);
  return connection_.has_output();
}

bool Client::broken() const {
  const std::lock_guard lock(server_.mutex_);
  return connection_.broken();
}

void Client::break_off() {
  const std::lock_guard lock(server_.mutex_);
  connection_.break_off();
}

void Client::reset() {
  const std::lock_guard lock(server_.mutex_);
  connection_.reset();
}

Result<std::unique_ptr<Client>> Server::introduce(DomId domain,
                                                  std::function<void()> event_queued) {
  auto client =
      std::make_unique<Client>(*this, Caller{domain, std::nullopt}, std::move(event_queued));
  {
    const std::lock_guard lock(mutex_);
    if (!store_.is_introduced(domain)) {
      store_.introduce(domain, client->connection_);
      return client;
    }
  }
  return fail(ErrorCode::already_exists,
              "xenstore: domain " + std::to_string(domain.value()) + " is introduced already");
}

Result<std::unique_ptr<Server>> Server::open(const std::string&, Limits limits) {
  return std::make_unique<Server>(limits);
}

std::vector<DomId> Server::unclaimed() {
  return {};
}

Result<std::unique_ptr<Client>> Server::adopt(DomId domain, std::function<void()>) {
  return fail(ErrorCode::not_found,
              "xenstore: domain " + std::to_string(domain.value()) + " is not known");
}

void Server::release(DomId domain) {
  const std::lock_guard lock(mutex_);
  store_.release(domain);
}

std::unique_ptr<Client> Server::connect(std::function<void()> event_queued) {
  return std::make_unique<Client>(*this, domain_zero, std::move(event_queued));
}

// What an operation of domain 0 would do, without what can stop any other domain: this is most of
// the store's part in a create, so it walks the tree no more than it must.
void Server::put(const NodeSpec& node, std::vector<Change>& changes) {
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
  const std::lock_guard lock(mutex_);
  for (const NodeSpec& node : nodes) {
    if (const auto path = resolve_path(node.path, DomId(0)); !path) {
      return Unexpected(to_error(path.error(), "writing", node.path));
    }
  }
  std::vector<Change> changes;
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
  std::vector<Change> changes;
  auto value = xenstore::read({store_.tree(), domain_zero, store_.limits(), hits, changes}, path);
  if (!value) {
    return Unexpected(to_error(value.error(), "reading", path));
  }
  return std::move(value).value();
}

bool Server::is_watched(DomId domain, std::string_view path) {
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
  std::vector<Change> changes;
  auto list = xenstore::list({store_.tree(), domain_zero, store_.limits(), hits, changes}, path);
  if (!list) {
    return Unexpected(to_error(list.error(), "listing", path));
  }
  return std::move(list).value().names;
}

void Server::remove_domain(DomId domain, std::span<const std::string> paths) {
  const std::lock_guard lock(mutex_);
  LimitHits hits;
  std::vector<Change> changes;
  for (const std::string& path : paths) {
    (void)xenstore::remove({store_.tree(), domain_zero, store_.limits(), hits, changes}, path);
  }
  store_.fire(changes);
  store_.forget(domain);
}

std::uint64_t Server::size() {
  const std::lock_guard lock(mutex_);
  return store_.tree().size();
}

LimitHits Server::limit_hits(DomId domain) {
  const std::lock_guard lock(mutex_);
  const auto found = store_.all_hits().find(domain.value());
  return found == store_.all_hits().end() ? LimitHits{} : found->second;
}

}  // namespace xl::xenstore

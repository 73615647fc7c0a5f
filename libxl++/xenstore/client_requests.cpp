// SPDX-License-Identifier: Apache-2.0
// The requests on what belongs to a client: its watches, its transactions, and what the store knows
// of domains.
#include <algorithm>
#include <string>
#include <utility>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/store.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

const std::string ok("OK\0", 3);

std::string terminated(std::string text) {
  return text += '\0';
}

}  // namespace

Connection::Reply Connection::add_watch(Request& request) {
  const std::optional<std::string_view> given = request.payload.string();
  const std::optional<std::string_view> token = request.payload.string();
  if (!given || !token) {
    return refuse(EINVAL);
  }
  auto watch = std::make_unique<Watch>();
  watch->owner = this;
  watch->token = *token;
  XL_TRY_ASSIGN(watch->path, resolve_path(*given, caller_.domain, true));
  watch->relative_prefix = watch->path.size() - given->size();
  if (!request.payload.empty()) {
    XL_TRY_ASSIGN(watch->depth, request.payload.number());
  }
  if (is_special(watch->path) && watch->depth.value_or(0) > 1) {
    return refuse(EINVAL);
  }
  if (find_watch(watch->path, watch->token) != watches_.end()) {
    return refuse(EEXIST);
  }
  if (!caller_.is_privileged() && exceeds(watches_.size() + 1, limits().watches)) {
    ++store_.hits(caller_.domain).watches;
    return refuse(E2BIG);
  }
  if (kept_) {
    store_.recorder().watch(caller_.domain, *watch);
  }
  store_.watches().add(*watch);
  request.first_event = watch.get();
  watches_.push_back(std::move(watch));
  return ok;
}

Connection::Reply Connection::remove_watch(Request& request) {
  XL_TRY_ASSIGN(const std::string path, path_argument(request, true));
  const std::optional<std::string_view> token = request.payload.string();
  if (!token) {
    return refuse(EINVAL);
  }
  const auto found = find_watch(path, *token);
  if (found == watches_.end()) {
    return refuse(ENOENT);
  }
  if (kept_) {
    store_.recorder().unwatch(caller_.domain, path, *token);
  }
  store_.watches().remove(**found);
  watches_.erase(found);
  return ok;
}

std::vector<std::unique_ptr<Watch>>::iterator Connection::find_watch(std::string_view path,
                                                                     std::string_view token) {
  return std::find_if(watches_.begin(), watches_.end(), [&](const auto& watch) {
    return watch->path == path && watch->token == token;
  });
}

Connection::Reply Connection::reset_watches() {
  if (kept_) {
    store_.recorder().reset_watches(caller_.domain);
  }
  drop_watches();
  transactions_.clear();
  return ok;
}

Connection::Reply Connection::start_transaction(Request& request) {
  if (request.header.transaction != 0) {
    return refuse(EBUSY);
  }
  if (!caller_.is_privileged() && exceeds(transactions_.size() + 1, limits().transactions)) {
    ++store_.hits(caller_.domain).transactions;
    return refuse(ENOSPC);
  }
  while (next_transaction_ == 0 || transactions_.contains(next_transaction_)) {
    ++next_transaction_;
  }
  const std::uint32_t id = next_transaction_++;
  transactions_.try_emplace(id, store_.tree());
  if (kept_) {
    store_.recorder().transaction_start(caller_.domain, id);
  }
  return terminated(std::to_string(id));
}

Connection::Reply Connection::end_transaction(Request& request) {
  const std::optional<std::string_view> verdict = request.payload.string();
  if (!verdict || (*verdict != "T" && *verdict != "F")) {
    return refuse(EINVAL);
  }
  auto transaction = transactions_.extract(request.header.transaction);
  if (transaction.empty()) {
    return refuse(ENOENT);
  }
  if (kept_) {
    store_.recorder().transaction_end(caller_.domain, request.header.transaction);
  }
  if (*verdict == "F") {
    return ok;
  }
  if (transaction.mapped().is_stale || !transaction.mapped().view.commit()) {
    return refuse(EAGAIN);
  }
  request.changes = std::move(transaction.mapped().changes);
  return ok;
}

Connection::Reply Connection::domain_request(Request& request) {
  XL_TRY_ASSIGN(const std::uint32_t number, request.payload.number());
  if (number > UINT16_MAX) {
    return refuse(EINVAL);
  }
  const DomId domain(static_cast<std::uint16_t>(number));
  switch (request.header.type) {
    case XS_GET_DOMAIN_PATH: return terminated(domain_path(domain));
    case XS_IS_DOMAIN_INTRODUCED:
      return terminated(domain == DomId(0) || store_.is_introduced(domain) ? "T" : "F");
    default: break;
  }
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  return domain_zero_request(request, domain);
}

Connection::Reply Connection::domain_zero_request(Request& request, DomId domain) {
  // The toolstack beside this server introduces every domain itself, so one that is not known here
  // does not exist.
  Connection* connection = store_.connection_of(domain);
  if (connection == nullptr) {
    return refuse(ENOENT);
  }
  switch (request.header.type) {
    case XS_SET_TARGET: {
      XL_TRY_ASSIGN(const std::uint32_t target, request.payload.number());
      if (target > UINT16_MAX || !store_.is_introduced(DomId(static_cast<std::uint16_t>(target)))) {
        return refuse(ENOENT);
      }
      connection->set_target(DomId(static_cast<std::uint16_t>(target)));
      return ok;
    }
    case XS_RELEASE:
      if (!connection->introduced()) {
        return refuse(ENOENT);
      }
      connection->break_off();
      store_.disconnect(*connection);
      return ok;
    case XS_INTRODUCE:
      if (!connection->introduced()) {
        store_.connect_again(*connection);
      }
      return ok;
    default: return ok;  // RESUME: release events are not held back here
  }
}

}  // namespace xl::xenstore
